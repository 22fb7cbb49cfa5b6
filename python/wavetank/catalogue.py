"""Machines by name: cores, memory, pods per node and price of common cloud instances.

The table that ships, ``data/instances.csv``, is our own selection; ``tools/make_catalogue.py``
says where its figures come from. Prices are on-demand list prices at the date and place each row
states. A table of one's own has the same columns; only ``type``, ``cpu`` and ``memory_mib`` are
required.
"""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import WavetankError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Pods per node where a table does not say: the kubelet's default.
DEFAULT_PODS = 110
_SHIPPED = Path(__file__).parent / "data" / "instances.csv"
_REQUIRED = ("type", "cpu", "memory_mib")


class CatalogueError(WavetankError, ValueError):
    """A table of machines that cannot be read, or a machine that is not in it."""


@dataclass(frozen=True)
class Machine:
    """One machine shape.

    Attributes
    ----------
    type
        The provider's name for it, such as ``m5.large``.
    cpu_milli
        Thousandths of a core.
    memory_bytes
        Memory as the provider states it; what the kernel keeps for itself is not taken off.
    max_pods
        Pods a node of this type runs at most.
    gpu
        GPUs, offered to pods as ``nvidia.com/gpu``.
    price_usd_hour
        On-demand list price in ``price_region`` at ``price_date``; ``None`` when unknown.
    """

    type: str
    cpu_milli: int
    memory_bytes: int
    provider: str = ""
    max_pods: int = DEFAULT_PODS
    gpu: int = 0
    arch: str = "amd64"
    price_usd_hour: float | None = None
    price_region: str = ""
    price_date: str = ""


@dataclass(frozen=True)
class Catalogue:
    """Machines by type.

    Examples
    --------
    >>> from wavetank.catalogue import built_in
    >>> machine = built_in()["m5.large"]
    >>> machine.cpu_milli, machine.memory_bytes // 2**20, machine.max_pods
    (2000, 8192, 29)
    """

    machines: dict[str, Machine] = field(default_factory=dict)

    def __getitem__(self, type_: str) -> Machine:
        """Return a machine by its type.

        Raises
        ------
        CatalogueError
            When there is none; the message suggests the nearest names.
        """
        try:
            return self.machines[type_]
        except KeyError:
            raise CatalogueError(self._unknown(type_)) from None

    def __contains__(self, type_: object) -> bool:
        return type_ in self.machines

    def __iter__(self) -> Iterator[Machine]:
        return iter(self.machines.values())

    def __len__(self) -> int:
        return len(self.machines)

    def extended(self, other: Catalogue) -> Catalogue:
        """Return both together; a type in both is the other's."""
        return Catalogue({**self.machines, **other.machines})

    def _unknown(self, type_: str) -> str:
        lower = {name.lower(): name for name in self.machines}
        near = difflib.get_close_matches(type_.lower(), lower, n=3, cutoff=0.6)
        text = f"no machine is called {type_!r}"
        if near:
            return f"{text}; did you mean {' or '.join(lower[name] for name in near)}?"
        return f"{text}; say cpu=... and memory=..., or give a table with --catalogue"


@cache
def built_in() -> Catalogue:
    """Return the table that ships."""
    return read(_SHIPPED)


def catalogue(given: Catalogue | str | Path | None = None) -> Catalogue:
    """Return the table that ships, extended by a file or a catalogue whose rows win."""
    if given is None:
        return built_in()
    return built_in().extended(given if isinstance(given, Catalogue) else read(given))


def read(path: str | Path) -> Catalogue:
    """Read a table of machines from a CSV file.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    CatalogueError
        When it is no such table; the message names file, line and column.
    """
    path = Path(path)
    machines: dict[str, Machine] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            _check_header(path, reader.fieldnames)
            for row in reader:
                machine = _machine(path, reader.line_num, row)
                if machine.type in machines:
                    raise CatalogueError(
                        f"{path}:{reader.line_num}: {machine.type} is in the table twice"
                    )
                machines[machine.type] = machine
    except (UnicodeDecodeError, csv.Error) as error:
        raise CatalogueError(f"{path}: not a CSV table: {error}") from error
    return Catalogue(machines)


def _check_header(path: Path, header: object) -> None:
    names = list(header) if isinstance(header, (list, tuple)) else []
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        raise CatalogueError(
            f"{path}:1: no column {missing[0]!r}; a table of machines has {', '.join(_REQUIRED)}"
        )


def _machine(path: Path, line: int, row: dict[str, str | None]) -> Machine:
    def value(
        column: str, convert: Callable[[str], float], default: float | None = None
    ) -> float | None:
        text = (row.get(column) or "").strip()
        if not text and column not in _REQUIRED:
            return default
        try:
            number = convert(text)
        except ValueError:
            number = -1
        if not 0 <= number < float("inf"):
            raise CatalogueError(f"{path}:{line}: column {column}: {text!r} is not a number")
        return number

    def text(column: str, default: str = "") -> str:
        return (row.get(column) or "").strip() or default

    if not text("type"):
        raise CatalogueError(f"{path}:{line}: column type: every machine has a name")
    price = value("price_usd_hour", float)
    return Machine(
        type=text("type"),
        cpu_milli=round((value("cpu", float) or 0) * 1000),
        memory_bytes=round((value("memory_mib", float) or 0) * 2**20),
        provider=text("provider"),
        max_pods=int(value("max_pods", int, DEFAULT_PODS) or 0),
        gpu=int(value("gpu", int, 0) or 0),
        arch=text("arch", "amd64"),
        price_usd_hour=price,
        price_region=text("price_region"),
        price_date=text("price_date"),
    )
