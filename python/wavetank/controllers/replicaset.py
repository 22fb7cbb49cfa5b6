"""The ReplicaSet controller: as many pods as asked for, no more.

Reference: controllers, section 2. Pods are counted by the store as they change, so a sync costs
what it creates or deletes, not the size of the set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wavetank import _core

from .base import DONE, FAILED, Answer, Context, Controller, Object, Watch, after
from .ranking import rank_for_deletion

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Pods created or deleted in one sync, at most.
BURST = 500
_SECOND = 1_000_000_000


class ReplicaSetController(Controller):
    """Creates and deletes pods so that each ReplicaSet has ``spec.replicas`` of them."""

    name = "replicaset-controller"
    resource = "replicasets.apps"

    def watches(self) -> Sequence[Watch]:
        """Watch ReplicaSets themselves and the pods they control or may adopt."""
        return (Watch(self.resource), Watch("pods", owner=self.resource))

    def sync_batch(self, context: Context, keys: Sequence[int]) -> list[Answer]:
        """Sync many ReplicaSets, reading and claiming for all of them first."""
        pods = context.kind("pods")
        for key in keys:
            context.world.claim(key, pods)
        counts = context.world.pod_counts(list(keys))
        objects = context.world.get_many(list(keys))
        rows = zip(keys, objects, counts.tolist(), strict=True)
        return [self._attempt(context, key, rs, row) for key, rs, row in rows]

    def sync(self, context: Context, key: int) -> Answer | None:
        """Sync one ReplicaSet."""
        return self.sync_batch(context, [key])[0]

    def _attempt(self, context: Context, key: int, rs: Object | None, row: list[int]) -> Answer:
        if rs is None:
            return DONE
        try:
            return self._sync(context, key, rs, row)
        except _core.ApiError:
            return FAILED

    def _sync(self, context: Context, key: int, rs: Object, row: list[int]) -> Answer:
        active, _ready, _terminating, *_ = row
        failure: str | None = None
        if "deletionTimestamp" not in rs["metadata"]:
            failure = self._manage(context, key, rs, active)
        status, wait_ns = self._status(context, key, rs, row, failure)
        if status != rs.get("status"):
            context.world.set_status(key, status)
        if failure is not None:
            return FAILED
        return after(wait_ns) if wait_ns is not None else DONE

    def _manage(self, context: Context, key: int, rs: Object, active: int) -> str | None:
        """Create or delete pods; the text of the first error, if any."""
        missing = rs["spec"].get("replicas", 1) - active
        if missing > 0:
            return self._create(context, key, min(missing, BURST))
        if missing < 0:
            return self._delete(context, key, min(-missing, BURST))
        return None

    def _create(self, context: Context, key: int, count: int) -> str | None:
        try:
            created = context.world.create_from_template(key, count)
        except _core.ForbiddenError as error:
            if _namespace_terminates(error):
                return None
            return self._creation_failed(context, key, error)
        except _core.ApiError as error:
            return self._creation_failed(context, key, error)
        context.world.record_events(
            key, "SuccessfulCreate", self.name, "Created pod: ", created.tolist()
        )
        return None

    def _creation_failed(self, context: Context, key: int, error: Exception) -> str:
        message = f"Error creating: {error}"
        context.event(key, "Warning", "FailedCreate", self.name, message)
        return str(error)

    def _delete(self, context: Context, key: int, count: int) -> str | None:
        ranked = rank_for_deletion(context, key)
        doomed = np.asarray(ranked[:count], dtype=np.int64)
        context.world.record_events(
            key, "SuccessfulDelete", self.name, "Deleted pod: ", doomed.tolist()
        )
        context.world.delete_many(doomed)
        return None

    def _status(
        self, context: Context, key: int, rs: Object, row: list[int], failure: str | None
    ) -> tuple[Object, int | None]:
        """Return the status, and how long until a ready pod becomes available."""
        active, ready, terminating, *_ = row
        available, wait_ns = ready, None
        min_ready = rs["spec"].get("minReadySeconds", 0)
        if min_ready and ready:
            available, wait_ns = self._available(context, key, min_ready)
        old: Object = rs.get("status") or {}
        status: Object = {
            "replicas": active,
            "fullyLabeledReplicas": active,
            "readyReplicas": ready,
            "availableReplicas": available,
            "observedGeneration": rs["metadata"]["generation"],
            "terminatingReplicas": terminating,
        }
        for name in ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"):
            if not status[name]:
                del status[name]
        conditions = self._conditions(context, rs, old, active, failure)
        if conditions:
            status["conditions"] = conditions
        return status, wait_ns

    def _available(self, context: Context, key: int, min_ready: int) -> tuple[int, int | None]:
        """Count the pods that have been ready long enough; and when the next one will be."""
        pods = context.world.controlled_pods(key)
        ready = pods["ready"] & ~pods["deleting"] & ~pods["terminal"]
        since = pods["ready_since"][ready].astype(np.int64) // _SECOND * _SECOND
        age = context.now_ns - since
        enough = age >= min_ready * _SECOND
        waiting = age[~enough]
        wait = int(min_ready * _SECOND - waiting.max()) if waiting.size else None
        return int(enough.sum()), wait

    def _conditions(
        self, context: Context, rs: Object, old: Object, active: int, failure: str | None
    ) -> list[Any]:
        conditions = list(old.get("conditions") or [])
        failing = any(condition["type"] == "ReplicaFailure" for condition in conditions)
        if failure is not None and not failing:
            missing = active < rs["spec"].get("replicas", 1)
            conditions.append(
                {
                    "type": "ReplicaFailure",
                    "status": "True",
                    "lastTransitionTime": context.timestamp,
                    "reason": "FailedCreate" if missing else "FailedDelete",
                    "message": failure,
                }
            )
        elif failure is None and failing:
            conditions = [c for c in conditions if c["type"] != "ReplicaFailure"]
        return conditions


def _namespace_terminates(error: _core.ForbiddenError) -> bool:
    causes = error.status.get("details", {}).get("causes", [])
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
