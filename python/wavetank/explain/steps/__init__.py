"""What could be changed, one module per subject.

A module that answers a plugin's no has two functions: ``nearest(case, verdict)``, the nodes of a
verdict that come closest, and ``fixes(case, at, no)``, changes that would undo the no on the node
at a place. What they propose is only said once :meth:`wavetank.explain.trials.Case.confirm` has
tried it. :mod:`.machines` and :mod:`.priority` answer no plugin: they ask for another node, and
for other pods' room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import labels, neighbours, ports, requests, spread, taints, volumes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wavetank.explain.change import Change
    from wavetank.explain.facts import No
    from wavetank.explain.trials import Case

    Fixes = Callable[[Case, int, No], Iterator[Change]]
    Nearest = Callable[[Case, int], list[int]]

#: The module that answers each plugin.
_BY_PLUGIN: dict[str, Any] = {
    "NodeUnschedulable": taints,
    "TaintToleration": taints,
    "NodeAffinity": labels,
    "NodePorts": ports,
    "NodeResourcesFit": requests,
    "VolumeBinding": volumes,
    "VolumeZone": volumes,
    "PodTopologySpread": spread,
    "InterPodAffinity": neighbours,
}


def nearest(case: Case, verdict: int, plugin: str) -> list[int]:
    """Return the nodes of a verdict that come closest to passing a plugin."""
    module = _BY_PLUGIN.get(plugin)
    find: Nearest = getattr(module, "nearest", first)
    return find(case, verdict)


def first(case: Case, verdict: int) -> list[int]:
    """Return the first node of a verdict."""
    return [int(at) for at in case.facts.where(verdict)[:1]]


def fixes(case: Case, at: int, no: No) -> Iterator[Change]:
    """Yield changes that would undo a no on the node at a place."""
    module = _BY_PLUGIN.get(no.plugin)
    if module is not None:
        yield from module.fixes(case, at, no)
