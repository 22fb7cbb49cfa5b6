"""A priority at which other pods would make room, the lowest that is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.explain.change import Change, Object, Operation, Patch
from wavetank.plan.pods import controller_of

if TYPE_CHECKING:
    from wavetank.explain.trials import Case

#: The highest priority a user's class may have.
_HIGHEST = 1_000_000_000


def change(case: Case) -> Change | None:
    """Return the change to the lowest priority at which the pod would go in."""
    mine = int(case.spec.get("priority") or 0)
    if case.spec.get("preemptionPolicy") == "Never":
        return None
    enough = _levels(case, mine)
    low, high = 0, len(enough)
    best: Change | None = None
    while low < high:
        middle = (low + high) // 2
        found = case.confirm(_raised(case, enough[middle], mine))
        if found is None:
            low = middle + 1
        else:
            best, high = found, middle
    return None if best is None or _evicts_its_own(case, best) else best


def _evicts_its_own(case: Case, change: Change) -> bool:
    """Whether pods of the pod's own workload would go, which would have its priority too."""
    mine = controller_of(case.pod)
    if mine is None:
        return False
    for name in change.evicts:
        namespace, _, pod = name.partition("/")
        found = case.cluster.find("pods", pod, namespace=namespace)
        theirs = controller_of(dict(found)) if found is not None else None
        if theirs is not None and theirs["uid"] == mine["uid"]:
            return True
    return False


def _levels(case: Case, mine: int) -> list[int]:
    """Return the priorities just above those of pods on nodes."""
    levels = [above + 1 for above in case.facts.priorities]
    return [level for level in levels if mine < level <= _HIGHEST]


def _raised(case: Case, level: int, mine: int) -> Change:
    """Return the change to a class of at least this priority, one that exists if it will do."""
    name, value, creates = _class(case, level)
    operations: list[Operation] = [
        {"op": "add", "path": "/spec/priorityClassName", "value": name},
        {"op": "add", "path": "/spec/priority", "value": value},
    ]
    made = f"a new class {name}" if creates else f"class {name}"
    return Change(
        kind="priority",
        text=f"a priority of {value:,} ({made}), not {mine:,}",
        target=case.target,
        field="spec.priorityClassName",
        old=case.spec.get("priorityClassName"),
        new=name,
        patches=(Patch(case.target, case.namespace, operations, anew=True),),
        creates=creates,
        size=value - mine,
    )


def _class(case: Case, level: int) -> tuple[str, int, tuple[Object, ...]]:
    """Return name and value of the class to use, and what has to be created for it."""
    classes: list[tuple[int, str]] = [
        (int(one["value"]), one["metadata"]["name"])
        for one in case.cluster.get("priorityclasses")
        if one.get("preemptionPolicy") != "Never"
    ]
    exact = [name for value, name in classes if value == level]
    if exact:
        return exact[0], level, ()
    manifest: dict[str, Any] = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": f"priority-{level}".replace("--", "-minus-")},
        "value": level,
    }
    return manifest["metadata"]["name"], level, (manifest,)
