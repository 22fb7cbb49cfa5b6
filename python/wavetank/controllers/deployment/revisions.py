"""Which ReplicaSet is the new one; revisions, their history and their clean-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank import _core

from .conditions import get_condition, new_condition, set_condition
from .model import (
    DESIRED,
    HASH_LABEL,
    HISTORY,
    LAST_APPLIED,
    MAXIMUM,
    NO_LIMIT,
    REVISION,
    ROLLBACK,
    ReplicaSet,
    Rollout,
    same_template,
    total,
)

if TYPE_CHECKING:
    from wavetank.controllers.base import Object

#: Annotations that belong to one object and are not copied to another.
NOT_COPIED = frozenset({LAST_APPLIED, REVISION, HISTORY, DESIRED, MAXIMUM, ROLLBACK})
#: The longest history of revisions, in characters.
HISTORY_MAX = 2000
#: The longest name of a ReplicaSet.
NAME_MAX = 253


def find_new(rollout: Rollout) -> ReplicaSet | None:
    """Return the oldest ReplicaSet with the Deployment's template."""
    wanted = rollout.spec["template"]
    by_age = sorted(rollout.replica_sets, key=lambda rs: rs.created)
    return next((rs for rs in by_age if same_template(rs.template, wanted)), None)


def sync_revision(rollout: Rollout, *, create: bool) -> tuple[ReplicaSet | None, list[ReplicaSet]]:
    """Find the new ReplicaSet, give it the highest revision, and tell it from the old ones.

    With ``create`` a missing new ReplicaSet is created. An existing one whose annotations were
    out of date is written and returned at once; the Deployment's own revision follows in the
    next sync.
    """
    new = find_new(rollout)
    by_age = sorted(rollout.replica_sets, key=lambda rs: rs.created)
    old = [rs for rs in by_age if new is None or rs.uid != new.uid]
    revision = max((rs.revision for rs in old), default=0) + 1
    if new is not None:
        return _sync_existing(rollout, new, revision), old
    if not create:
        return None, old
    return _create(rollout, old, revision), old


def _sync_existing(rollout: Rollout, new: ReplicaSet, revision: int) -> ReplicaSet:
    annotations = _annotations(rollout, new.annotations, revision)
    min_ready = rollout.spec.get("minReadySeconds", 0)
    if annotations != new.annotations or new.object["spec"].get("minReadySeconds", 0) != min_ready:
        spec = {"minReadySeconds": min_ready} if min_ready else {}
        if not min_ready:
            new = _without_min_ready(new)
        return rollout.write(new, spec, annotations)
    rollout.annotations[REVISION] = new.annotations[REVISION]
    if rollout.has_deadline and get_condition(rollout.status, "Progressing") is None:
        condition = new_condition(
            rollout.context,
            "Progressing",
            "True",
            "FoundNewReplicaSet",
            f'Found new replica set "{new.name}"',
        )
        set_condition(rollout.status, condition)
    return new


def _without_min_ready(new: ReplicaSet) -> ReplicaSet:
    spec = {key: value for key, value in new.object["spec"].items() if key != "minReadySeconds"}
    return ReplicaSet(new.key, {**new.object, "spec": spec})


def _annotations(rollout: Rollout, current: dict[str, str], revision: int) -> dict[str, str]:
    """Return the annotations the new ReplicaSet should have."""
    copied = rollout.annotations.items()
    annotations = current | {key: value for key, value in copied if key not in NOT_COPIED}
    before = annotations.get(REVISION, "")
    try:
        raised = int(before or "0") < revision
    except ValueError:
        return annotations
    if raised:
        annotations[REVISION] = str(revision)
        if REVISION in current:
            _remember(annotations, before)
    return annotations


def _remember(annotations: dict[str, str], revision: str) -> None:
    """Append an old revision to the history, dropping the oldest when it grows too long."""
    history = annotations.get(HISTORY, "")
    if not history:
        annotations[HISTORY] = revision
        return
    revisions = history.split(",")
    length = len(history) + len(revision) + 1
    start = 0
    while length > HISTORY_MAX and start < len(revisions):
        length -= len(revisions[start]) + 1
        start += 1
    if length <= HISTORY_MAX:
        annotations[HISTORY] = ",".join([*revisions[start:], revision])


