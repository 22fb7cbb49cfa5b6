"""Node pools: equal machines by the dozen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _core

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def add_pool(
    world: _core.World,
    instance_type: str | None = None,
    *,
    count: int = 1,
    cpu: str | float | None = None,
    memory: str | int | None = None,
    pods: int = 110,
    zones: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, str]] = (),
    name: str = "node",
    region: str = "",
) -> list[str]:
    """Add equal nodes to a world; return their names."""
    existing = len(world.matching(world.resolve("nodes")[0]["id"]))
    names = [f"{name}-{existing + number}" for number in range(count)]
    capacity = {"cpu": cpu, "memory": memory, "pods": str(pods)}
    pool: dict[str, Any] = {
        "names": names,
        "capacity": {key: str(value) for key, value in capacity.items()},
        "labels": dict(labels or {}),
        "taints": [dict(taint) for taint in taints],
        "zones": list(zones),
        "region": region,
        "pods": pods,
    }
    world.add_pool(pool)
    return names
