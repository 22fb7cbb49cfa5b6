"""Nodes by the reason they refuse a pod for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank.plan.rows import Rows

from . import steps, words
from .explanation import Group

if TYPE_CHECKING:
    from .facts import No
    from .trials import Case


def groups(case: Case) -> Rows[Group]:
    """Return the reasons, those that stand alone on most nodes first."""
    by_reason: dict[tuple[str, ...], list[tuple[int, No]]] = {}
    for verdict, noes in enumerate(case.facts.verdicts):
        for no in noes:
            for key in _keys(case, verdict, no):
                by_reason.setdefault(key, []).append((verdict, no))
    found = [_group(case, key, members) for key, members in by_reason.items()]
    return Rows(sorted(found, key=lambda group: (-group.alone, -group.nodes, group.why)))


def _keys(case: Case, verdict: int, no: No) -> list[tuple[str, ...]]:
    """Return what tells the reasons of a no apart from others."""
    if no.resources:
        pairs = zip(no.resources, no.reasons, strict=True)
        return [(no.plugin, reason, name) for name, reason in pairs]
    if no.plugin == "PodTopologySpread":
        return [(no.plugin, *no.reasons)]
    (at,) = steps.first(case, verdict)
    return [(no.plugin, *no.reasons, *words.why(case, at, no))]


def _group(case: Case, key: tuple[str, ...], members: list[tuple[int, No]]) -> Group:
    plugin, reason = key[:2]
    facts = case.facts
    single = [at for at, no in members if len(facts.verdicts[at]) == 1 and len(no.reasons) == 1]
    near = single or [at for at, _ in members]
    at, no = _nearest(case, near, dict(members), key)
    lines = [words.lack(facts, at, key[2])] if no.resources else words.why(case, at, no)
    return Group(
        nodes=int(facts.counts[[at for at, _ in members]].sum()),
        alone=int(facts.counts[single].sum()) if single else 0,
        plugin=plugin,
        reason=reason,
        why="; ".join(lines),
        node=facts.nodes[at],
    )


def _nearest(
    case: Case, verdicts: list[int], noes: dict[int, No], key: tuple[str, ...]
) -> tuple[int, No]:
    """Return the node that comes closest, and the no it gives."""
    facts = case.facts
    if noes[verdicts[0]].resources:
        nodes = facts.where(*verdicts)
        at = int(nodes[facts.supplies[key[2]].free[nodes].argmax()])
        return at, noes[int(facts.said[at])]
    plugin = key[0]
    (at, *_) = steps.nearest(case, verdicts[0], plugin) or steps.first(case, verdicts[0])
    return at, noes[verdicts[0]]
