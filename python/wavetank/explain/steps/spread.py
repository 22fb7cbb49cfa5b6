"""Relaxing a spread constraint: the smallest maxSkew that holds, or ScheduleAnyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wavetank.explain.change import Change, Patch
from wavetank.explain.words import topology

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wavetank.explain.facts import No
    from wavetank.explain.trials import Case

_MISSING = 2**40


def nearest(case: Case, verdict: int) -> list[int]:
    """Return, for each constraint alone and for all, the node where least is to be relaxed."""
    nodes = case.facts.where(verdict)
    if not nodes.size or not case.facts.skews:
        return []
    excess = np.stack([_excess(skew.skews[nodes], skew.most) for skew in case.facts.skews])
    found = [int(nodes[excess.sum(axis=0).argmin()])]
    for at in range(len(excess)):
        others = np.delete(excess, at, axis=0).sum(axis=0) == 0
        if others.any():
            candidates = nodes[others]
            found.append(int(candidates[excess[at][others].argmin()]))
    return list(dict.fromkeys(found))


def _excess(skews: np.ndarray, most: int) -> np.ndarray:
    return np.where(skews < 0, _MISSING, np.clip(skews - most, 0, None))


def fixes(case: Case, at: int, no: No) -> Iterator[Change]:  # noqa: ARG001 - one shape for all
    """Yield the constraints relaxed just enough for a node, and made soft."""
    hard = _hard(case)
    if len(hard) != len(case.facts.skews):
        # The profile's own constraints: nothing of the pod's.
        return
    violated = [
        (place, skew)
        for place, skew in zip(hard, case.facts.skews, strict=True)
        if not 0 <= skew.skews[at] <= skew.most
    ]
    if not violated:
        return
    if all(skew.skews[at] >= 0 for _, skew in violated):
        changes = [_raised(case, place, int(skew.skews[at])) for place, skew in violated]
        yield _all(changes)
    yield _all([_softened(case, place) for place, _ in violated])


def _all(changes: list[Change]) -> Change:
    found = changes[0]
    for change in changes[1:]:
        found = found.together(change)
    return found


def _hard(case: Case) -> list[int]:
    """Return the places of the pod's hard constraints."""
    constraints = case.spec.get("topologySpreadConstraints") or []
    return [
        at for at, one in enumerate(constraints) if one.get("whenUnsatisfiable") == "DoNotSchedule"
    ]


def _raised(case: Case, place: int, most: int) -> Change:
    one = case.spec["topologySpreadConstraints"][place]
    return _changed(
        case,
        place,
        "maxSkew",
        most,
        f"allow a skew of {most} by {topology(one['topologyKey'])}, not {one['maxSkew']}",
        most - one["maxSkew"],
    )


def _softened(case: Case, place: int) -> Change:
    key = topology(case.spec["topologySpreadConstraints"][place]["topologyKey"])
    text = f"spread by {key} if possible, not by all means: ScheduleAnyway"
    # After any maxSkew: the rule is gone.
    return _changed(case, place, "whenUnsatisfiable", "ScheduleAnyway", text, _MISSING)


def _changed(case: Case, place: int, field: str, value: object, text: str, size: float) -> Change:
    one = case.spec["topologySpreadConstraints"][place]
    path = f"/spec/topologySpreadConstraints/{place}"
    operations = [{"op": "replace", "path": f"{path}/{field}", "value": value}]
    if field == "whenUnsatisfiable" and "minDomains" in one:
        # Only a hard constraint may have it.
        operations.append({"op": "remove", "path": f"{path}/minDomains"})
    return Change(
        kind="spread",
        text=text,
        target=case.target,
        field=f"spec.topologySpreadConstraints[{place}].{field}",
        old=one[field],
        new=value,
        patches=(Patch(case.target, case.namespace, operations, anew=True),),
        size=size,
    )
