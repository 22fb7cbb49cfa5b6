"""Rollouts: what ``kubectl rollout`` and ``kubectl set image`` do, in kubectl's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _core
from .api import Api
from .controllers.deployment.model import HASH_LABEL, REVISION, same_template
from .controllers.deployment.revisions import NOT_COPIED
from .errors import WavetankError
from .manifest.advice import TEMPLATES, template_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .kinds import Kind
    from .resource import Resource

    Object = Mapping[str, Any]

_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_CHANGE_CAUSE = "kubernetes.io/change-cause"
_RESTARTABLE = {"DaemonSet", "Deployment", "StatefulSet"}


class RolloutError(WavetankError):
    """What kubectl refuses to do to a rollout, or a rollout that failed."""


@dataclass(frozen=True)
class RolloutStatus:
    """How far a rollout is.

    Attributes
    ----------
    message
        kubectl's sentence.
    done
        Whether it is over.
    """

    message: str
    done: bool

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Revision:
    """A revision of a Deployment: its number, why it was made and its pod template."""

    revision: int
    change_cause: str
    template: dict[str, Any]


class History(list[Revision]):
    """The revisions of a Deployment, the oldest first; prints as kubectl prints it."""

    def __init__(self, title: str, revisions: list[Revision]) -> None:
        super().__init__(revisions)
        self._title = title

    def __str__(self) -> str:
        if not self:
            return f"{self._title} \nNo rollout history found."
        lines = [f"{item.revision:<10}{item.change_cause or '<none>'}" for item in self]
        return "\n".join([f"{self._title} ", "REVISION  CHANGE-CAUSE", *lines])

    def __repr__(self) -> str:
        return str(self)


class Rollouts(Api):
    """The rollout commands of a cluster; each takes ``"deploy/web"`` or kind and name."""

    def rollout_status(
        self, resource: str, name: str | None = None, *, namespace: str | None = None
    ) -> RolloutStatus:
        """Return how far the rollout of a Deployment, DaemonSet or StatefulSet is.

        Returns
        -------
        RolloutStatus
            Its ``message`` is what ``kubectl rollout status`` says, ``done`` whether it ends.

        Raises
        ------
        RolloutError
            When a Deployment exceeded its progress deadline.

        Examples
        --------
        >>> import wavetank as wt
        >>> cluster = wt.Cluster()
        >>> _ = cluster.add_nodes("2x2cpu,4Gi")
        >>> _ = cluster.apply('''
        ... apiVersion: apps/v1
        ... kind: Deployment
        ... metadata: {name: web}
        ... spec:
        ...   selector: {matchLabels: {app: web}}
        ...   template:
        ...     metadata: {labels: {app: web}}
        ...     spec: {containers: [{name: web, image: "web:1"}]}
        ... ''')
        >>> print(cluster.rollout_status("deploy/web"))
        Waiting for deployment spec update to be observed...
        >>> _ = cluster.run(until=lambda c: c.rollout_status("deploy/web").done)
        >>> print(cluster.rollout_status("deploy/web"))
        deployment "web" successfully rolled out
        """
        kind, item = self._workload(resource, name, namespace)
        view = _STATUS.get(kind.kind)
        if view is None:
            raise RolloutError(f'no status viewer has been implemented for "{kind.kind}"')
        message = view(item)
        return RolloutStatus(message, not message.lower().startswith("waiting"))

    def rollout_history(
        self, resource: str, name: str | None = None, *, namespace: str | None = None
    ) -> History:
        """Return the revisions of a Deployment, the oldest first."""
        kind, item = self._workload(resource, name, namespace)
        if kind.kind != "Deployment":
            raise RolloutError(f'no history viewer has been implemented for "{kind.kind}"')
        found = [_revision(rs) for rs in self._replica_sets(kind, item)]
        by_number = {revision.revision: revision for revision in found if revision is not None}
        return History(f"{kind.title}/{item.name}", [by_number[at] for at in sorted(by_number)])

    def rollout_undo(
        self,
        resource: str,
        name: str | None = None,
        *,
        to_revision: int = 0,
        namespace: str | None = None,
    ) -> str:
        """Give a Deployment the template of an earlier revision; return kubectl's line.

        Parameters
        ----------
        to_revision
            Which; 0 is the one before.

        Raises
        ------
        RolloutError
            When there is no such revision, or the Deployment is paused.
        """
        kind, item = self._workload(resource, name, namespace)
        if kind.kind != "Deployment":
            raise RolloutError(f'no rollbacker has been implemented for "{kind.kind}"')
        target = self._to_roll_back_to(kind, item, to_revision)
        if item["spec"].get("paused"):
            raise RolloutError(
                "you cannot rollback a paused deployment; resume it first with "
                "'kubectl rollout resume' and try again"
            )
        line = f"{kind.title}/{item.name}"
        if same_template(target["spec"]["template"], item["spec"]["template"]):
            return (
                f"{line} skipped rollback (current template already matches revision {to_revision})"
            )
        operations = [
            {"op": "replace", "path": "/spec/template", "value": _plain_template(target)},
            {
                "op": "replace" if item["metadata"].get("annotations") else "add",
                "path": "/metadata/annotations",
                "value": _annotations(item, target),
            },
        ]
        self.patch(kind.resource, item.name, operations, namespace=item.namespace, type="json")
        return f"{line} rolled back"

    def rollout_restart(
        self, resource: str, name: str | None = None, *, namespace: str | None = None
    ) -> str:
        """Replace every pod of a workload, as its strategy has it; return kubectl's line."""
        kind, item = self._workload(resource, name, namespace)
        if kind.kind not in _RESTARTABLE:
            raise self._refused(kind, item, "restarting is not supported")
        if item["spec"].get("paused"):
            raise self._refused(
                kind, item, "can't restart paused deployment (run rollout resume first)"
            )
        now = _core.format_time(self.world.now_ns // 10**9 * 10**9)
        annotations = item["spec"]["template"].get("metadata", {}).get("annotations") or {}
        if annotations.get(_RESTARTED) == now:
            raise RolloutError(
                f"failed to create patch for {item.name}: if restart has already been triggered "
                "within the past second, please wait before attempting to trigger another"
            )
        template = {"metadata": {"annotations": {_RESTARTED: now}}}
        self._merge(kind, item, {"spec": {"template": template}})
        return f"{kind.title}/{item.name} restarted"

    def rollout_pause(
        self, resource: str, name: str | None = None, *, namespace: str | None = None
    ) -> str:
        """Leave a Deployment's pods alone until it is resumed; return kubectl's line."""
        return self._set_paused(resource, name, namespace, paused=True)

    def rollout_resume(
        self, resource: str, name: str | None = None, *, namespace: str | None = None
    ) -> str:
        """Go on with a paused Deployment; return kubectl's line."""
        return self._set_paused(resource, name, namespace, paused=False)

    def set_image(
        self,
        resource: str,
        images: Mapping[str, str],
        *,
        name: str | None = None,
        namespace: str | None = None,
    ) -> Resource:
        """Change images of a workload's pod template, or of a pod.

        Parameters
        ----------
        images
            Images by the names of containers; ``"*"`` alone stands for all of them.

        Raises
        ------
        RolloutError
            When there is no such container; nothing is changed then.
        """
        if "*" in images and len(images) > 1:
            raise RolloutError(
                "all containers are already specified by *, but saw more than one "
                "container_name=container_image pairs"
            )
        kind, item = self._workload(resource, name, namespace)
        template = template_of(item)
        if template is None:
            raise RolloutError(f"{kind.title}/{item.name} has no pod template")
        spec = _with_images(template["spec"], images)
        body: dict[str, Any] = {"spec": spec}
        for key in reversed(TEMPLATES.get(kind.kind, ())):
            body = {key: body}
        return self.patch(kind.resource, item.name, body, namespace=item.namespace)

    def _workload(
        self, resource: str, name: str | None, namespace: str | None
    ) -> tuple[Kind, Resource]:
        kind, name = self._named(resource, name)
        if name is None:
            raise ValueError('a workload is named as "deploy/web", or by kind and name')
        item: Resource = self.get(kind.resource, name, namespace=namespace)
        return kind, item

    def _merge(self, kind: Kind, item: Resource, body: Object) -> None:
        self.patch(kind.resource, item.name, body, namespace=item.namespace, type="merge")

    def _set_paused(
        self, resource: str, name: str | None, namespace: str | None, *, paused: bool
    ) -> str:
        kind, item = self._workload(resource, name, namespace)
        if kind.kind != "Deployment":
            word = "pausing" if paused else "resuming"
            raise self._refused(kind, item, f"{word} is not supported")
        if bool(item["spec"].get("paused")) == paused:
            raise self._refused(kind, item, "is already paused" if paused else "is not paused")
        self._merge(kind, item, {"spec": {"paused": paused}})
        return f"{kind.title}/{item.name} {'paused' if paused else 'resumed'}"

    @staticmethod
    def _refused(kind: Kind, item: Resource, why: str) -> RolloutError:
        return RolloutError(f'{kind.resource} "{item.name}" {why}')

    def _replica_sets(self, kind: Kind, item: Resource) -> list[dict[str, Any]]:
        """Return the ReplicaSets a Deployment controls."""
        key = self.world.find(kind.id, item.name, item.namespace)
        if key is None:
            return []
        owned = self.world.controlled(key, self.kind("replicasets.apps").id)
        return [replica_set for _, replica_set in owned]

    def _to_roll_back_to(self, kind: Kind, item: Resource, wanted: int) -> dict[str, Any]:
        """Return the ReplicaSet of a revision; of the last but one for 0."""
        numbered = [(_number(rs), rs) for rs in self._replica_sets(kind, item)]
        known = {number: rs for number, rs in numbered if number is not None}
        if wanted:
            if wanted not in known:
                raise RolloutError(f"unable to find specified revision {wanted} in history")
            return known[wanted]
        if len(known) < 2:
            raise RolloutError(f'no rollout history found for deployment "{item.name}"')
        return known[sorted(known)[-2]]


def _number(replica_set: Object) -> int | None:
    try:
        return int((replica_set["metadata"].get("annotations") or {})[REVISION])
    except (KeyError, ValueError):
        return None


def _revision(replica_set: Object) -> Revision | None:
    number = _number(replica_set)
    if number is None:
        return None
    annotations = replica_set["metadata"].get("annotations") or {}
    return Revision(number, annotations.get(_CHANGE_CAUSE, ""), replica_set["spec"]["template"])


def _plain_template(replica_set: Object) -> dict[str, Any]:
    """Return the template of a ReplicaSet without the label its Deployment gave it."""
    template = dict(replica_set["spec"]["template"])
    metadata = dict(template.get("metadata") or {})
    labels = dict(metadata.get("labels") or {})
    labels.pop(HASH_LABEL, None)
    return {**template, "metadata": {**metadata, "labels": labels}}


def _annotations(item: Object, target: Object) -> dict[str, str]:
    """Return the Deployment's own annotations with the others of the ReplicaSet."""
    own = item["metadata"].get("annotations") or {}
    other = target["metadata"].get("annotations") or {}
    return {
        **{key: value for key, value in own.items() if key in NOT_COPIED},
        **{key: value for key, value in other.items() if key not in NOT_COPIED},
    }


def _with_images(spec: Object, images: Mapping[str, str]) -> dict[str, Any]:
    """Return a patch of a pod spec with these images."""
    patch: dict[str, list[dict[str, str]]] = {}
    found: set[str] = set()
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or ():
            wanted = "*" if "*" in images else container["name"]
            if wanted in images:
                found.add(wanted)
                changed = {"name": container["name"], "image": images[wanted]}
                patch.setdefault(field, []).append(changed)
    missing = [name for name in images if name not in found]
    if missing:
        raise RolloutError(f'unable to find container named "{missing[0]}"')
    return patch


def _observed(item: Object) -> bool:
    seen = (item.get("status") or {}).get("observedGeneration", 0)
    return bool(item["metadata"].get("generation", 0) <= seen)


def _of_deployment(item: Object) -> str:
    if not _observed(item):
        return "Waiting for deployment spec update to be observed..."
    name, status = item["metadata"]["name"], item.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    if conditions.get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded":
        raise RolloutError(f'deployment "{name}" exceeded its progress deadline')
    waiting = f'Waiting for deployment "{name}" rollout to finish:'
    wanted = item["spec"].get("replicas", 1)
    keys = ("replicas", "updatedReplicas", "availableReplicas")
    total, updated, available = (status.get(key, 0) for key in keys)
    if updated < wanted:
        return f"{waiting} {updated} out of {wanted} new replicas have been updated..."
    if total > updated:
        return f"{waiting} {total - updated} old replicas are pending termination..."
    if available < updated:
        return f"{waiting} {available} of {updated} updated replicas are available..."
    return f'deployment "{name}" successfully rolled out'


def _only_rolling(item: Object) -> None:
    strategy = (item["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate")
    if strategy != "RollingUpdate":
        raise RolloutError("rollout status is only available for RollingUpdate strategy type")


def _of_daemon_set(item: Object) -> str:
    _only_rolling(item)
    if not _observed(item):
        return "Waiting for daemon set spec update to be observed..."
    name, status = item["metadata"]["name"], item.get("status") or {}
    waiting = f'Waiting for daemon set "{name}" rollout to finish:'
    keys = ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    wanted, updated, available = (status.get(key, 0) for key in keys)
    if updated < wanted:
        return f"{waiting} {updated} out of {wanted} new pods have been updated..."
    if available < wanted:
        return f"{waiting} {available} of {wanted} updated pods are available..."
    return f'daemon set "{name}" successfully rolled out'


def _of_stateful_set(item: Object) -> str:
    _only_rolling(item)
    status, spec = item.get("status") or {}, item["spec"]
    if not status.get("observedGeneration") or not _observed(item):
        return "Waiting for statefulset spec update to be observed..."
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    if ready < wanted:
        return f"Waiting for {wanted - ready} pods to be ready..."
    updated = status.get("updatedReplicas", 0)
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate")
    if rolling is None:
        return _by_revision(status)
    partition = rolling.get("partition")
    if partition is not None and updated < wanted - partition:
        return (
            f"Waiting for partitioned roll out to finish: {updated} out of "
            f"{wanted - partition} new pods have been updated..."
        )
    return f"partitioned roll out complete: {updated} new pods have been updated..."


def _by_revision(status: Object) -> str:
    new, old = status.get("updateRevision", ""), status.get("currentRevision", "")
    if new != old:
        updated = status.get("updatedReplicas", 0)
        waiting = "waiting for statefulset rolling update to complete"
        return f"{waiting} {updated} pods at revision {new}..."
    current = status.get("currentReplicas", 0)
    return f"statefulset rolling update complete {current} pods at revision {old}..."


_STATUS: dict[str, Callable[[Object], str]] = {
    "DaemonSet": _of_daemon_set,
    "Deployment": _of_deployment,
    "StatefulSet": _of_stateful_set,
}
