"""Bringing a branch of a cluster to rest, the way a planner means it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .expand import Expansion, expand, rules_for
from .volumes import provide

if TYPE_CHECKING:
    from wavetank.cluster import Cluster

#: Virtual time a plan waits at most for evictions, retries and rollouts that are under way.
PATIENCE = "10m"
#: Times that pods without a controller are made anew at most.
_ROUNDS = 8
#: Kinds whose status says how many of ``spec.replicas`` there are.
_COUNTED = (
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "replicationcontrollers",
)


@dataclass(frozen=True)
class Settled:
    """A branch at rest.

    Attributes
    ----------
    cluster
        The branch.
    expansion
        What was created in place of controllers that do not exist yet.
    virtual_s
        Virtual seconds that passed.
    """

    cluster: Cluster
    expansion: Expansion
    virtual_s: float


def settle(cluster: Cluster, *, progress: bool | None = None) -> Settled:
    """Return a branch on which everything that can be placed is placed.

    Nothing takes any time on it, so pods that declare how long they run are all there at once.
    Only if something is still under way after the first instant (pods making room for others,
    rollouts), virtual time passes, and pods may end meanwhile.
    """
    branch = cluster.fork()
    branch.latencies = "ideal"
    branch.world.set_event_policy("warnings")
    began = branch.now_ns
    expansion = expand(branch)
    expansion.volumes = provide(branch).made
    _come_to_rest(branch, progress)
    for _ in range(_ROUNDS):
        # Pods that made room for others come back, as their controllers would have them; and
        # pods with ephemeral volumes are there only now.
        again, provided = expand(branch), provide(branch)
        if not again.created and not provided.changed:
            break
        expansion.volumes += provided.made
        _come_to_rest(branch, progress)
    return Settled(branch, expansion, (branch.now_ns - began) / 1e9)


def _come_to_rest(branch: Cluster, progress: bool | None) -> None:
    branch.run(until=0, progress=progress)
    if _is_busy(branch):
        branch.run(until="settled", at_most=PATIENCE, progress=progress)


def _is_busy(branch: Cluster) -> bool:
    """Tell whether pods wait or are on their way, or a controller still owes replicas."""
    pods = branch.world.columns("pods")
    phases, words = pods["phase"]
    pending = words.index("Pending") if "Pending" in words else -2
    if bool((phases == pending).any()) or bool(pods["deleting"].any()):
        return True
    without = {rule.resource for rule in rules_for(branch)}
    counted = [resource for resource in _COUNTED if resource not in without]
    return any(_owes(item) for resource in counted for item in branch.get(resource))


def _owes(item: dict[str, Any]) -> bool:
    """Tell whether a workload's controller has not brought it to its replicas yet."""
    wanted, status = item["spec"].get("replicas"), item.get("status") or {}
    return bool(status.get("replicas", 0) != (1 if wanted is None else wanted))
