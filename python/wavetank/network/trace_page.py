"""A trace as people read it: text for terminals, HTML for notebooks."""

from __future__ import annotations

import html as escaping
import shlex
from typing import TYPE_CHECKING

from wavetank.show import align

from .targets import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .tracing import End, Hop, Step, Trace

#: Targets that do something to the packet; jumps matter when one of these lies behind them.
_EFFECTS = {"DNAT", "MARK", "MASQUERADE", "ACCEPT", "DROP", "REJECT"}
#: What stands in the margin beside a rule that decides.
_MARGIN = {"DNAT": "DNAT", "MASQUERADE": "SNAT", "DROP": "DROP", "REJECT": "REJECT", "MARK": "mark"}
_GUTTER = 8
#: Ends that are listed.
_ENDS = 12


def headline(trace: Trace) -> str:
    """Return what became of the packet in one sentence."""
    asked = f"{trace.target.text} " if trace.target.text != trace.target.address else ""
    if asked.strip() in (str(trace.target), str(trace.target).rpartition("/")[0]):
        asked = ""
    return f"{_who(trace)} -> {asked}{trace.target}: {_result(trace)}"


def _who(trace: Trace) -> str:
    if trace.source.kind == "outside":
        return f"outside ({trace.source.addresses[0]})"
    return str(trace.source)


def _result(trace: Trace) -> str:
    if len(trace.ends) == 1:
        end = trace.ends[0]
        to = f" to {name_of(end)}" if end.verdict == "connected" else ""
        why = f", {end.why}" if end.why and end.verdict != "connected" else ""
        return f"{end.verdict}{to}{why}"
    by_verdict: dict[str, list[End]] = {}
    for end in trace.ends:
        by_verdict.setdefault(end.verdict, []).append(end)
    parts = []
    for verdict, ends in by_verdict.items():
        count = len({(end.address, end.port) for end in ends})
        of = f" to one of {count:,}" if verdict == "connected" and count > 1 else ""
        chance = f", {percent(sum(end.chance for end in ends))}" if len(by_verdict) > 1 else ""
        parts.append(f"{verdict}{of}{chance}")
    return "; ".join(parts)


def name_of(end: End) -> str:
    """Return who is at an end."""
    if end.pod:
        return f"pod/{end.pod}" if end.namespace == "default" else f"pod/{end.namespace}/{end.pod}"
    if end.verdict != "connected":
        return end.address
    return f"node/{end.node}" if end.node else end.why or end.address


def percent(chance: float) -> str:
    """Return a chance as people write it.

    >>> percent(1 / 3), percent(1.0), percent(0.0004)
    ('33.3%', '100%', '0.04%')
    """
    if chance >= 0.9995:
        return "100%"
    return f"{chance:.1%}" if chance >= 0.001 else f"{chance:.2%}"


def text(trace: Trace, *, every: bool = False, width: int = 96, most: int = 4) -> str:
    """Return the page."""
    said, _, why = headline(trace).partition(", ")
    asked, result = said.rsplit(": ", 1)
    lines = [said] if len(said) <= width else [f"{asked}:", f"  {result}"]
    lines += [f"  {why}", ""] if why else [""]
    lines += list(_ways(trace, every, width, most))
    lines += ["", *ends_table(trace)]
    lines += [f"note: {note}" for note in trace.notes]
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")


def ends_table(trace: Trace) -> list[str]:
    """Return the ends as lines."""
    return align(ends_rows(trace))


def ends_rows(trace: Trace) -> list[list[str]]:
    """Return the ends as cells, headings first; those that differ in the node between together."""
    rows = [["CHANCE", "END", "ADDRESS", "NODE", "SEEN FROM", "SENDER SEES"]]
    places: dict[tuple[str, ...], list[End]] = {}
    for end in trace.ends:
        # Why a single packet is lost stands in the headline.
        tells = end.why and (len(trace.ends) > 1 or end.verdict == "connected")
        tells = tells and end.why != name_of(end)
        sees = f"{end.verdict} ({end.why})" if tells else end.verdict
        name = name_of(end) if end.pod or end.verdict == "connected" else "-"
        key = (name, joined(end.address, end.port), end.node, sees)
        places.setdefault(key, []).append(end)
    for (name, address, node, sees), ends in list(places.items())[:_ENDS]:
        sources = list(dict.fromkeys(end.source for end in ends))
        source = sources[0] + (f" +{len(sources) - 1}" if len(sources) > 1 else "")
        rows.append([percent(_sum(ends)), name, address, node, source, sees])
    if len(places) > _ENDS:
        rest = list(places.values())[_ENDS:]
        share = percent(sum(_sum(ends) for ends in rest))
        rows.append([share, f"... {len(rest):,} more", "", "", "", ""])
    return rows


def _sum(ends: Sequence[End]) -> float:
    return sum(end.chance for end in ends)


# The rules


