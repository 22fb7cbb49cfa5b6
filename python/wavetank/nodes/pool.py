"""A pool: so many equal nodes, described as people think of them."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

from wavetank import _core
from wavetank.catalogue import DEFAULT_PODS, Machine, catalogue
from wavetank.errors import WavetankError

from . import reserved as reservations

if TYPE_CHECKING:
    from pathlib import Path

    from wavetank.catalogue import Catalogue

#: The label that says which pool a node belongs to.
POOL_LABEL = "wavetank.dev/pool"
#: GPUs of the catalogue are offered under this name.
GPU = "nvidia.com/gpu"
#: The disk of a node unless told otherwise.
DEFAULT_DISK = "100Gi"
#: More nodes than this in one pool is a slip of the finger.
COUNT_MAX = 1_000_000
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


class PoolError(WavetankError, ValueError):
    """A pool that makes no sense."""


@dataclass(frozen=True)
class Pool:
    """So many equal nodes.

    Attributes
    ----------
    instance_type
        A machine of the catalogue, such as ``"m5.large"``; or say ``cpu`` and ``memory``.
    count
        How many nodes.
    cpu, memory, ephemeral_storage
        Quantities: ``"4"``, ``"16Gi"``. The disk is 100Gi unless told otherwise.
    pods
        Pods a node runs at most; the type's own limit, or 110.
    gpu
        GPUs per node, offered as ``nvidia.com/gpu``.
    resources
        Further resources by name, such as ``{"example.com/dongle": 2}``.
    zones
        How many zones (``3`` means a, b, c) or their names; nodes are dealt to them in turn.
    region
        The region of the zones; the provider's (that of the price) by default.
    labels, taints
        Labels, and taints as dicts or text: ``"dedicated=db:NoSchedule"``.
    name
        Prefix of the nodes' names and value of the label ``wavetank.dev/pool``.
    arch
        ``kubernetes.io/arch``; the type's, or ``amd64``.
    reserved
        What the kubelet keeps of a machine: ``"provider"`` (as the managed service of the
        type's provider sets it, see :mod:`wavetank.nodes.reserved`), ``"none"``, or quantities
        by resource. Of nodes described by cpu and memory nothing is kept unless said here.
    """

    instance_type: str | None = None
    count: int = 1
    cpu: str | float | None = None
    memory: str | float | None = None
    pods: int | None = None
    gpu: int | None = None
    ephemeral_storage: str | float | None = None
    resources: Mapping[str, str | float] = field(default_factory=dict)
    zones: int | Sequence[str] = ()
    region: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[str | Mapping[str, Any]] = ()
    name: str | None = None
    arch: str | None = None
    reserved: str | Mapping[str, str | float] = "provider"

    def machine(self, table: Catalogue | str | Path | None = None) -> Machine:
        """Return what each node is made of.

        Raises
        ------
        PoolError, CatalogueError
            When the description makes no sense, or the type is not in the catalogue.
        """
        self._check()
        if self.instance_type is not None:
            found = catalogue(table)[self.instance_type]
            pods = found.max_pods if self.pods is None else self.pods
            gpu = found.gpu if self.gpu is None else self.gpu
            changes = {"max_pods": pods, "gpu": gpu, "arch": self.arch or found.arch}
            return Machine(**{**found.__dict__, **changes})
        return Machine(
            type="",
            cpu_milli=amount("cpu", self.cpu),
            memory_bytes=amount("memory", self.memory),
            max_pods=DEFAULT_PODS if self.pods is None else self.pods,
            gpu=self.gpu or 0,
            arch=self.arch or "amd64",
        )

    def _check(self) -> None:
        if not 1 <= whole("count", self.count) <= COUNT_MAX:
            raise PoolError(f"a pool has from 1 to {COUNT_MAX:,} nodes, not {self.count:,}")
        for name, value in (("pods", self.pods), ("gpu", self.gpu)):
            if value is not None and whole(name, value) < 0:
                raise PoolError(f"{name} cannot be negative: {value}")
        for name, text in (("name", self.name), ("a machine's name", self.instance_type)):
            if text is not None and not isinstance(text, str):
                raise PoolError(f"{name} is text, not {text!r}")
        if self.name == "":
            raise PoolError("name is empty")
        if self.instance_type is not None and not (self.cpu is self.memory is None):
            raise PoolError(
                f"{self.instance_type} says cpu and memory already; give a type or those, not both"
            )
        if self.instance_type is None and (self.cpu is None or self.memory is None):
            raise PoolError("a pool needs an instance type, or both cpu and memory")

    @property
    def prefix(self) -> str:
        """What the names of the nodes begin with."""
        given = self.name or self.instance_type or "node"
        return re.sub(r"[^a-z0-9-]+", "-", given.lower()).strip("-") if self.name is None else given

    def zone_names(self) -> list[str]:
        """Return the names of the zones."""
        zones = self.zones
        if isinstance(zones, str):
            raise PoolError(f"zones is a number or a list of names, not {zones!r}")
        if isinstance(zones, int):
            if not 0 <= zones <= len(ascii_lowercase):
                raise PoolError(f"zones is a number up to {len(ascii_lowercase)}, or names")
            return list(ascii_lowercase[:zones])
        for zone in zones:
            if not isinstance(zone, str) or not zone:
                raise PoolError(f"the name of a zone is text, not {zone!r}")
        return list(zones)

    def capacity(self, machine: Machine) -> dict[str, str]:
        """Return ``status.capacity``."""
        disk = DEFAULT_DISK if self.ephemeral_storage is None else self.ephemeral_storage
        listed = {
            "cpu": canonical("cpu", f"{machine.cpu_milli}m"),
            "memory": binary(machine.memory_bytes),
            "ephemeral-storage": canonical("ephemeral-storage", disk),
            "pods": str(machine.max_pods),
        }
        if machine.gpu:
            listed[GPU] = str(machine.gpu)
        more = {name: canonical(name, given) for name, given in self.resources.items()}
        return {**listed, **more}

    def allocatable(self, machine: Machine) -> dict[str, str]:
        """Return ``status.allocatable``: the capacity less what the kubelet keeps."""
        listed = self.capacity(machine)
        for name, less in self._kept(machine, listed).items():
            if name not in listed:
                raise PoolError(f"{name} cannot be reserved: the nodes have none")
            left = max(0, amount(name, listed[name]) - less)
            listed[name] = canonical(name, f"{left}m") if name == "cpu" else binary(left)
        return listed

    def _kept(self, machine: Machine, capacity: Mapping[str, str]) -> dict[str, int]:
        if not isinstance(self.reserved, str):
            return {name: amount(name, given) for name, given in self.reserved.items()}
        if self.reserved not in {"provider", "none"}:
            raise PoolError(
                f'reserved is "provider", "none" or quantities by resource, not {self.reserved!r}'
            )
        if self.reserved == "none" or not machine.provider:
            return {}
        cpu_milli, memory_bytes = reservations.kept(machine)
        disk = amount("ephemeral-storage", capacity["ephemeral-storage"])
        kept_disk = reservations.kept_disk(machine, disk)
        return {"cpu": cpu_milli, "memory": memory_bytes, "ephemeral-storage": kept_disk}

    def taint_objects(self) -> list[dict[str, Any]]:
        """Return the taints as objects."""
        return [read_taint(given) for given in self.taints]


def read_taint(given: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return a taint from ``key=value:Effect`` or ``key:Effect``, as kubectl takes it."""
    if isinstance(given, Mapping):
        return dict(given)
    pair, _, effect = given.rpartition(":")
    key, has_value, value = pair.partition("=")
    if not key or effect not in _EFFECTS:
        raise PoolError(
            f"a taint is key=value:Effect with the effect {', '.join(_EFFECTS)}, not {given!r}"
        )
    return {"key": key, **({"value": value} if has_value else {}), "effect": effect}


def whole(name: str, given: Any) -> int:
    """Return a whole number, NumPy's among them."""
    if isinstance(given, bool) or not hasattr(given, "__index__"):
        raise PoolError(f"{name} is a whole number, not {given!r}")
    return operator.index(given)


def amount(name: str, given: str | float | None) -> int:
    """Return a quantity in the unit the scheduler counts in: milli-CPU, or whole units."""
    if given is None:
        return 0
    try:
        read = _core.quantity_milli_value if name == "cpu" else _core.quantity_value
        value = read(str(given))
    except ValueError as error:
        raise PoolError(f"{name} {given!r}: {error}") from None
    if value < 0:
        raise PoolError(f"{name} cannot be negative: {given}")
    return value


def canonical(name: str, given: str | float) -> str:
    """Return a quantity as the API server writes it."""
    amount(name, given)
    return _core.canonical_quantity(str(given))


def binary(given: int) -> str:
    """Return bytes as kubelets write them: in the largest binary unit that divides them."""
    for unit, size in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if given and given % size == 0:
            return f"{given // size}{unit}"
    return str(given)
