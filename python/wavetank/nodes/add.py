"""Adding nodes to a world: pools, and nodes from manifests."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wavetank.catalogue import Catalogue, catalogue

from .parse import parse
from .pool import POOL_LABEL, Pool, PoolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wavetank import _core

#: What :func:`add_nodes` takes besides a pool.
Source = "str | Path | Mapping[str, Any] | Pool | None"
#: What files with manifests end in.
MANIFESTS = (".yaml", ".yml", ".json")
#: What tells a pool of the command line from the name of a machine.
_SPEC = re.compile(r"^[+-]?\d+x|[,=]|cpu$|cores?$")


def add_nodes(
    world: _core.World,
    source: Any = None,
    table: Catalogue | str | Path | None = None,
    **options: Any,
) -> list[str]:
    """Add nodes; return their names. See :meth:`wavetank.Cluster.add_nodes`."""
    if _is_manifest(source):
        return add_manifests(world, source, **options)
    if source is not None and not isinstance(source, (str, Pool)):
        kind = type(source).__name__
        raise TypeError(f"nodes come from a machine's name, a Pool or Node manifests, not {kind}")
    if isinstance(source, Pool):
        if options:
            raise PoolError(f"a Pool says everything itself; {next(iter(options))} is too much")
        return add_pool(world, source, table)
    given = {name: value for name, value in options.items() if value is not None}
    if isinstance(source, str) and source not in catalogue(table) and _SPEC.search(source):
        if given:
            raise PoolError(f"{source!r} says everything itself; {next(iter(given))} is too much")
        return add_pool(world, parse(source), table)
    return add_pool(world, Pool(source, **given), table)


def add_pool(
    world: _core.World, pool: Pool, table: Catalogue | str | Path | None = None
) -> list[str]:
    """Add the nodes of a pool; return their names."""
    machine = pool.machine(table)
    names = free_names(world, pool.prefix, pool.count)
    if machine.cpu_milli == 0:
        text = f"the nodes of {pool.prefix} have no cpu: only pods that ask for none go there"
        warnings.warn(text, stacklevel=4)
    labels = {POOL_LABEL: pool.prefix}
    if machine.type:
        labels["node.kubernetes.io/instance-type"] = machine.type
        labels["beta.kubernetes.io/instance-type"] = machine.type
    world.add_pool(
        {
            "names": names,
            "capacity": pool.capacity(machine),
            "allocatable": pool.allocatable(machine),
            "labels": {**labels, **pool.labels},
            "taints": pool.taint_objects(),
            "zones": pool.zone_names(),
            "region": (machine.price_region if pool.region is None else pool.region),
            "arch": machine.arch,
            "pods": machine.max_pods,
        }
    )
    return names


def free_names(world: _core.World, prefix: str, count: int) -> list[str]:
    """Return names ``PREFIX-N`` that follow those there are."""
    kind = world.resolve("nodes")[0]["id"]

    def taken(number: int) -> bool:
        return world.find(kind, f"{prefix}-{number}") is not None

    # Doubling and halving find the end of a pool of any size in a few looks.
    low, high = -1, 0
    while taken(high):
        low, high = high, 2 * high + 1
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if taken(middle) else (low, middle)
    names: list[str] = []
    while len(names) < count:
        if not taken(high):
            names.append(f"{prefix}-{high}")
        high += 1
    return names


def add_manifests(
    world: _core.World, source: Any, *, count: int | None = None, **options: Any
) -> list[str]:
    """Add nodes from manifests; with ``count`` one manifest is the model of so many."""
    from wavetank.manifest import load  # noqa: PLC0415 - only where manifests are read

    left = {name for name, value in options.items() if value is not None}
    if left:
        raise PoolError(f"a manifest says everything itself; {min(left)} is too much")
    nodes = [document.object() for document in load(source)]
    for node in nodes:
        if not isinstance(node, dict) or node.get("kind") != "Node":
            kind = node.get("kind") if isinstance(node, dict) else type(node).__name__
            raise PoolError(f"{_title(source)}: a manifest of nodes has Nodes only, not {kind}")
    if not nodes:
        raise PoolError(f"{_title(source)}: no Node in it")
    if count is not None:
        nodes = _copies(world, nodes, count)
    return [_create(world, node) for node in nodes]


def _copies(
    world: _core.World, nodes: Sequence[dict[str, Any]], count: int
) -> list[dict[str, Any]]:
    if len(nodes) != 1:
        raise PoolError(f"count takes one Node as its model, not {len(nodes)}")
    if count < 1:
        raise PoolError(f"a pool has at least one node, not {count}")
    metadata = nodes[0].get("metadata") or {}
    prefix = str(metadata.get("name") or metadata.get("generateName") or "node").rstrip("-")
    copies = []
    for name in free_names(world, prefix, count):
        node = copy.deepcopy(nodes[0])
        node["metadata"] = {**node.get("metadata", {}), "name": name}
        node["metadata"].pop("generateName", None)
        labels = node["metadata"].get("labels")
        if labels and "kubernetes.io/hostname" in labels:
            labels["kubernetes.io/hostname"] = name
        copies.append(node)
    return copies


def _create(world: _core.World, node: dict[str, Any]) -> str:
    status = dict(node.get("status") or {})
    # The API server's default, and what makes capacity alone enough.
    status.setdefault("allocatable", status.get("capacity") or {})
    created, _ = world.create({**node, "status": status}, field_validation="Ignore")
    name = str(created["metadata"]["name"])
    if "pods" not in status["allocatable"]:
        text = f"node {name} states no number of pods, so none can run there"
        warnings.warn(text, stacklevel=5)
    return name


def _is_manifest(source: Any) -> bool:
    if isinstance(source, (Mapping, Path, list, tuple)):
        return True
    return isinstance(source, str) and ("\n" in source or source.lower().endswith(MANIFESTS))


def _title(source: Any) -> str:
    return str(source) if isinstance(source, (str, Path)) and "\n" not in str(source) else "nodes"
