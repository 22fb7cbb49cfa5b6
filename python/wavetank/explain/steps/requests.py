"""Asking for less: the largest request that fits, in figures a person would write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wavetank._core import quantity_milli_value, quantity_value
from wavetank.amounts import cpu
from wavetank.explain.change import Change, Object, Operation, Patch, escaped
from wavetank.explain.words import exact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wavetank.explain.facts import No
    from wavetank.explain.trials import Case

#: Resources whose limits need not equal the requests.
_FREE = {"cpu", "memory", "ephemeral-storage"}


def nearest(case: Case, verdict: int) -> list[int]:
    """Return the node where the smallest share of the requests is too much."""
    nodes = case.facts.where(verdict)
    names = case.facts.no(verdict, "NodeResourcesFit").resources
    if "pods" in names or not nodes.size:
        return []
    share = np.zeros(nodes.size)
    for name in names:
        supply = case.facts.supplies[name]
        share += np.clip(supply.asked - supply.free[nodes], 0, supply.asked) / supply.asked
    return [int(nodes[share.argmin()])]


def fixes(case: Case, at: int, no: No) -> Iterator[Change]:
    """Yield the one change that leaves no more asked for than the node has."""
    if "pods" in no.resources:
        return
    found: Change | None = None
    for name in no.resources:
        supply = case.facts.supplies[name]
        room = rounded(name, min(max(0, int(supply.free[at])), supply.asked))
        change = lowered(case, name, supply.asked, room)
        if change is None:
            return
        found = change if found is None else found.together(change)
    if found is not None:
        yield found


def rounded(resource: str, amount: int) -> int:
    """Return the largest amount up to this one that a person would write."""
    if resource.startswith("hugepages-"):
        page = quantity_value(resource.removeprefix("hugepages-"))
        return amount // page * page
    if resource in {"memory", "ephemeral-storage"}:
        for unit in (2**20, 2**10):
            if amount >= unit:
                return amount // unit * unit
    return amount


def lowered(case: Case, resource: str, asked: int, room: int) -> Change | None:
    """Return the change of a pod that then asks for so much in all."""
    spec = case.spec
    left = room - _amount(resource, (spec.get("overhead") or {}).get(resource))
    if left < 0:
        return None
    cuts = _cuts(spec, resource, left)
    operations = [
        operation
        for place, old, new in cuts
        for operation in _operations(spec, place, resource, old, new)
    ]
    if not operations:
        return None
    path, before, after = cuts[0]
    less = exact(resource, asked - room)
    want = "no" if room == 0 else f"{less} less"
    now = f"{exact(resource, room)} instead of {exact(resource, asked)}"
    return Change(
        kind="request",
        text=f"ask for {want} {resource}: {now}",
        target=case.target,
        field=".".join(_readable(path)) + f".resources.requests.{resource}",
        old=exact(resource, before),
        new=exact(resource, after),
        patches=(Patch(case.target, case.namespace, operations, anew=True),),
        size=(asked - room) / asked,
    )


Place = tuple[str, ...]


def _cuts(spec: Object, resource: str, left: int) -> list[tuple[Place, int, int]]:
    """Return where how much is asked for now, and how much then, so that it is ``left`` in all."""
    if resource in ((spec.get("resources") or {}).get("requests") or {}):
        return [((), _asked(spec, resource), left)]
    place: Place
    app: list[tuple[Place, int]] = []
    peaks: list[tuple[Place, int, int]] = []
    sidecars = 0
    for at, container in enumerate(spec.get("initContainers") or []):
        amount, place = _asked(container, resource), ("initContainers", str(at))
        if container.get("restartPolicy") == "Always":
            app.append((place, amount))
            sidecars += amount
        else:
            peaks.append((place, amount, sidecars))
    main = enumerate(spec.get("containers") or [])
    app += [(("containers", str(at)), _asked(one, resource)) for at, one in main]
    over = sum(amount for _, amount in app) - left
    found: list[tuple[Place, int, int]] = []
    for place, amount in sorted(app, key=lambda one: -one[1]):
        if over > 0 and amount > 0:
            cut = min(over, amount)
            found.append((place, amount, amount - cut))
            over -= cut
    less = {place: before - after for place, before, after in found}
    for place, amount, beside in peaks:
        # Sidecars that ask for less leave more to the init containers after them.
        kept = beside - sum(
            cut
            for (kind, number), cut in less.items()
            if kind == "initContainers" and int(number) < int(place[1])
        )
        if amount + kept > left:
            found.append((place, amount, max(0, left - kept)))
    return found


def _asked(container: Object, resource: str) -> int:
    return _amount(
        resource, ((container.get("resources") or {}).get("requests") or {}).get(resource)
    )


def _amount(resource: str, quantity: Any) -> int:
    if quantity is None:
        return 0
    return quantity_milli_value(quantity) if resource == "cpu" else quantity_value(quantity)


def _operations(
    spec: Object, place: Place, resource: str, old: int, new: int
) -> Iterator[Operation]:
    if old == new:
        return
    holder: Any = spec
    for part in place:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    base = "/".join(["", "spec", *place, "resources"])
    value = cpu(new) if resource == "cpu" else exact(resource, new)
    yield _replace(f"{base}/requests/{escaped(resource)}", value)
    limits = holder["resources"].get("limits") or {}
    if resource not in _FREE and resource in limits:
        yield _replace(f"{base}/limits/{escaped(resource)}", value)


def _replace(path: str, value: Any) -> Operation:
    return {"op": "replace", "path": path, "value": value}


def _readable(place: Place) -> list[str]:
    return ["spec", f"{place[0]}[{place[1]}]"] if place else ["spec"]
