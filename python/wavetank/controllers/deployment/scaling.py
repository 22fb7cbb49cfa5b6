"""Scaling a Deployment while a rollout is under way, or while it is paused."""

from __future__ import annotations

import math

from .model import DESIRED, MAXIMUM, ReplicaSet, Rollout, active, total


def is_scaling_event(rollout: Rollout, replica_sets: list[ReplicaSet | None]) -> bool:
    """Whether an active ReplicaSet was last told of another ``spec.replicas``."""
    for rs in active(replica_sets):
        desired = _number(rs, DESIRED)
        if desired is not None and desired != rollout.replicas:
            return True
    return False


def scale(rollout: Rollout, new: ReplicaSet | None, old: list[ReplicaSet]) -> None:
    """Bring the ReplicaSets to the Deployment's size, each in proportion to its own."""
    only = _active_or_latest(new, old)
    if only is not None:
        rollout.scale(only, rollout.replicas)
        return
    if _is_saturated(rollout, new):
        for rs in active(old):
            rollout.scale(rs, 0)
        return
    if rollout.is_rolling:
        _scale_in_proportion(rollout, active([*old, new]))


def _active_or_latest(new: ReplicaSet | None, old: list[ReplicaSet]) -> ReplicaSet | None:
    """Return the one ReplicaSet to scale: the only active one, or the newest if none is."""
    running = active([*old, new])
    if len(running) == 1:
        return running[0]
    if running:
        return None
    return new or max(old, key=lambda rs: rs.created, default=None)


def _is_saturated(rollout: Rollout, new: ReplicaSet | None) -> bool:
    return (
        new is not None
        and new.replicas == rollout.replicas
        and _number(new, DESIRED) == rollout.replicas
        and new.status("availableReplicas") == rollout.replicas
    )


def _scale_in_proportion(rollout: Rollout, replica_sets: list[ReplicaSet]) -> None:
    allowed = rollout.replicas + rollout.max_surge if rollout.replicas > 0 else 0
    to_add = allowed - total(replica_sets)
    # Largest first; of equal ones the newer grows first and the older shrinks first.
    ordered = sorted(replica_sets, key=lambda rs: rs.created, reverse=to_add > 0)
    if to_add != 0:
        ordered.sort(key=lambda rs: -rs.replicas)
    else:
        ordered = replica_sets
    sizes: list[int] = []
    added = 0
    for rs in ordered:
        share = _proportion(rollout, rs, to_add, added) if to_add else 0
        sizes.append(rs.replicas + share)
        added += share
    if to_add and sizes:
        sizes[0] = max(0, sizes[0] + to_add - added)
    for rs, size in zip(ordered, sizes, strict=True):
        rollout.scale(rs, size, force=True)


def _proportion(rollout: Rollout, rs: ReplicaSet, to_add: int, added: int) -> int:
    """One ReplicaSet's share of the change, at most what is left of it."""
    if rs.replicas == 0 or to_add == added:
        return 0
    left = to_add - added
    share = _fraction(rollout, rs)
    return min(share, left) if to_add > 0 else max(share, left)


def _fraction(rollout: Rollout, rs: ReplicaSet) -> int:
    if rollout.replicas == 0:
        return -rs.replicas
    before = _number(rs, MAXIMUM) or rollout.status.get("replicas", 0)
    if not before:
        return 0
    size = rs.replicas * (rollout.replicas + rollout.max_surge) / before
    return _round_half_away(size) - rs.replicas


def _round_half_away(number: float) -> int:
    return math.floor(number + 0.5) if number >= 0 else math.ceil(number - 0.5)


def _number(rs: ReplicaSet, annotation: str) -> int | None:
    """Return an annotation that is a number of replicas; ``None`` when it is none."""
    try:
        number = int(rs.annotations[annotation])
    except (KeyError, ValueError):
        return None
    return number if number >= 0 else None
