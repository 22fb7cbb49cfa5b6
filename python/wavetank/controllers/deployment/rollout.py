"""One step of a rollout: RollingUpdate moves pods within its fences, Recreate swaps them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import status
from .model import ReplicaSet, Rollout, active, status_total, total
from .revisions import clean_up, new_size, sync_revision

if TYPE_CHECKING:
    from wavetank.controllers.base import Answer


def roll(rollout: Rollout) -> Answer:
    """Take at most one kind of step of a rolling update: up, or down, or cleaning up."""
    new, old = sync_revision(rollout, create=True)
    assert new is not None, "created when missing"  # noqa: S101
    everything: list[ReplicaSet | None] = [*old, new]
    if _grow(rollout, everything, new) or _shrink(rollout, everything, active(old), new):
        return status.sync_rollout(rollout, everything, new)
    if status.is_complete(rollout, rollout.status):
        clean_up(rollout, old)
    return status.sync_rollout(rollout, everything, new)


def _grow(rollout: Rollout, everything: list[ReplicaSet | None], new: ReplicaSet) -> bool:
    if new.replicas == rollout.replicas:
        return False
    if new.replicas > rollout.replicas:
        return rollout.scale(new, rollout.replicas)[0]
    return rollout.scale(new, new_size(rollout, total(everything), new.replicas))[0]


def _shrink(
    rollout: Rollout,
    everything: list[ReplicaSet | None],
    old: list[ReplicaSet],
    new: ReplicaSet,
) -> bool:
    if total(old) == 0:
        return False
    minimum = rollout.replicas - rollout.max_unavailable
    unavailable = new.replicas - new.status("availableReplicas")
    budget = total(everything) - minimum - unavailable
    if budget <= 0:
        return False
    old = sorted(old, key=lambda rs: rs.created)
    old, unhealthy = _remove_unhealthy(rollout, old, budget)
    return unhealthy + _remove_available(rollout, old, new, minimum) > 0


def _remove_unhealthy(
    rollout: Rollout, old: list[ReplicaSet], budget: int
) -> tuple[list[ReplicaSet], int]:
    """Take unavailable pods from the old ReplicaSets, oldest first."""
    removed = 0
    after = list(old)
    for place, rs in enumerate(old):
        if removed >= budget:
            break
        unhealthy = rs.replicas - rs.status("availableReplicas")
        if rs.replicas == 0 or unhealthy == 0:
            continue
        count = min(budget - removed, unhealthy)
        _, after[place] = rollout.scale(rs, rs.replicas - count)
        removed += count
    return after, removed


def _remove_available(
    rollout: Rollout, old: list[ReplicaSet], new: ReplicaSet, minimum: int
) -> int:
    """Take pods the fence allows to be missing, oldest first.

    The number available is the one of before this sync and the budget of the first step does
    not bind this one: so it is in the real controller.
    """
    spare = status_total([*old, new], "availableReplicas") - minimum
    if spare <= 0:
        return 0
    removed = 0
    for rs in sorted(old, key=lambda rs: rs.created):
        if removed >= spare:
            break
        if rs.replicas == 0:
            continue
        count = min(rs.replicas, spare - removed)
        rollout.scale(rs, rs.replicas - count)
        removed += count
    return removed


def recreate(rollout: Rollout) -> Answer:
    """Scale the old down, wait until their pods are gone, then bring the new up."""
    new, old = sync_revision(rollout, create=False)
    everything: list[ReplicaSet | None] = [*old, new]
    scaled = [rollout.scale(rs, 0)[0] for rs in active(old)]
    if any(scaled) or _old_pods_run(rollout, new, old):
        return status.sync_rollout(rollout, everything, new)
    if new is None:
        new, old = sync_revision(rollout, create=True)
        everything = [*old, new]
    assert new is not None, "created when missing"  # noqa: S101
    rollout.scale(new, rollout.replicas)
    if status.is_complete(rollout, rollout.status):
        clean_up(rollout, old)
    return status.sync_rollout(rollout, everything, new)


def _old_pods_run(rollout: Rollout, new: ReplicaSet | None, old: list[ReplicaSet]) -> bool:
    if status_total(old, "replicas") > 0:
        return True
    others = [rs.key for rs in rollout.replica_sets if new is None or rs.uid != new.uid]
    if not others:
        return False
    counts = rollout.context.world.pod_counts(others)
    # Active pods, and those that are being deleted but have not ended.
    return bool((counts[:, 0] + counts[:, 2]).sum() > 0)
