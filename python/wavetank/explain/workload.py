"""The same change where people make it: in the template of the workload that made the pod."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wavetank.errors import ApiError
from wavetank.plan.pods import controller_of

from .change import Patch

if TYPE_CHECKING:
    from .change import Change, Object, Operation
    from .trials import Case

#: Where each kind keeps its template.
_TEMPLATES = {
    "deployment": "/spec/template",
    "replicaset": "/spec/template",
    "statefulset": "/spec/template",
    "daemonset": "/spec/template",
    "replicationcontroller": "/spec/template",
    "cronjob": "/spec/jobTemplate/spec/template",
}


def with_workload(case: Case, change: Change, owner: str) -> Change:
    """Return the change with the patch of the owner's template, if the API would take it."""
    base = _TEMPLATES.get(owner.partition("/")[0])
    mine = [patch for patch in change.patches if patch.target == case.target]
    if base is None or not mine or controller_of(case.pod) is None:
        return change
    item = case.cluster.find(owner, namespace=case.namespace)
    if item is None:
        return change
    operations = [
        moved
        for patch in mine
        for operation in patch.operations
        for moved in _moved(dict(item), base, operation)
    ]
    patch = Patch(owner, case.namespace, operations)
    branch = case.cluster.fork()
    try:
        for created in change.creates:
            branch.create(created)
        branch.patch(owner, None, operations, type="json", namespace=case.namespace)
    except ApiError:
        return change
    return replace(change, workload=patch)


def _moved(item: Object, base: str, operation: Operation) -> list[Operation]:
    """Return an operation on a pod as one on a template, which admission has added nothing to."""
    path = operation["path"]
    if path == "/spec/priority":
        # The class says it.
        return []
    spec = item
    for part in f"{base}/spec".strip("/").split("/"):
        spec = spec[part]
    if path == "/spec/tolerations/-" and not spec.get("tolerations"):
        return [{"op": "add", "path": f"{base}/spec/tolerations", "value": [operation["value"]]}]
    return [{**operation, "path": base + path}]
