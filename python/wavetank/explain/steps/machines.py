"""One more node: the cheapest machine that would take the pod.

Which machines are offered follows from the nodes there are: machines of the same providers if
their types are in the catalogue, or else one more of a kind the cluster has already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.amounts import cores, size
from wavetank.catalogue import catalogue
from wavetank.explain.change import Change, Object, unborn
from wavetank.explain.words import terms_of
from wavetank.nodes.pool import Pool, amount

from .labels import labels_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wavetank.catalogue import Catalogue, Machine
    from wavetank.cluster import Cluster
    from wavetank.explain.trials import Case

_TYPE = "node.kubernetes.io/instance-type"
_ZONE = "topology.kubernetes.io/zone"
_ARCH = "kubernetes.io/arch"
_HOST = "kubernetes.io/hostname"
#: Machines, and zones of each, that are tried at most.
_MACHINES_TRIED = 4
_ZONES_TRIED = 6
#: Nodes whose labels are read.
_NODES_READ = 200
#: Disks of machines are what the pool says; labels a machine has by itself.
_OWN = (_TYPE, _ZONE, _ARCH, _HOST, "kubernetes.io/os", "topology.kubernetes.io/region")


def change(case: Case, table: Catalogue | str | Path | None = None) -> Change | None:
    """Return the cheapest node that the pod would go to, if it were there."""
    nodes = _sample(case)
    wanted = _labels(case)
    if wanted is None:
        return None
    zones = _zones(nodes, wanted)
    for pool in _pools(case, nodes, catalogue(table), wanted):
        for zone in zones:
            found = _tried(case, pool, zone, wanted, catalogue(table))
            if found is not None:
                return found
    return None


def _sample(case: Case) -> list[Object]:
    """Return some of the nodes, from all over."""
    count = len(case.facts.nodes) if case.facts.nodes else 0
    step = max(1, count // _NODES_READ)
    return [case.node(at) for at in range(0, count, step)]


def _labels(case: Case) -> dict[str, str] | None:
    """Return the labels a node must have for the pod's selectors; ``None`` if none would do."""
    wanted = [f"nodeSelector/{key}" for key in case.spec.get("nodeSelector") or {}]
    for number, term in enumerate(terms_of(case.spec)[:1]):
        for which in ("matchExpressions", "matchFields"):
            for place, one in enumerate(term.get(which) or []):
                if one["operator"] in {"In", "Exists"} or which == "matchFields":
                    wanted.append(f"{number}/{which}/{place}")
    found = labels_for(case.spec, wanted)
    if found is None or _HOST in found:
        return None
    return {key: value for key, value in found.items() if value is not None}


def _zones(nodes: list[Object], wanted: dict[str, str]) -> list[str]:
    if _ZONE in wanted:
        return [wanted[_ZONE]]
    named = (one["metadata"].get("labels", {}).get(_ZONE) for one in nodes)
    known = sorted({zone for zone in named if zone})
    return known[:_ZONES_TRIED] or [""]


def _pools(
    case: Case, nodes: list[Object], table: Catalogue, wanted: dict[str, str]
) -> Iterator[Pool]:
    """Yield pools of one node, the cheapest first."""
    named = ((one["metadata"].get("labels") or {}).get(_TYPE) for one in nodes)
    types = {str(name) for name in named if name}
    known = [table[name] for name in sorted(name for name in types if name in table)]
    if nodes and not known:
        yield from _alike(case, nodes)
        return
    providers = {machine.provider for machine in known}
    archs = {machine.arch for machine in known} or {"amd64"}
    machines = [
        machine
        for machine in table
        if (not providers or machine.provider in providers)
        and machine.arch in ({wanted[_ARCH]} if _ARCH in wanted else archs)
        and machine.type == wanted.get(_TYPE, machine.type)
        and _has_room(case, Pool(machine.type), machine)
    ]
    for machine in sorted(machines, key=_price)[:_MACHINES_TRIED]:
        yield Pool(machine.type)


def _alike(case: Case, nodes: list[Object]) -> Iterator[Pool]:
    """Yield nodes like those there are, the smallest that has room first."""
    shapes: dict[tuple[int, int], Pool] = {}
    for node in nodes:
        status = node.get("status") or {}
        offered = status.get("allocatable") or status.get("capacity") or {}
        more = {
            name: count
            for name, count in offered.items()
            if name not in {"cpu", "memory", "pods", "ephemeral-storage"}
        }
        pool = Pool(
            cpu=offered.get("cpu", "0"),
            memory=offered.get("memory", "0"),
            pods=int(offered.get("pods", 0)),
            ephemeral_storage=offered.get("ephemeral-storage"),
            resources=more,
            arch=(node["metadata"].get("labels") or {}).get(_ARCH),
            name=_prefix(node["metadata"]["name"]),
        )
        shapes.setdefault((amount("cpu", pool.cpu), amount("memory", pool.memory)), pool)
    roomy = [pool for _, pool in sorted(shapes.items()) if _has_room(case, pool, pool.machine())]
    yield from roomy[:_MACHINES_TRIED]


def _prefix(name: str) -> str:
    """Return a node's name without its number."""
    return name.rstrip("0123456789").rstrip("-") or name


def _price(machine: Machine) -> tuple[float, int, int, str]:
    price = float("inf") if machine.price_usd_hour is None else machine.price_usd_hour
    return price, machine.cpu_milli, machine.memory_bytes, machine.type


def _has_room(case: Case, pool: Pool, machine: Machine) -> bool:
    """Whether the pod alone would fit on such a node."""
    offered = pool.allocatable(machine)
    return all(
        amount(name, offered.get(name)) >= supply.asked
        for name, supply in case.facts.supplies.items()
    )


def _tried(
    case: Case, pool: Pool, zone: str, wanted: dict[str, str], table: Catalogue
) -> Change | None:
    machine = pool.machine(table)
    branch = case.cluster.fork()
    labels = {key: value for key, value in wanted.items() if key not in _OWN}
    full = Pool(**{**pool.__dict__, "zones": [zone] if zone else (), "labels": labels})
    (name,) = branch.add_nodes(full, catalogue=table)
    manifest = _manifest(branch, name)
    found = case.confirm(_change(pool, machine, zone, labels, name, manifest), branch)
    return found if found is not None and found.node == name else None


def _manifest(branch: Cluster, name: str) -> Object:
    """Return the node as a manifest."""
    return unborn(dict(branch.get("node", name)))


def _change(
    pool: Pool, machine: Machine, zone: str, labels: dict[str, str], name: str, manifest: Any
) -> Change:
    what = (
        machine.type or f"node of {cores(machine.cpu_milli)} cpu and {size(machine.memory_bytes)}"
    )
    price = "" if machine.price_usd_hour is None else f", ${machine.price_usd_hour:g} an hour"
    place = f" in zone {zone}" if zone else ""
    marked = "".join(f" labelled {key}={value}" for key, value in labels.items())
    return Change(
        kind="node",
        text=f"one more {what}{place}{marked}{price}",
        target=f"node/{name}",
        new=machine.type or pool.name,
        creates=(manifest,),
        size=machine.price_usd_hour or 0.0,
    )
