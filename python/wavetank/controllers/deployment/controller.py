"""The order of a Deployment's sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank.controllers.base import DONE, Answer, Context, Controller, Object, Watch

from . import rollback, status
from .model import COMPONENT, ReplicaSet, Rollout
from .revisions import clean_up, sync_revision
from .rollout import recreate, roll
from .scaling import is_scaling_event, scale

if TYPE_CHECKING:
    from collections.abc import Sequence


class DeploymentController(Controller):
    """Rolls each Deployment's ReplicaSets towards its template and its size."""

    name = COMPONENT
    resource = "deployments.apps"

    def watches(self) -> Sequence[Watch]:
        """Watch Deployments and their ReplicaSets, whose status tells of every pod."""
        return (Watch(self.resource), Watch("replicasets.apps", owner=self.resource))

    def sync(self, context: Context, key: int) -> Answer | None:
        """Bring one Deployment a step forward."""
        deployment = context.world.get_many([key])[0]
        if deployment is None:
            return DONE
        if _selects_everything(deployment):
            return _refuse_to_select_all(context, key, deployment)
        kind = context.kind("replicasets.apps")
        context.world.claim(key, kind)
        controlled = context.world.controlled(key, kind)
        sets = [ReplicaSet(own, rs) for own, rs in controlled]
        rollout = Rollout(context, key, deployment, sets)
        before = (dict(rollout.status), dict(rollout.annotations))
        answer = _step(rollout)
        _write_back(rollout, *before)
        return answer


def _step(rollout: Rollout) -> Answer:
    metadata = rollout.object["metadata"]
    if "deletionTimestamp" in metadata:
        new, old = sync_revision(rollout, create=False)
        return status.sync_plain(rollout, [*old, new], new)
    status.check_paused(rollout)
    if rollout.spec.get("paused"):
        return _resize(rollout)
    if rollback.is_asked_for(rollout):
        rollback.roll_back(rollout)
        return DONE
    new, old = sync_revision(rollout, create=False)
    if is_scaling_event(rollout, [*old, new]):
        return _resize(rollout)
    return roll(rollout) if rollout.is_rolling else recreate(rollout)


def _resize(rollout: Rollout) -> Answer:
    """Scale without rolling on: after a change of size, or while paused."""
    new, old = sync_revision(rollout, create=False)
    scale(rollout, new, old)
    if rollout.spec.get("paused") and not rollback.is_asked_for(rollout):
        clean_up(rollout, old)
    return status.sync_plain(rollout, [*old, new], new)


def _write_back(rollout: Rollout, old_status: Object, old_annotations: dict[str, str]) -> None:
    """Write status and revision once; both go through the status subresource."""
    if rollout.annotations != old_annotations:
        rollout.context.world.update(_versionless(rollout.object), "status")
    elif rollout.status != old_status:
        rollout.context.world.set_status(rollout.key, rollout.status)


def _versionless(deployment: Object) -> Object:
    metadata = {k: v for k, v in deployment["metadata"].items() if k != "resourceVersion"}
    return {**deployment, "metadata": metadata}


def _selects_everything(deployment: Object) -> bool:
    selector = deployment["spec"].get("selector") or {}
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def _refuse_to_select_all(context: Context, key: int, deployment: Object) -> Answer:
    message = "This deployment is selecting all pods. A non-empty selector is required."
    context.event(key, "Warning", "SelectingAll", COMPONENT, message)
    observed = deployment.get("status") or {}
    generation = deployment["metadata"].get("generation", 0)
    if observed.get("observedGeneration", 0) < generation:
        context.world.set_status(key, {**observed, "observedGeneration": generation})
    return DONE
