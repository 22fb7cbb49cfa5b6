"""Small clusters, and the truth of a suggestion found without the code that suggested it."""

from __future__ import annotations

import copy
from typing import Any

import wavetank as wt
from wavetank.explain import Change, Explanation

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
LIST = "requiredDuringSchedulingIgnoredDuringExecution"

Object = dict[str, Any]


def pod(
    name: str, *, cpu: Any = None, memory: Any = None, labels: Any = None, **spec: Any
) -> Object:
    """Return a pod of one container."""
    requests = {"cpu": cpu, "memory": memory}
    asked = {key: value for key, value in requests.items() if value is not None}
    box = {"name": "c", "image": "i", "resources": {"requests": asked}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"containers": [box], **spec},
    }


def cluster(*nodes: Object, **options: Any) -> wt.Cluster:
    """Return a cluster with pools of nodes."""
    made = wt.Cluster(**options)
    for node in nodes:
        made.add_nodes(**node)
    return made


def small(name: str = "n", count: int = 1, **more: Any) -> Object:
    """Return a pool of nodes of two cores."""
    return {"name": name, "cpu": "2", "memory": "4Gi", "count": count, **more}


def add(made: wt.Cluster, *pods: Object) -> wt.Cluster:
    """Create pods one after the other and let the scheduler place each."""
    for one in pods:
        made.create(one)
        made.run(until=0)
    return made


def ask(made: wt.Cluster, name: str, **options: Any) -> Explanation:
    """Explain a pod; check that the cluster is the same after, and every suggestion."""
    before = made.world.to_bytes()
    answer = made.explain(name, **options)
    assert made.world.to_bytes() == before
    for change in answer.changes:
        bound, evicted = outcome(made, answer, change)
        assert bound, f"{change.text}: the pod is not bound"
        assert evicted == set(change.evicts), change.text
    return answer


def kinds(answer: Explanation) -> list[str]:
    """Return the kinds of the changes, in order."""
    return [change.kind for change in answer.changes]


def one(answer: Explanation, kind: str) -> Change:
    """Return the first change of a kind."""
    return next(change for change in answer.changes if change.kind == kind)


def outcome(made: wt.Cluster, answer: Explanation, change: Change) -> tuple[bool, set[str]]:
    """Make a change on a fork through the API, run it, and say whether the pod is bound."""
    branch = made.fork()
    placed = _names(branch)
    for item in change.creates:
        branch.create(item)
    for patch in change.patches:
        _make(branch, patch)
    # Long enough for those whom no event wakes: all are tried again after five minutes.
    branch.run(until="6m")
    # Of equal pods another may take the room.
    pods = [branch.get("pod", name, namespace=answer.namespace) for name in answer.pods]
    return any(pod["spec"].get("nodeName") for pod in pods), placed - _names(branch)


def _names(branch: wt.Cluster) -> set[str]:
    return {
        f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in branch.get("pods")
    }


def _make(branch: wt.Cluster, patch: Any) -> None:
    kind, name = patch.target.split("/")
    namespace = patch.namespace or None
    if not patch.anew:
        branch.patch(kind, name, patch.operations, type="json", namespace=namespace)
        return
    item = copy.deepcopy(dict(branch.get(kind, name, namespace=namespace)))
    for operation in patch.operations:
        edit(item, operation)
    branch.delete(kind, name, namespace=namespace, grace_period_seconds=0)
    for field in ("uid", "resourceVersion", "creationTimestamp", "generation"):
        item["metadata"].pop(field, None)
    if kind == "pod":
        item.pop("status", None)
        if "priorityClassName" in item["spec"]:
            item["spec"].pop("priority", None)
    branch.create(item)


def edit(item: Any, operation: Object) -> None:
    """Do one operation of a JSON patch in place."""
    parts = operation["path"].strip("/").split("/")
    parts = [part.replace("~1", "/").replace("~0", "~") for part in parts]
    for part in parts[:-1]:
        item = item[int(part)] if isinstance(item, list) else item[part]
    last: Any = parts[-1]
    if isinstance(item, list) and last != "-":
        last = int(last)
    if operation["op"] == "remove":
        del item[last]
    elif last == "-":
        item.append(operation["value"])
    elif isinstance(item, list) and operation["op"] == "add":
        item.insert(last, operation["value"])
    else:
        item[last] = operation["value"]
