"""An explanation as people read it: text for terminals, HTML for notebooks."""

from __future__ import annotations

import html as escaping
from typing import TYPE_CHECKING

from wavetank.show import align

from .trials import PODS_TRIED
from .words import about

if TYPE_CHECKING:
    from .explanation import Explanation

#: Reasons and feasible nodes that are shown.
_GROUPS = 12
_BEST = 5
_NAMES = 3

Table = list[list[str]]


def headline(given: Explanation) -> str:
    """Return the answer in one sentence."""
    name = f"pod/{given.pod}"
    count = len(given.pods)
    if count > 1:
        name = f"{count:,} pods of {given.owner}, {name} for one,"
    elif given.owner:
        name += f" of {given.owner}"
    return f"{name} {_state(given)}"


def _state(given: Explanation) -> str:
    be = "are" if len(given.pods) > 1 else "is"
    spec = given.document["spec"]
    gates = ", ".join(one["name"] for one in spec.get("schedulingGates") or [])
    scheduler = spec.get("schedulerName")
    words = {
        "deleting": f"{be} being deleted: the scheduler leaves it alone",
        "ended": "has ended: there is nothing to schedule",
        "bound": f"{be} on {given.node}",
        "gated": f"{be} held back by {gates}{_then(given)}",
        "not ours": f"{be} waiting for a scheduler called {scheduler}, and there is none",
        "pending": f"{be} pending",
        "new": "would be pending",
    }
    word = words[given.state]
    if given.state not in {"pending", "new"}:
        return word
    if given.evicts:
        them = _some(given, given.evicts)
        return f"{word}; the scheduler makes room on {given.node} by evicting {them}"
    if not given.node:
        return f"{word}: no node takes it"
    if given.state == "new":
        return f"would go to {given.node}"
    return f"{word}, but as the cluster is now it goes to {given.node}"


def _then(given: Explanation) -> str:
    """Return what would become of a pod that is held back."""
    if not given.node:
        return "; without it no node would take it"
    them = f" by evicting {_some(given, given.evicts)}" if given.evicts else ""
    return f"; without it it would go to {given.node}{them}"


def _some(given: Explanation, names: tuple[str, ...]) -> str:
    shown = [name.removeprefix(f"{given.namespace}/") for name in names[:_NAMES]]
    left = len(names) - len(shown)
    return ", ".join(shown) + (f" and {left:,} more" if left else "")


def blocked(given: Explanation) -> list[str]:
    """Return what keeps the pod from every node, each sentence once."""
    by_words: dict[str, list[str]] = {}
    for plugin, why in given.blocked.items():
        by_words.setdefault(why, []).append(plugin)
    return [f"{why} ({', '.join(plugins)})" for why, plugins in by_words.items()]


def groups_table(given: Explanation) -> Table:
    """Return the reasons as cells, headings first."""
    rows = [["NODES", "ALONE", "PLUGIN", "WHY, ON THE NODE THAT COMES CLOSEST", "NODE"]]
    shown = given.groups[:_GROUPS]
    rows += [[f"{one.nodes:,}", f"{one.alone:,}", one.plugin, one.why, one.node] for one in shown]
    return rows


def changes_table(given: Explanation) -> Table:
    """Return the changes as cells."""
    rows = []
    for number, change in enumerate(given.changes, 1):
        then = f"-> {change.node}"
        if change.evicts:
            then += f", evicting {_some(given, change.evicts)}"
        if change.pods > 1:
            least = "at least " if change.lets_in == PODS_TRIED < change.pods else ""
            then += f" ({least}{change.lets_in:,} of {change.pods:,} pods)"
        rows.append([f"{number}.", change.text, then])
    return rows


def scores_table(given: Explanation) -> Table:
    """Return the best feasible nodes with their scores as cells, headings first."""
    columns = given.scores.to_numpy()
    plugins = [
        name
        for name in columns
        if name not in {"node", "total"} and len(set(columns[name].tolist())) > 1
    ]
    rows = [["NODE", "TOTAL", *plugins]]
    for at in range(min(_BEST, len(columns["total"]))):
        figures = [f"{int(columns[name][at])}" for name in ("total", *plugins)]
        rows.append([str(columns["node"][at]), *figures])
    return rows


