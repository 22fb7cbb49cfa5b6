"""What one sync works on: the Deployment and its ReplicaSets as they were when it began.

Decisions read these snapshots; writes go to the store. A ReplicaSet scaled during a sync keeps
its old size here, as the real controller's cached copy does: the next sync sees the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wavetank import _core

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wavetank.controllers.base import Context, Object

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
ROLLBACK = "deprecated.deployment.rollback.to"
HASH_LABEL = "pod-template-hash"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
COMPONENT = "deployment-controller"
NO_LIMIT = 2**31 - 1


@dataclass
class ReplicaSet:
    """A ReplicaSet of the Deployment."""

    key: int
    object: Object

    @property
    def name(self) -> str:
        """Its name."""
        name: str = self.object["metadata"]["name"]
        return name

    @property
    def uid(self) -> str:
        """Its uid."""
        uid: str = self.object["metadata"]["uid"]
        return uid

    @property
    def replicas(self) -> int:
        """``spec.replicas``."""
        replicas: int = self.object["spec"].get("replicas", 1)
        return replicas

    @property
    def template(self) -> Object:
        """``spec.template``."""
        template: Object = self.object["spec"]["template"]
        return template

    @property
    def annotations(self) -> dict[str, str]:
        """Its annotations, to read."""
        annotations: dict[str, str] = self.object["metadata"].get("annotations") or {}
        return annotations

    @property
    def created(self) -> tuple[str, str]:
        """What orders ReplicaSets by age: creation time, then name."""
        return self.object["metadata"]["creationTimestamp"], self.name

    @property
    def is_deleting(self) -> bool:
        """Whether deletion has begun."""
        return "deletionTimestamp" in self.object["metadata"]

    def status(self, field: str) -> int:
        """Return a number of ``status``; 0 when absent."""
        number: int = (self.object.get("status") or {}).get(field) or 0
        return number

    @property
    def revision(self) -> int:
        """The revision annotation; 0 when absent or no number."""
        try:
            return int(self.annotations.get(REVISION, "0"))
        except ValueError:
            return 0


@dataclass
class Rollout:
    """A Deployment during one sync.

    Attributes
    ----------
    object
        The Deployment. Status and annotations are changed here and written once, at the end.
    """

    context: Context
    key: int
    object: Object
    replica_sets: list[ReplicaSet]

    @property
    def name(self) -> str:
        """The Deployment's name."""
        name: str = self.object["metadata"]["name"]
        return name

    @property
    def spec(self) -> Object:
        """``spec``."""
        spec: Object = self.object["spec"]
        return spec

    @property
    def status(self) -> Object:
        """``status``, to read and to change."""
        status: Object = self.object.setdefault("status", {})
        return status

    @property
    def replicas(self) -> int:
        """``spec.replicas``."""
        replicas: int = self.spec.get("replicas", 1)
        return replicas

    @property
    def annotations(self) -> dict[str, str]:
        """The Deployment's annotations, to read and to change."""
        annotations: dict[str, str] = self.object["metadata"].setdefault("annotations", {})
        return annotations

    @property
    def is_rolling(self) -> bool:
        """Whether the strategy is RollingUpdate."""
        strategy = self.spec.get("strategy", {}).get("type", "RollingUpdate")
        return bool(strategy == "RollingUpdate")

    @property
    def has_deadline(self) -> bool:
        """Whether progress is to be judged at all."""
        return bool(self.spec.get("progressDeadlineSeconds", NO_LIMIT) != NO_LIMIT)

    @property
    def max_surge(self) -> int:
        """Pods allowed above ``replicas``."""
        return self._fenceposts()[0] if self.is_rolling else 0

    @property
    def max_unavailable(self) -> int:
        """Pods allowed to be missing; at most ``replicas``."""
        if not self.is_rolling or self.replicas == 0:
            return 0
        return min(self._fenceposts()[1], self.replicas)

    def _fenceposts(self) -> tuple[int, int]:
        rolling = self.spec.get("strategy", {}).get("rollingUpdate") or {}
        surge = resolve(rolling.get("maxSurge", 0), self.replicas, up=True)
        unavailable = resolve(rolling.get("maxUnavailable", 0), self.replicas, up=False)
        if surge == 0 and unavailable == 0:
            unavailable = 1
        return surge, unavailable

    def event(self, event_type: str, reason: str, message: str) -> None:
        """Record an event about the Deployment."""
        self.context.event(self.key, event_type, reason, COMPONENT, message)

    def scale(
        self, target: ReplicaSet, size: int, *, force: bool = False
    ) -> tuple[bool, ReplicaSet]:
        """Set a ReplicaSet's size and its annotations about the Deployment's.

        Returns whether the size changed, and the ReplicaSet as written. Without ``force`` a
        ReplicaSet that has the size already is left alone, annotations and all.
        """
        if not force and target.replicas == size:
            return False, target
        wanted = {DESIRED: str(self.replicas), MAXIMUM: str(self.replicas + self.max_surge)}
        stale = any(target.annotations.get(key) != value for key, value in wanted.items())
        if target.replicas == size and not stale:
            return False, target
        changed = target.replicas != size
        written = self.write(target, {"replicas": size}, wanted)
        if changed:
            direction = "up" if target.replicas < size else "down"
            self.event(
                "Normal",
                "ScalingReplicaSet",
                f"Scaled {direction} replica set {target.name} from {target.replicas} to {size}",
            )
        return changed, written

    def write(self, target: ReplicaSet, spec: Object, annotations: dict[str, str]) -> ReplicaSet:
        """Write a ReplicaSet with these fields of its spec and these annotations changed."""
        metadata = dict(target.object["metadata"].items())
        metadata.pop("resourceVersion", None)
        metadata["annotations"] = {**target.annotations, **annotations}
        changed = {
            **target.object,
            "metadata": metadata,
            "spec": {**target.object["spec"], **spec},
        }
        written, _, _ = self.context.world.update(changed)
        return ReplicaSet(target.key, written)


def resolve(value: int | str, total: int, *, up: bool) -> int:
    """Resolve a number or a percentage of ``total``, rounding up or down."""
    if isinstance(value, int):
        return value
    share = int(value.rstrip("%")) * total / 100
    return math.ceil(share) if up else math.floor(share)


def active(replica_sets: Iterable[ReplicaSet | None]) -> list[ReplicaSet]:
    """Return those with pods to have."""
    return [rs for rs in replica_sets if rs is not None and rs.replicas > 0]


def total(replica_sets: Iterable[ReplicaSet | None]) -> int:
    """Sum ``spec.replicas``."""
    return sum(rs.replicas for rs in replica_sets if rs is not None)


def status_total(replica_sets: Iterable[ReplicaSet | None], field: str) -> int:
    """Sum a number of ``status``."""
    return sum(rs.status(field) for rs in replica_sets if rs is not None)


def same_template(first: Object, second: Object) -> bool:
    """Whether two pod templates mean the same, the hash label aside."""
    plain = [_without_hash(template) for template in (first, second)]
    return plain[0] == plain[1] or _core.same_template(*plain)


def _without_hash(template: Object) -> Object:
    labels: dict[str, Any] = template.get("metadata", {}).get("labels") or {}
    if HASH_LABEL not in labels:
        return template
    kept = {key: value for key, value in labels.items() if key != HASH_LABEL}
    return {**template, "metadata": {**template["metadata"], "labels": kept}}
