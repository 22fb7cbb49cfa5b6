"""Having a volume in the zone of a node.

A volume stays where it is; to have it elsewhere means to make it anew there, from a snapshot say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.explain.change import Change, Object, Operation, Patch, escaped
from wavetank.explain.words import topology

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wavetank.explain.facts import No
    from wavetank.explain.trials import Case

_PLACES = (
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
)
_TERMS = "/spec/nodeAffinity/required/nodeSelectorTerms"


def fixes(case: Case, at: int, no: No) -> Iterator[Change]:  # noqa: ARG001 - one shape for all
    """Yield the pod's volumes as they would have to be for a node."""
    labels = case.node(at)["metadata"].get("labels") or {}
    changes = [one for one in (_moved(volume, labels) for volume in _volumes(case)) if one]
    if changes:
        found = changes[0]
        for change in changes[1:]:
            found = found.together(change)
        yield found


def _volumes(case: Case) -> Iterator[Object]:
    """Yield the volumes that the pod's claims are bound to."""
    name = case.pod["metadata"]["name"]
    for volume in case.spec.get("volumes") or []:
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if volume.get("ephemeral"):
            claim = f"{name}-{volume['name']}"
        found = claim and case.cluster.find("pvc", claim, namespace=case.namespace)
        bound = found and found["spec"].get("volumeName")
        volume_found = bound and case.cluster.find("pv", bound)
        if volume_found:
            yield volume_found


def _moved(volume: Object, labels: dict[str, str]) -> Change | None:
    """Return a volume made anew where a node with these labels can use it."""
    name = volume["metadata"]["name"]
    operations: list[Operation] = []
    moves: dict[str, tuple[str, str]] = {}
    for key in _PLACES:
        have = (volume["metadata"].get("labels") or {}).get(key)
        now = labels.get(key.replace("failure-domain.beta", "topology"))
        if have is not None and now is not None and now not in have.split("__"):
            path = f"/metadata/labels/{escaped(key)}"
            operations.append({"op": "replace", "path": path, "value": now})
            moves[key] = (have, now)
    in_place = not operations
    for path, condition in _conditions(volume):
        here = labels.get(condition["key"])
        if here is not None and here not in (condition.get("values") or []):
            operations.append({"op": "replace", "path": f"{path}/values", "value": [here]})
            moves[condition["key"]] = (",".join(condition.get("values") or []), here)
            in_place = True
    if not operations:
        return None
    words = [f"{topology(key)} {new}, not {old}" for key, (old, new) in moves.items()]
    old, new = next(iter(moves.values()))
    return Change(
        kind="volume",
        text=f"have volume {name} in {' and '.join(dict.fromkeys(words))}",
        target=f"pv/{name}",
        field="spec.nodeAffinity" if in_place else "metadata.labels",
        old=old,
        new=new,
        patches=(Patch(f"pv/{name}", "", operations, anew=in_place),),
        size=len(moves),
    )


def _conditions(volume: Object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the conditions on nodes of a volume that has one term of them, with their paths."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required") or {}
    terms = required.get("nodeSelectorTerms") or []
    if len(terms) != 1:
        return
    for place, one in enumerate(terms[0].get("matchExpressions") or []):
        if one["operator"] == "In":
            yield f"{_TERMS}/0/matchExpressions/{place}", one