def comparison(given: Explanation) -> list[str]:
    """Return how the choice among feasible nodes came about."""
    facts = given.facts
    if facts is None:
        return []
    if given.state == "bound" and given.node not in facts.feasible:
        return [_refused_now(given, facts.tried["node"])]
    feasible = len(facts.feasible)
    if feasible < 2:
        return [f"{given.node} is the only feasible node of {len(facts.nodes):,}"]
    columns = given.scores.to_numpy()
    nodes, totals = columns["node"].tolist(), columns["total"].tolist()
    own = totals[nodes.index(given.node)]
    looked = "" if feasible == int((facts.said < 0).sum()) else " that were looked at"
    of = f"of {feasible:,} feasible nodes{looked}"
    if own < totals[0]:
        place = 1 + sum(total > own for total in totals)
        elsewhere = f"as the cluster is now it would go to {facts.tried['node']}"
        return [
            f"{elsewhere} with a total of {totals[0]}",
            f"{given.node} has {own}, place {place:,} {of}",
        ]
    tied = totals.count(own)
    if tied > 1:
        return [f"{tied:,} {of} tie for the highest total, {own}"]
    second = _second(given, nodes[1], own - totals[1])
    return [f"{given.node} has the highest total {of}, {own}", second]


def _refused_now(given: Explanation, node: str | None) -> str:
    now = f"as the cluster is now {given.node} would refuse it"
    return f"{now} and it would go to {node}" if node else f"{now}, and so would every other node"


def _second(given: Explanation, node: str, by: int) -> str:
    """Return who came second, and by which plugins it lost."""
    columns = given.scores.to_numpy()
    place = columns["node"].tolist().index(node)
    parts = {
        name: int(column[place] - column[0])
        for name, column in columns.items()
        if name not in {"node", "total"}
    }
    ranked = sorted(parts.items(), key=lambda part: part[1])
    lost = ", ".join(f"{name} {points:+d}" for name, points in ranked if points)
    return f"{node} came second, {by} behind: {lost}"


def text(given: Explanation) -> str:
    """Return an explanation for a terminal."""
    parts = [headline(given)]
    parts += blocked(given)
    if given.state == "bound" or (given.node and not given.changes):
        parts += comparison(given)
        if len(scores_table(given)) > 1:
            parts += ["", *_lines(scores_table(given))]
    if given.groups and not given.blocked:
        parts += ["", *_lines(groups_table(given))]
        left = len(given.groups) - _GROUPS
        parts += [f"... and {left:,} more reasons"] if left > 0 else []
    if given.changes:
        parts += ["", _title(given), *_lines(changes_table(given))]
    parts += ["", *given.notes] if given.notes else []
    if given.message and given.state != "bound":
        parts += ["", given.message]
    return "\n".join(parts)


def _title(given: Explanation) -> str:
    what = "What would let it in" if not given.node else "What would let it in without evicting"
    return f"{what}, the least intrusive first; each was tried on a fork:"


def _lines(rows: Table) -> list[str]:
    return [line.rstrip() for line in align(rows)]


def every_node(given: Explanation) -> str:
    """Return a line for each node and reason."""
    columns = given.nodes.to_numpy()
    rows = [["NODE", "PLUGIN", "REASON", "ASKED", "FREE", "LACKING"]]
    for node, plugin, reason, *figures in zip(
        *(columns[name] for name in ("node", "plugin", "reason", "asked", "free", "lacking")),
        strict=True,
    ):
        resource = (reason or "").removeprefix("Insufficient ")
        amounts = ["" if figure < 0 else about(resource, int(figure)) for figure in figures]
        rows.append([node, plugin or "", reason or "feasible", *amounts])
    return "\n".join(_lines(rows))


def html(given: Explanation) -> str:
    """Return an explanation for a notebook."""
    parts = [f"<p><b>{escaping.escape(headline(given))}</b></p>"]
    parts += [f"<p>{escaping.escape(line)}</p>" for line in blocked(given)]
    if given.state == "bound" or (given.node and not given.changes):
        parts += [f"<p>{escaping.escape(line)}</p>" for line in comparison(given)]
        if len(scores_table(given)) > 1:
            parts.append(_table(scores_table(given)))
    if given.groups and not given.blocked:
        parts.append(_table(groups_table(given)))
    if given.changes:
        parts.append(f"<p>{escaping.escape(_title(given))}</p>")
        parts.append(_table([["", "change", "then"], *changes_table(given)]))
    parts += [f"<p>{escaping.escape(note)}</p>" for note in given.notes]
    if given.message and given.state != "bound":
        parts.append(f"<p><code>{escaping.escape(given.message)}</code></p>")
    return "\n".join(parts)


def _table(rows: Table) -> str:
    style = "text-align: left"

    def row(tag: str, cells: list[str]) -> str:
        inner = "".join(f'<{tag} style="{style}">{escaping.escape(cell)}</{tag}>' for cell in cells)
        return f"<tr>{inner}</tr>"

    head, *body = rows
    lines = "".join(row("td", cells) for cells in body)
    return f"<table><thead>{row('th', head)}</thead><tbody>{lines}</tbody></table>"
