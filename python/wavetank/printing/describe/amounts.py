"""What a pod requests and may use: its containers summed up as the scheduler does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank._core import Quantity
from wavetank.printing.objects import Object, dig

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Amounts by resource.
Amounts = dict[str, Quantity]

ZERO = Quantity("0")
#: Resources that a pod as a whole may ask for.
_POD_LEVEL = ("cpu", "memory", "hugepages-")


def requests(pod: Object, *, reported: bool = False) -> Amounts:
    """Return what a pod requests, with its overhead.

    ``reported`` counts what its containers have, where that is more than they ask for.
    """
    total = _summed(pod, "requests", reported)
    _override(total, pod, "requests")
    return add(total, _read(dig(pod, "spec", "overhead")))


def limits(pod: Object, *, reported: bool = False) -> Amounts:
    """Return what a pod may use; overhead counts where there is a limit."""
    total = _summed(pod, "limits", reported)
    _override(total, pod, "limits")
    overhead = _read(dig(pod, "spec", "overhead"))
    return {
        name: amount + overhead[name] if amount and name in overhead else amount
        for name, amount in total.items()
    }


def total_of(every: Iterable[Amounts]) -> Amounts:
    """Return the sum of amounts."""
    total: Amounts = {}
    for amounts in every:
        total = add(total, amounts)
    return total


def add(first: Amounts, second: Amounts) -> Amounts:
    """Return the sum of two sets of amounts."""
    total = dict(first)
    for name, amount in second.items():
        total[name] = total[name] + amount if name in total else amount
    return total


def _summed(pod: Object, field: str, reported: bool) -> Amounts:
    """Containers together, or the init container that needs more with the sidecars before it."""
    states = _states(pod) if reported else {}
    total: Amounts = {}
    for container in dig(pod, "spec", "containers", default=()):
        total = add(total, _of(container, field, states))
    sidecars: Amounts = {}
    most: Amounts = {}
    for container in dig(pod, "spec", "initContainers", default=()):
        if container.get("restartPolicy") == "Always":
            own = _of(container, field, states)
            total, sidecars = add(total, own), add(sidecars, own)
            needed = sidecars
        else:
            needed = add(_of(container, field, {}), sidecars)
        most = _larger(most, needed)
    return _larger(total, most)


def _of(container: Object, field: str, states: Mapping[str, Object]) -> Amounts:
    amounts = _read(dig(container, "resources", field))
    state = states.get(str(container.get("name")))
    if state is not None and state.get("resources") is not None:
        amounts = _larger(amounts, _read(dig(state, "resources", field)))
        if field == "requests":
            amounts = _larger(amounts, _read(state.get("allocatedResources")))
    return amounts


def _states(pod: Object) -> dict[str, Object]:
    status = dig(pod, "status", default={})
    fields = ("containerStatuses", "initContainerStatuses")
    return {state["name"]: state for field in fields for state in status.get(field) or ()}


def _override(total: Amounts, pod: Object, field: str) -> None:
    for name, amount in _read(dig(pod, "spec", "resources", field)).items():
        if name.startswith(_POD_LEVEL):
            total[name] = amount


def _larger(first: Amounts, second: Amounts) -> Amounts:
    larger = dict(first)
    for name, amount in second.items():
        if name not in larger or larger[name] < amount:
            larger[name] = amount
    return larger


def _read(amounts: Mapping[str, Any] | None) -> Amounts:
    return {name: Quantity(amount) for name, amount in (amounts or {}).items()}
