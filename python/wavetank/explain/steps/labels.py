"""Asking for other labels than before, and putting labels on a node.

Labels that say what a node is (its zone, its name, its architecture) are not put on it: no label
moves a machine to another zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.explain.change import Change, Object, Operation, Patch, escaped
from wavetank.explain.words import REQUIRED, expression, terms_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wavetank.explain.facts import No
    from wavetank.explain.trials import Case

_AFFINITY = "/spec/affinity/nodeAffinity"
_REQUIRED = f"{_AFFINITY}/{REQUIRED}"
_FACTS = ("kubernetes.io", "k8s.io")
#: Nodes of a verdict that are looked at: they differ in their labels.
_LOOKED_AT = 3


def nearest(case: Case, verdict: int) -> list[int]:
    """Return some nodes of a verdict."""
    return [int(at) for at in case.facts.where(verdict)[:_LOOKED_AT]]


def fixes(case: Case, at: int, no: No) -> Iterator[Change]:
    """Yield selectors that a node meets, and labels that meet the selectors."""
    if not no.detail:
        # The profile's own affinity: nothing of the pod's.
        return
    node = case.node(at)
    unmet = [
        case.facts.requirements[bit]
        for bit in range(len(case.facts.requirements))
        if no.detail >> bit & 1
    ]
    term = _closest(unmet, len(terms_of(case.spec)))
    wanted = [one for one in unmet if one.startswith("nodeSelector/") or _term(one) == term]
    if not _is_pinned(case, wanted):
        yield _selecting(case, node, wanted)
    labelled = _labelled(case, node, wanted)
    if labelled is not None:
        yield labelled


def _is_pinned(case: Case, wanted: list[str]) -> bool:
    """Whether a DaemonSet made the pod for one node, which is not the pod's to change."""
    owners = case.pod["metadata"].get("ownerReferences") or []
    by_daemon = any(owner["kind"] == "DaemonSet" for owner in owners)
    return by_daemon and any("/matchFields/" in one for one in wanted)


def _term(requirement: str) -> int:
    head = requirement.split("/", 1)[0]
    return int(head) if head.isdigit() else -1


def _closest(unmet: list[str], terms: int) -> int:
    """Return the term of which least is unmet; terms are alternatives."""
    counts = [len([one for one in unmet if _term(one) == term]) for term in range(terms)]
    fewest = min(counts, default=0)
    return counts.index(fewest) if fewest else -2


def _selecting(case: Case, node: Object, wanted: list[str]) -> Change:
    """Return the change of the pod's own selectors that a node meets."""
    labels = node["metadata"].get("labels") or {}
    operations: list[Operation] = []
    said: list[str] = []
    field, old, new = "", None, None
    expressions = [one for one in wanted if not one.startswith("nodeSelector/")]
    for one in wanted:
        if one.startswith("nodeSelector/"):
            key = one.partition("/")[2]
            path, value = f"/spec/nodeSelector/{escaped(key)}", case.spec["nodeSelector"][key]
            field, old, new = f"spec.nodeSelector.{key}", value, labels.get(key)
            if key in labels:
                operations.append({"op": "replace", "path": path, "value": labels[key]})
                said.append(f"select {key}={labels[key]}, not {value}")
            else:
                operations.append({"op": "remove", "path": path})
                said.append(f"do not select {key}={value}")
    if expressions:
        field = "spec.affinity.nodeAffinity"
        old = expressions
        operations += _relaxed(case, labels, expressions, said)
    return Change(
        kind="selector",
        text=" and ".join(said),
        target=case.target,
        field=field,
        old=old,
        new=new,
        patches=(Patch(case.target, case.namespace, operations, anew=True),),
        size=len(wanted),
    )


def _relaxed(
    case: Case, labels: dict[str, str], wanted: list[str], said: list[str]
) -> Iterator[Operation]:
    """Yield operations on one term of node affinity, last expression first."""
    terms = terms_of(case.spec)
    number = _term(wanted[0])
    term = terms[number]
    left = {which: len(term.get(which) or []) for which in ("matchExpressions", "matchFields")}
    operations: list[Operation] = []
    for one in sorted(wanted, key=_place, reverse=True):
        which, place = one.split("/")[1], _place(one)
        condition = term[which][place]
        path = f"{_REQUIRED}/nodeSelectorTerms/{number}/{which}/{place}"
        here = labels.get(condition["key"])
        if condition["operator"] == "In" and which == "matchExpressions" and here is not None:
            operations.append({"op": "add", "path": f"{path}/values/-", "value": here})
            said.append(f"let {condition['key']} also be {here}")
        else:
            operations.append({"op": "remove", "path": path})
            left[which] -= 1
            said.append(f"do not ask for {expression(condition)}")
    if not any(left.values()):
        # A term without conditions selects no node, and an alternative that selects every node
        # makes the others idle.
        operations = [{"op": "remove", "path": _REQUIRED}]
        if len(terms) > 1:
            said[:] = ["do not require any node affinity"]
    yield from operations


def _place(requirement: str) -> int:
    return int(requirement.rsplit("/", 1)[-1])


def _labelled(case: Case, node: Object, wanted: list[str]) -> Change | None:
    """Return the labels that make a node meet the selectors; ``None`` when none would."""
    name, have = node["metadata"]["name"], node["metadata"].get("labels") or {}
    found = labels_for(case.spec, wanted)
    if found is None or any(_is_fact(key) for key in found):
        return None
    operations: list[Operation] = []
    if "labels" not in node["metadata"]:
        operations.append({"op": "add", "path": "/metadata/labels", "value": {}})
    for key, value in found.items():
        path = f"/metadata/labels/{escaped(key)}"
        if value is None:
            operations.append({"op": "remove", "path": path})
        else:
            operations.append({"op": "add", "path": path, "value": value})
    words = " ".join(
        f"{key}-" if value is None else f"{key}={value}" for key, value in found.items()
    )
    return Change(
        kind="node-label",
        text=f"label node {name} {words}",
        target=f"node/{name}",
        field="metadata.labels",
        old={key: have.get(key) for key in found},
        new=found,
        patches=(Patch(f"node/{name}", "", operations),),
        size=len(found),
    )


def labels_for(spec: Object, wanted: list[str]) -> dict[str, Any] | None:
    """Return labels that meet requirements, ``None`` as a value for none; ``None`` if none do."""
    found: dict[str, Any] = {}
    for one in wanted:
        if one.startswith("nodeSelector/"):
            key = one.partition("/")[2]
            found[key] = spec["nodeSelector"][key]
            continue
        number, which, place = one.split("/")
        condition = terms_of(spec)[int(number)][which][int(place)]
        values = {"In": (condition.get("values") or [None])[0], "Exists": "", "DoesNotExist": None}
        if which == "matchFields" or condition["operator"] not in values:
            return None
        found[condition["key"]] = values[condition["operator"]]
    return found


def _is_fact(key: str) -> bool:
    domain = key.partition("/")[0] if "/" in key else ""
    return domain.endswith(_FACTS) and not domain.startswith("node-role.")
