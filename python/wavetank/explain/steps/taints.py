"""Tolerating a taint, taking it off, and uncordoning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.explain.change import Change, Operation, Patch
from wavetank.explain.words import taint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wavetank.explain.facts import No
    from wavetank.explain.trials import Case

#: Taints that say how a node is; they come and go with that, and tolerating them helps nobody.
CONDITIONS = "node.kubernetes.io/"
_CORDON = "node.kubernetes.io/unschedulable"


def fixes(case: Case, at: int, no: No) -> Iterator[Change]:
    """Yield tolerations and the node's own changes that undo a no."""
    node = case.node(at)
    if no.plugin == "NodeUnschedulable":
        yield uncordoned(node)
        return
    cordon = [one for one in no.taints if one[0] == _CORDON]
    own = [one for one in no.taints if not one[0].startswith(CONDITIONS)]
    if cordon and not own:
        yield uncordoned(node)
    if len(own) < len(no.taints):
        return
    yield tolerating(case, own)
    yield untainted(node, own)


def tolerating(case: Case, taints: list[tuple[str, str, str]]) -> Change:
    """Return the change that makes the pod tolerate some taints."""
    added = [_toleration(*one) for one in taints]
    operations: list[Operation]
    if case.spec.get("tolerations"):
        operations = [{"op": "add", "path": "/spec/tolerations/-", "value": one} for one in added]
    else:
        operations = [{"op": "add", "path": "/spec/tolerations", "value": added}]
    return Change(
        kind="toleration",
        text=f"tolerate {' and '.join(taint(one) for one in taints)}",
        target=case.target,
        field="spec.tolerations",
        new=added[0] if len(added) == 1 else added,
        patches=(Patch(case.target, case.namespace, operations, anew=True),),
        size=len(added),
    )


def _toleration(key: str, value: str, effect: str) -> dict[str, Any]:
    if value:
        return {"key": key, "operator": "Equal", "value": value, "effect": effect}
    return {"key": key, "operator": "Exists", "effect": effect}


def untainted(node: dict[str, Any], taints: list[tuple[str, str, str]]) -> Change:
    """Return the change that takes taints off a node."""
    name = node["metadata"]["name"]
    words = " and ".join(taint(one) for one in taints)
    return Change(
        kind="taint",
        text=f"take {words} off node {name}",
        target=f"node/{name}",
        field="spec.taints",
        old=words,
        patches=(Patch(f"node/{name}", "", _removals(node, {one[0] for one in taints})),),
        size=len(taints),
    )


def uncordoned(node: dict[str, Any]) -> Change:
    """Return the change that makes a node schedulable again."""
    name = node["metadata"]["name"]
    operations = _removals(node, {_CORDON})
    if node["spec"].get("unschedulable"):
        operations.append({"op": "remove", "path": "/spec/unschedulable"})
    return Change(
        kind="uncordon",
        text=f"uncordon node {name}",
        target=f"node/{name}",
        field="spec.unschedulable",
        old=True,
        patches=(Patch(f"node/{name}", "", operations),),
        size=1,
    )


def _removals(node: dict[str, Any], keys: set[str]) -> list[Operation]:
    """Return operations that remove taints by key, the last first."""
    taints = list(enumerate(node["spec"].get("taints") or []))
    return [
        {"op": "remove", "path": f"/spec/taints/{at}"}
        for at, one in reversed(taints)
        if one["key"] in keys and one["effect"] != "PreferNoSchedule"
    ]