def _create(rollout: Rollout, old: list[ReplicaSet], revision: int) -> ReplicaSet:
    template = rollout.spec["template"]
    digest = _core.template_hash(template, rollout.status.get("collisionCount"))
    wanted = _new_replica_set(rollout, old, revision, digest)
    name = wanted["metadata"]["name"]
    progressing = ("NewReplicaSetCreated", f'Created new replica set "{name}"')
    try:
        created, _ = rollout.context.world.create(wanted)
    except _core.AlreadyExistsError:
        return _collision(rollout, name)
    except _core.ApiError as error:
        _creation_failed(rollout, name, error)
        raise
    size = created["spec"]["replicas"]
    if size > 0:
        rollout.event(
            "Normal", "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to {size}"
        )
    rollout.annotations[REVISION] = str(revision)
    if rollout.has_deadline:
        condition = new_condition(rollout.context, "Progressing", "True", *progressing)
        set_condition(rollout.status, condition)
    return ReplicaSet(_key(rollout, name), created)


def _new_replica_set(rollout: Rollout, old: list[ReplicaSet], revision: int, digest: str) -> Object:
    template = rollout.spec["template"]
    labels = {**(template["metadata"].get("labels") or {}), HASH_LABEL: digest}
    selector = dict(rollout.spec["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}
    annotations = {
        key: value for key, value in rollout.annotations.items() if key not in NOT_COPIED
    }
    annotations[REVISION] = str(revision)
    annotations[DESIRED] = str(rollout.replicas)
    annotations[MAXIMUM] = str(rollout.replicas + rollout.max_surge)
    spec: Object = {
        "replicas": new_size(rollout, total(old), 0),
        "selector": selector,
        "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
    }
    if rollout.spec.get("minReadySeconds"):
        spec["minReadySeconds"] = rollout.spec["minReadySeconds"]
    metadata = rollout.object["metadata"]
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{rollout.name[: NAME_MAX - len(digest) - 1]}-{digest}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [owner],
        },
        "spec": spec,
    }


def new_size(rollout: Rollout, pods: int, size: int) -> int:
    """Return how large the new ReplicaSet may be now, being ``size`` among ``pods`` in all."""
    if not rollout.is_rolling:
        return rollout.replicas
    room = rollout.replicas + rollout.max_surge - pods
    if room <= 0:
        return size
    return size + min(room, rollout.replicas - size)


def _collision(rollout: Rollout, name: str) -> ReplicaSet:
    """Return what has the name already: the wanted ReplicaSet, or another of the same hash."""
    key = _key(rollout, name)
    taken = rollout.context.world.get_many([key])[0]
    owners = taken["metadata"].get("ownerReferences", [])
    ours = any(
        owner.get("controller") and owner["uid"] == rollout.object["metadata"]["uid"]
        for owner in owners
    )
    if ours and same_template(taken["spec"]["template"], rollout.spec["template"]):
        return ReplicaSet(key, taken)
    rollout.status["collisionCount"] = rollout.status.get("collisionCount", 0) + 1
    rollout.context.world.set_status(rollout.key, rollout.status)
    raise _core.AlreadyExistsError(f'replicasets.apps "{name}" already exists')


def _creation_failed(rollout: Rollout, name: str, error: _core.ApiError) -> None:
    causes = getattr(error, "status", {}).get("details", {}).get("causes", [])
    if any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        return
    message = f'Failed to create new replica set "{name}": {error}'
    if rollout.has_deadline:
        condition = new_condition(
            rollout.context, "Progressing", "False", "ReplicaSetCreateError", message
        )
        set_condition(rollout.status, condition)
        rollout.context.world.set_status(rollout.key, rollout.status)
    rollout.event("Warning", "ReplicaSetCreateError", message)


def _key(rollout: Rollout, name: str) -> int:
    kind = rollout.context.kind("replicasets.apps")
    namespace = rollout.object["metadata"]["namespace"]
    key = rollout.context.world.find(kind, name, namespace)
    if key is None:
        message = f'replicasets.apps "{name}" not found'
        raise _core.NotFoundError(message)
    return key


def clean_up(rollout: Rollout, old: list[ReplicaSet]) -> None:
    """Delete the oldest unused ReplicaSets beyond ``revisionHistoryLimit``.

    Only the first ``count - limit`` are looked at; one among them that is still in use is
    passed over, and no other goes in its place.
    """
    limit = rollout.spec.get("revisionHistoryLimit", NO_LIMIT)
    alive = [rs for rs in old if not rs.is_deleting]
    surplus = len(alive) - limit
    if limit == NO_LIMIT or surplus <= 0:
        return
    alive.sort(key=lambda rs: (rs.revision, rs.created))
    kind = rollout.context.kind("replicasets.apps")
    for rs in alive[:surplus]:
        unobserved = rs.object["metadata"].get("generation", 0) > rs.status("observedGeneration")
        if rs.status("replicas") or rs.replicas or unobserved:
            continue
        namespace = rollout.object["metadata"]["namespace"]
        rollout.context.world.delete(kind, rs.name, namespace, propagation="Background")
