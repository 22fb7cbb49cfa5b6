"""A Deployment's status: counts, availability, progress against its deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank import _core
from wavetank.controllers.base import DONE, Answer, Object, timeout

from .conditions import get_condition, new_condition, remove_condition, set_condition
from .model import ReplicaSet, Rollout, status_total, total

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECOND = 1_000_000_000


def calculate(
    rollout: Rollout, everything: Sequence[ReplicaSet | None], new: ReplicaSet | None
) -> Object:
    """Return the status the ReplicaSets add up to, with the Available condition."""
    available = status_total(everything, "availableReplicas")
    status: Object = {
        "observedGeneration": rollout.object["metadata"].get("generation", 0),
        "replicas": status_total(everything, "replicas"),
        "updatedReplicas": status_total([new], "replicas"),
        "readyReplicas": status_total(everything, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total(everything) - available),
    }
    terminating = _terminating(everything)
    if terminating is not None:
        status["terminatingReplicas"] = terminating
    if rollout.status.get("collisionCount") is not None:
        status["collisionCount"] = rollout.status["collisionCount"]
    if rollout.status.get("conditions"):
        status["conditions"] = list(rollout.status["conditions"])
    if available >= rollout.replicas - rollout.max_unavailable:
        verdict = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        verdict = (
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    set_condition(status, new_condition(rollout.context, "Available", *verdict))
    return status


def _terminating(everything: Sequence[ReplicaSet | None]) -> int | None:
    """Sum the terminating pods; unknown when a synced ReplicaSet does not say."""
    count = 0
    for rs in everything:
        if rs is None:
            continue
        status = rs.object.get("status") or {}
        if "terminatingReplicas" in status:
            count += status["terminatingReplicas"]
        elif status.get("observedGeneration"):
            return None
    return count


def sync_plain(
    rollout: Rollout, everything: Sequence[ReplicaSet | None], new: ReplicaSet | None
) -> Answer:
    """Take over the counts; progress is not judged."""
    rollout.object["status"] = calculate(rollout, everything, new)
    return DONE


def sync_rollout(
    rollout: Rollout, everything: Sequence[ReplicaSet | None], new: ReplicaSet | None
) -> Answer:
    """Take over the counts and judge the rollout's progress."""
    old = rollout.status
    status = calculate(rollout, everything, new)
    current = get_condition(old, "Progressing")
    if not rollout.has_deadline:
        remove_condition(status, "Progressing")
    finished = (
        status["replicas"] == status["updatedReplicas"]
        and current is not None
        and current["reason"] == "NewReplicaSetAvailable"
    )
    if rollout.has_deadline and not finished:
        _judge(rollout, status, current, new)
    _take_over_failures(status, everything, new)
    if _same(old, status):
        return _check_again(rollout, status)
    rollout.object["status"] = status
    return DONE


def _judge(
    rollout: Rollout, status: Object, current: Object | None, new: ReplicaSet | None
) -> None:
    what = f'ReplicaSet "{new.name}"' if new else f'Deployment "{rollout.name}"'
    context = rollout.context
    if is_complete(rollout, status):
        text = f"{what} has successfully progressed."
        done = new_condition(context, "Progressing", "True", "NewReplicaSetAvailable", text)
        set_condition(status, done)
    elif _progresses(rollout.status, status):
        text = f"{what} is progressing."
        moving = new_condition(context, "Progressing", "True", "ReplicaSetUpdated", text)
        if current is not None:
            if current["status"] == "True":
                moving["lastTransitionTime"] = current["lastTransitionTime"]
            remove_condition(status, "Progressing")
        set_condition(status, moving)
    elif _timed_out(rollout, status):
        text = f"{what} has timed out progressing."
        late = new_condition(context, "Progressing", "False", "ProgressDeadlineExceeded", text)
        set_condition(status, late)


def is_complete(rollout: Rollout, status: Object) -> bool:
    """Whether every replica is updated and available and nothing else runs."""
    wanted = rollout.replicas
    return bool(
        status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
        and status.get("observedGeneration", 0) >= rollout.object["metadata"].get("generation", 0)
    )


def _progresses(old: Object, new: Object) -> bool:
    def outdated(status: Object) -> int:
        count: int = status.get("replicas", 0) - status.get("updatedReplicas", 0)
        return count

    def grew(field: str) -> bool:
        return bool(new.get(field, 0) > old.get(field, 0))

    return (
        grew("updatedReplicas")
        or outdated(new) < outdated(old)
        or grew("readyReplicas")
        or grew("availableReplicas")
    )


def _timed_out(rollout: Rollout, status: Object) -> bool:
    condition = get_condition(status, "Progressing")
    if condition is None or condition["reason"] == "NewReplicaSetAvailable":
        return False
    if condition["reason"] == "ProgressDeadlineExceeded":
        return True
    return _deadline_ns(rollout, condition) < rollout.context.now_ns


def _deadline_ns(rollout: Rollout, condition: Object) -> int:
    since = _core.parse_time(condition["lastUpdateTime"])
    return since + int(rollout.spec["progressDeadlineSeconds"]) * _SECOND


def _check_again(rollout: Rollout, status: Object) -> Answer:
    """Look again at a rollout without visible progress when its deadline has passed."""
    current = get_condition(rollout.status, "Progressing")
    if not rollout.has_deadline or current is None or is_complete(rollout, status):
        return DONE
    if current["reason"] == "ProgressDeadlineExceeded":
        return DONE
    left = _deadline_ns(rollout, current) - rollout.context.now_ns
    return timeout(max(left, 0) + _SECOND)


def _take_over_failures(
    status: Object, everything: Sequence[ReplicaSet | None], new: ReplicaSet | None
) -> None:
    """Show the first ReplicaSet's failure to create pods, the new one's before all others."""
    for rs in [new, *everything]:
        conditions = ((rs.object.get("status") or {}) if rs else {}).get("conditions") or []
        for condition in conditions:
            if condition["type"] == "ReplicaFailure":
                since = condition["lastTransitionTime"]
                set_condition(status, {**condition, "lastUpdateTime": since})
                return
    remove_condition(status, "ReplicaFailure")


def _same(old: Object, new: Object) -> bool:
    def plain(status: Object) -> Object:
        return {key: value for key, value in status.items() if value not in (0, None, [])}

    return plain(old) == plain(new)


def check_paused(rollout: Rollout) -> None:
    """Note a pause or its end, so that time paused does not count against the deadline."""
    current = get_condition(rollout.status, "Progressing")
    if not rollout.has_deadline or (current or {}).get("reason") == "ProgressDeadlineExceeded":
        return
    was_paused = (current or {}).get("reason") == "DeploymentPaused"
    paused = bool(rollout.spec.get("paused"))
    if paused == was_paused:
        return
    verdict = (
        ("Unknown", "DeploymentPaused", "Deployment is paused")
        if paused
        else ("Unknown", "DeploymentResumed", "Deployment is resumed")
    )
    set_condition(rollout.status, new_condition(rollout.context, "Progressing", *verdict))
