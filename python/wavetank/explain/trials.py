"""Trying changes: a fork has the change, and the real scheduler tries the pod there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from wavetank.errors import ApiError

from .change import Change, Object, made, patched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wavetank import _core
    from wavetank.cluster import Cluster

    from .facts import Facts

#: Pods in the same position that are tried with a change, one after the other.
PODS_TRIED = 50


@dataclass
class Case:
    """A pod in question, and what is known of it.

    Attributes
    ----------
    cluster
        The cluster, or a fork of it on which the pod was created.
    key
        The pod.
    pod
        The form it is judged in: what holds it back before it is scheduled is taken off.
    held
        Operations that took it off.
    others
        Keys of pods that are in the same position.
    facts
        What every node says.
    tries
        How often something was tried.
    """

    cluster: Cluster
    key: int
    pod: Object
    facts: Facts
    held: list[dict[str, Any]] = field(default_factory=list)
    others: Sequence[int] = ()
    tries: int = 0

    @property
    def target(self) -> str:
        """The pod as a target of patches."""
        return f"pod/{self.pod['metadata']['name']}"

    @property
    def namespace(self) -> str:
        """Where the pod is."""
        return str(self.pod["metadata"]["namespace"])

    @property
    def spec(self) -> Object:
        """What the pod asks for."""
        found: Object = self.pod["spec"]
        return found

    def node(self, at: int) -> Object:
        """Return a node by its place among the facts'."""
        kind = self.cluster.kind("nodes").id
        return self.cluster.world.get(kind, self.facts.nodes[at])

    def confirm(self, change: Change, branch: Cluster | None = None) -> Change | None:
        """Return the change with where the pod goes; ``None`` when no node takes it after all."""
        branch = made(self.cluster, change) if branch is None else branch
        if branch is None:
            return None
        self.tries += 1
        operations = self._operations(change)
        try:
            form = patched(self.pod, operations)
            (tried, *_) = branch.world.try_pods([(self.key, form)])
            if tried["node"] is None:
                return None
            more = self._others_let_in(branch.world, operations) if self.others else 0
        except (ApiError, KeyError, IndexError):
            return None
        return replace(
            change,
            node=tried["node"],
            evicts=tuple(tried["victims"]),
            lets_in=1 + more,
            pods=1 + len(self.others),
        )

    def _operations(self, change: Change) -> list[dict[str, Any]]:
        mine = (patch for patch in change.patches if patch.target == self.target)
        found = [operation for patch in mine for operation in patch.operations]
        # What holds the pod back is off the form already.
        return [operation for operation in found if operation not in self.held]

    def _others_let_in(self, world: _core.World, operations: list[dict[str, Any]]) -> int:
        """Return how many of the others go in after the pod itself."""
        keys = [self.key, *self.others[: PODS_TRIED - 1]]
        pods = world.get_many(keys)
        forms = [patched(pod, [*self.held, *operations]) for pod in pods]
        tried = world.try_pods(list(zip(keys, forms, strict=True)))
        return sum(one["node"] is not None for one in tried[1:])
