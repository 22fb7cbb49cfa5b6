"""What is requested and what is allocatable, node by node and pool by pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wavetank.catalogue import catalogue as machines

from .rows import Rows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from wavetank.catalogue import Catalogue
    from wavetank.cluster import Cluster

#: Columns of the table of nodes, after ``allocatable_`` and ``requested_``, and their resources.
_COLUMNS = {
    "cpu_milli": "cpu",
    "memory_bytes": "memory",
    "ephemeral_bytes": "ephemeral-storage",
    "pods": "pods",
}
_ALLOCATABLE, _REQUESTED = "allocatable_", "requested_"


@dataclass(frozen=True)
class Amount:
    """A resource: CPU in thousandths of a core, everything else in whole units."""

    requested: int
    allocatable: int

    @property
    def share(self) -> float:
        """Requested by allocatable; 0 where there is nothing to allocate."""
        return self.requested / self.allocatable if self.allocatable else 0.0


@dataclass(frozen=True)
class NodeUse:
    """A node, and what its pods request of it."""

    name: str
    pool: str
    zone: str
    resources: dict[str, Amount]
    schedulable: bool = True


@dataclass(frozen=True)
class PoolUse:
    """Equal nodes together.

    Attributes
    ----------
    instance_type
        The machine, if the nodes say one.
    price_usd_hour
        List price of all of them, if the catalogue knows it.
    """

    pool: str
    nodes: int
    instance_type: str
    price_usd_hour: float | None
    resources: dict[str, Amount]


class _Nodes:
    """The columns of the table of nodes."""

    def __init__(self, cluster: Cluster) -> None:
        self.columns: dict[str, Any] = cluster.world.columns("nodes")
        self.names: list[str] = self.columns["name"]
        self.resources = {
            name: (self.columns[_REQUESTED + column], self.columns[_ALLOCATABLE + column])
            for column, name in self._resources()
        }

    def _resources(self) -> list[tuple[str, str]]:
        """Return columns and resources; those nobody has or wants are left out."""
        found = []
        for name in self.columns:
            if name.startswith(_ALLOCATABLE):
                column = name.removeprefix(_ALLOCATABLE)
                asked = bool(self.columns[_REQUESTED + column].any())
                offered = bool(self.columns[name].any()) and column != "ephemeral_bytes"
                if asked or offered or column in {"cpu_milli", "memory_bytes"}:
                    found.append((column, _COLUMNS.get(column, column)))
        return found

    def words(self, column: str) -> list[str]:
        codes, words = self.columns[column]
        return [words[code] if code >= 0 else "" for code in codes.tolist()]

    def pools(self) -> list[str]:
        """Return each node's pool: its label, else its type, else none."""
        pairs = zip(self.words("pool"), self.words("instance_type"), strict=True)
        return [pool or machine or "nodes" for pool, machine in pairs]


def nodes(cluster: Cluster) -> Rows[NodeUse]:
    """Return every node, in the order they came."""
    table = _Nodes(cluster)
    amounts = [
        (name, requested.tolist(), allocatable.tolist())
        for name, (requested, allocatable) in table.resources.items()
    ]
    zones, pools = table.words("zone"), table.pools()
    usable = (table.columns["ready"] & ~table.columns["unschedulable"]).tolist()
    return Rows(
        NodeUse(
            name=node,
            pool=pools[at],
            zone=zones[at],
            resources={name: Amount(asked[at], offered[at]) for name, asked, offered in amounts},
            schedulable=usable[at],
        )
        for at, node in enumerate(table.names)
    )


def pools(cluster: Cluster, catalogue: Catalogue | str | Path | None = None) -> Rows[PoolUse]:
    """Return the sums over each pool, in the order the pools came."""
    known = machines(catalogue)
    table = _Nodes(cluster)
    names, types = table.pools(), table.words("instance_type")
    members: dict[str, list[int]] = {}
    for at, pool in enumerate(names):
        members.setdefault(pool, []).append(at)
    rows: Rows[PoolUse] = Rows()
    for pool, places in members.items():
        chosen = np.asarray(places)
        kinds = {types[at] for at in places}
        rows.append(
            PoolUse(
                pool=pool,
                nodes=len(places),
                instance_type=kinds.pop() if len(kinds) == 1 else "",
                price_usd_hour=_price(known, [types[at] for at in places]),
                resources={
                    name: Amount(_total(requested, chosen), _total(allocatable, chosen))
                    for name, (requested, allocatable) in table.resources.items()
                },
            )
        )
    return rows


def _total(values: NDArray[np.int64], rows: NDArray[np.intp]) -> int:
    # Python's integers do not overflow: a hundred thousand large disks are beyond 64 bits.
    return sum(values[rows].tolist())


def _price(known: Catalogue, types: list[str]) -> float | None:
    """Return what these machines cost per hour, if every one of them is in the catalogue."""
    prices = {name: known[name].price_usd_hour if name in known else None for name in set(types)}
    found = [prices[name] for name in types]
    if any(price is None for price in found):
        return None
    return round(sum(price for price in found if price is not None), 6)
