"""Which pods of a ReplicaSet go first when it shrinks.

Reference: controllers, section 2, "Delete". Ages are compared on a logarithmic scale, so of
pods that started at about the same time any may go; their uids decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .base import Context

_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def rank_for_deletion(context: Context, key: int) -> list[int]:
    """Return the keys of the active pods of a ReplicaSet, the first to go first."""
    pods = context.world.controlled_pods(key)
    active = ~pods["deleting"] & ~pods["terminal"]
    order = np.flatnonzero(active)
    if order.size == 0:
        return []
    node, words = _codes(pods["node"])
    phase_codes, phases = _codes(pods["phase"])
    phase = np.array([_PHASES.get(word, 1) for word in phases] or [0])[phase_codes]
    ready = pods["ready"]
    crowd = _pods_per_node(context, key, words)
    colocated = np.where(node >= 0, crowd[node], 0)
    bucket = np.where(ready, _log_age(context, pods["ready_since"]), 0)
    mixed = np.isin(bucket, _mixed_buckets(bucket[ready], pods["ready_since"][ready])) & ready
    # lexsort takes the most significant key last. Where ready times differ and yet share a
    # bucket, the uid decides before restarts and age are asked.
    order_keys = (
        pods["uid_low"],
        pods["uid_high"],
        _log_age(context, pods["created"]),
        -pods["restarts"],
        np.where(mixed, pods["uid_low"], 0),
        np.where(mixed, pods["uid_high"], 0),
        bucket,
        -colocated,
        pods["deletion_cost"],
        ready,
        phase,
        node >= 0,
    )
    ranked = np.lexsort([column[order] for column in order_keys])
    keys: list[int] = pods["key"][order][ranked].tolist()
    return keys


def _pods_per_node(context: Context, key: int, words: list[str]) -> NDArray[np.int64]:
    """Count the active pods of all ReplicaSets of the same owner, per node in ``words``."""
    places = {word: place for place, word in enumerate(words)}
    counts = np.zeros(len(words) + 1, dtype=np.int64)
    for sibling in _siblings(context, key):
        pods = context.world.controlled_pods(sibling)
        codes, names = _codes(pods["node"])
        active = ~pods["deleting"] & ~pods["terminal"] & (codes >= 0)
        found = np.array([places.get(name, -1) for name in names] or [-1])[codes[active]]
        np.add.at(counts, found[found >= 0], 1)
    return counts


def _siblings(context: Context, key: int) -> list[int]:
    """Return the ReplicaSets with the same controller as this one, this one included."""
    rs = context.world.get_many([key])[0] or {}
    owners = rs.get("metadata", {}).get("ownerReferences", [])
    owner = next((owner for owner in owners if owner.get("controller")), None)
    if owner is None or owner["kind"] != "Deployment":
        return [key]
    namespace = rs["metadata"]["namespace"]
    parent = context.world.find(context.kind("deployments"), owner["name"], namespace)
    if parent is None:
        return [key]
    found = context.world.controlled(parent, context.kind("replicasets"))
    return [sibling for sibling, _ in found] or [key]


def _mixed_buckets(buckets: NDArray[np.int64], since: NDArray[Any]) -> NDArray[np.int64]:
    """Return the buckets that hold more than one ready time, in whole seconds."""
    seconds = since.astype(np.int64) // 1_000_000_000
    pairs = np.unique(np.stack([buckets, seconds], axis=1), axis=0)
    found, times = np.unique(pairs[:, 0], return_counts=True)
    return found[times > 1]


def _log_age(context: Context, since: NDArray[Any]) -> NDArray[np.int64]:
    """Whole binary logarithm of the age in nanoseconds; -1 for no age yet."""
    whole = since.astype(np.int64) // 1_000_000_000 * 1_000_000_000
    age = np.maximum(context.now_ns - whole, 0)
    logs = np.full(age.shape, -1, dtype=np.int64)
    positive = age > 0
    logs[positive] = np.floor(np.log2(age[positive].astype(np.float64))).astype(np.int64)
    return logs


def _codes(column: tuple[NDArray[np.int32], list[str]]) -> tuple[NDArray[np.int32], list[str]]:
    codes, words = column
    return codes, list(words)
