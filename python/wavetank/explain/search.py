"""The smallest changes: which are worth trying, in which order, and when to stop.

A node that a single plugin refuses is one change away. Those nodes are asked for what would undo
the no, the nearest first; every answer is tried. Besides that, one more node and a higher
priority are tried. Only when no single change helps are nodes looked at that two plugins refuse.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice, product
from typing import TYPE_CHECKING

from . import steps
from .steps import machines, priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from wavetank.catalogue import Catalogue

    from .change import Change
    from .trials import Case

#: Verdicts looked at for the same plugins; the ones of most nodes first.
_VERDICTS = 64
#: Changes of one kind that are said.
_SAID = 3
#: Proposals of one kind that are tried.
_TRIED = 12
#: Answers to one no that are combined with answers to another.
_COMBINED = 2
#: Plugins whose noes one change undoes together.
_TOGETHER = ({"NodeUnschedulable", "TaintToleration"}, {"VolumeBinding", "VolumeZone"})


def changes(case: Case, catalogue: Catalogue | str | Path | None = None) -> list[Change]:
    """Return changes that let the pod in, the least intrusive and smallest first."""
    singles = list(_proposed(case))
    found = _confirmed(case, (one for one in singles if "+" not in one.kind))
    more = (machines.change(case, catalogue), priority.change(case))
    found += [change for change in more if change is not None]
    if not found:
        several = [one for one in singles if "+" in one.kind]
        found = _confirmed(case, [*several, *_pairs(case)])[:_SAID]
    return sorted(found, key=lambda change: change.order)


def _proposed(case: Case) -> Iterator[Change]:
    """Yield what may undo the noes of nodes that one plugin refuses."""
    for verdict in _ranked(case):
        noes = case.facts.verdicts[verdict]
        plugins = {no.plugin for no in noes}
        if len(plugins) > 1 and plugins not in _TOGETHER:
            continue
        for at in steps.nearest(case, verdict, noes[0].plugin):
            yield from steps.fixes(case, at, noes[-1])


def _ranked(case: Case) -> list[int]:
    """Return verdicts, those of few plugins first and then those of many nodes."""
    verdicts = range(len(case.facts.verdicts))
    counts = case.facts.counts
    plugins = [frozenset(no.plugin for no in noes) for noes in case.facts.verdicts]
    ranked = sorted(verdicts, key=lambda at: (len(plugins[at]), -counts[at]))
    seen: Counter[frozenset[str]] = Counter()
    chosen = []
    for at in ranked:
        seen[plugins[at]] += 1
        if seen[plugins[at]] <= _VERDICTS:
            chosen.append(at)
    return chosen


def _confirmed(case: Case, proposed: Iterable[Change]) -> list[Change]:
    """Return the proposals that the scheduler confirms, the smallest of each kind."""
    by_kind: dict[str, list[Change]] = {}
    seen = set()
    for change in sorted(proposed, key=lambda change: change.order):
        if change.text not in seen:
            seen.add(change.text)
            by_kind.setdefault(change.kind, []).append(change)
    found: list[Change] = []
    for ranked in by_kind.values():
        said: dict[str, Change] = {}
        for change in islice(ranked, _TRIED):
            # Of two amounts for one field the smaller says it all.
            field = change.field if change.kind in {"request", "spread"} else change.text
            if field not in said and len(said) < _SAID:
                confirmed = case.confirm(change)
                if confirmed is not None:
                    said[field] = confirmed
        found += said.values()
    return found


def _pairs(case: Case) -> Iterator[Change]:
    """Yield two changes that together undo the noes of nodes that two plugins refuse."""
    for verdict in _ranked(case):
        noes = case.facts.verdicts[verdict]
        if len({no.plugin for no in noes}) != 2:
            continue
        for at in dict.fromkeys(
            at for no in noes for at in steps.nearest(case, verdict, no.plugin)[:_COMBINED]
        ):
            ways = [list(islice(steps.fixes(case, at, no), _COMBINED)) for no in noes]
            for first, second in product(*ways):
                yield first.together(second)