def _ways(trace: Trace, every: bool, width: int, most: int) -> Iterator[str]:
    """Yield the machines on the way, and what differs between the ends."""
    first = trace.ends[0]
    ways = [end for end in trace.ends if _names(end) == _names(first)]
    others = len({_names(end) for end in trace.ends}) - 1
    for at, hop in enumerate(first.hops):
        branches = [end.hops[at] for end in ways]
        if at:
            yield ""
        if hop.kind != "node":
            share = f", one of {len(trace.balancer.usable):,}" if trace.balancer else ""
            then = first.hops[at + 1].name if at + 1 < len(first.hops) else "nowhere"
            yield f"load balancer of service/{hop.name}: {hop.destination} -> {then}{share}"
            continue
        yield f"node {hop.name}: {hop.source} -> {hop.destination}"
        yield from _hooks(branches, ways, every, width, most)
    if others:
        word = "ways" if others > 1 else "way"
        yield ""
        yield f"({others:,} other {word} through other machines, with rules like these)"


def _names(end: End) -> tuple[str, ...]:
    return tuple(hop.name for hop in end.hops)


def _hooks(
    branches: Sequence[Hop], ends: Sequence[End], every: bool, width: int, most: int
) -> Iterator[str]:
    """Yield each hook of a node with the rules met there."""
    order = list(dict.fromkeys(hook for branch in branches for hook in branch.hooks))
    for table, hook in order:
        through = [branch for branch in branches if (table, hook) in branch.hooks]
        lists = [
            tuple(_shown([s for s in one.steps if (s.table, s.hook) == (table, hook)], every))
            for one in through
        ]
        only = _only(through, branches, ends)
        title = f"  {table} {hook}{only}"
        if not any(lists):
            yield f"{title}: no rule changes it"
            continue
        yield title
        yield from _tree(lists, branches[0].chance, width, most)


def _only(through: Sequence[Hop], branches: Sequence[Hop], ends: Sequence[End]) -> str:
    if len(through) == len(branches):
        return ""
    names = [name_of(end) for end, branch in zip(ends, branches, strict=True) if branch in through]
    return f", of packets to {names[0]}{' and others' if len(names) > 1 else ''}"


def _shown(steps: Sequence[Step], every: bool) -> list[Step]:
    """Return the steps that did something, and the jumps that led there."""
    if every:
        return list(steps)
    inside: list[Step] = []
    deepest = -1
    for step in reversed(steps):
        is_effect = step.target in _EFFECTS and not _is_clearing(step)
        if is_effect or step.depth < deepest:
            inside.append(step)
            deepest = step.depth
    inside.reverse()
    return inside


def _is_clearing(step: Step) -> bool:
    """Whether it takes the mark away again before a packet is masqueraded."""
    return "--xor-mark" in step.rule


def _tree(lists: Sequence[tuple[Step, ...]], whole: float, width: int, most: int) -> Iterator[str]:
    """Yield what all ways share once, and each branch below it."""
    distinct = list(dict.fromkeys(lists))
    if len(distinct) == 1:
        for step in distinct[0]:
            yield from _line(step, width)
        return
    shared = 0
    while all(len(one) > shared and _same(one[shared], distinct[0][shared]) for one in distinct):
        shared += 1
    for step in distinct[0][:shared]:
        yield from _line(step, width)
    filled = [one for one in distinct if len(one) > shared]
    if len(filled) == most + 1:
        most += 1
    for one in filled[:most]:
        for at, step in enumerate(one[shared:]):
            yield from _line(step, width, chance=step.chance / whole if at == 0 else None)
    if len(filled) > most:
        depth = filled[0][shared].depth
        share = percent(sum(one[shared].chance for one in filled[most:]) / whole)
        yield f"    {share:<{_GUTTER}}{'  ' * depth}... {len(filled) - most:,} more branches"
    if len(filled) < len(distinct) and not shared:
        yield f"    {'':<{_GUTTER}}(others: no rule changes them)"


def _same(one: Step, other: Step) -> bool:
    return one.rule == other.rule and "--probability" not in one.rule


def _line(step: Step, width: int, chance: float | None = None) -> Iterator[str]:
    margin = _MARGIN.get(step.target, "")
    if chance is not None:
        margin = percent(chance)
    indent = " " * (4 + _GUTTER) + "  " * step.depth
    words = _words(step.rule)
    line = f"    {margin:<{_GUTTER}}{'  ' * step.depth}{words[0]}"
    for word in words[1:]:
        if len(line) + 1 + len(word) > width:
            yield line
            line = f"{indent}    {word}"
        else:
            line += f" {word}"
    yield line


def _words(rule: str) -> list[str]:
    """Return a rule without its chain, in pieces that a line is not broken within."""
    pieces: list[str] = []
    for word in shlex.split(rule, posix=False)[2:]:
        fresh = word in {"-m", "-j", "-s", "-d", "-p", "!", "-i"}
        if fresh and not (pieces and pieces[-1] == "!"):
            pieces.append(word)
        elif pieces:
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
    return pieces


# Notebooks

_TABLE = "text-align: left; font-family: monospace; white-space: pre"


def html(trace: Trace) -> str:
    """Return the page as HTML."""
    head, *rows = ends_rows(trace)
    cells = "".join(f'<th style="{_TABLE}">{escaping.escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{_TABLE}">{escaping.escape(cell)}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )
    rules = escaping.escape("\n".join(_ways(trace, every=False, width=110, most=4)))
    return (
        f"<p><b>{escaping.escape(headline(trace))}</b></p>"
        f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
        f'<details><summary>rules</summary><pre style="line-height: 1.3">{rules}</pre></details>'
    )
