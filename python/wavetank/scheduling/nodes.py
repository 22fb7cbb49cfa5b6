"""The nodes a plugin is asked about: as columns, or one by one.

Columns over all nodes are kept in the core and follow what changes; a question takes its part of
them, without a copy where the nodes asked about stand together.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from wavetank import _core


class Columns:
    """Columns over every node by its number, kept from one question to the next."""

    def __init__(self, world: _core.World) -> None:
        self.world = world
        self._epoch = -1
        self._found: dict[tuple[str, str], Any] = {}

    def begin(self, epoch: int) -> None:
        """Forget everything when nodes came, went or changed."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._found.clear()

    def whole(self, name: str, resource: str) -> Any:
        """Return a column over every node."""
        key = (name, resource)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._read(name, resource)
        return found

    def _read(self, name: str, resource: str) -> Any:
        if name == "name":
            names = np.empty(0, dtype=object)
            return np.append(names, np.array(self.world.node_names(), dtype=object))
        if name == "label":
            codes, values = self.world.node_labels(resource)
            return codes, tuple(values)
        # A view of what cannot be written to cannot be made writable.
        column: Any = self.world.node_column(name, resource)
        return np.asarray(memoryview(column))


class Nodes:
    """The nodes a plugin is asked about, in columns of one entry per node.

    The arrays are read-only and good for the duration of the call: copy what is to be kept.
    Amounts are those the scheduler counts with: what the pods on a node request, and what the
    node has for pods.
    """

    def __init__(self, columns: Columns, ids: NDArray[np.int64], on_trial: bool) -> None:
        self._columns = columns
        self._ids = ids
        self._on_trial = on_trial
        count = len(ids)
        together = count > 0 and int(ids[-1]) - int(ids[0]) + 1 == count and not on_trial
        self._part: Any = slice(int(ids[0]), int(ids[-1]) + 1) if together else ids
        self._taken: dict[tuple[str, str], Any] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Node]:
        return (Node(self, at) for at in range(len(self)))

    def __getitem__(self, at: int) -> Node:
        return Node(self, range(len(self))[at])

    def __repr__(self) -> str:
        return f"<{len(self):,} nodes>"

    @property
    def names(self) -> NDArray[np.object_]:
        """Their names."""
        names: NDArray[np.object_] = self._shared("name")
        return names

    @property
    def allocatable_cpu_milli(self) -> NDArray[np.int64]:
        """Thousandths of a core for pods."""
        return self._amounts("allocatable_cpu_milli")

    @property
    def allocatable_memory_bytes(self) -> NDArray[np.int64]:
        """Bytes of memory for pods."""
        return self._amounts("allocatable_memory_bytes")

    @property
    def allocatable_pods(self) -> NDArray[np.int64]:
        """How many pods they may have."""
        return self._amounts("allocatable_pods")

    @property
    def requested_cpu_milli(self) -> NDArray[np.int64]:
        """Thousandths of a core their pods request."""
        return self._amounts("requested_cpu_milli")

    @property
    def requested_memory_bytes(self) -> NDArray[np.int64]:
        """Bytes of memory their pods request."""
        return self._amounts("requested_memory_bytes")

    @property
    def requested_pods(self) -> NDArray[np.int64]:
        """How many pods they have."""
        return self._amounts("requested_pods")

    @property
    def unschedulable(self) -> NDArray[np.bool_]:
        """Where ``spec.unschedulable`` is set."""
        return np.asarray(self._amounts("unschedulable") != 0)

    def allocatable(self, resource: str) -> NDArray[np.int64]:
        """Return what they have of any resource; ``cpu`` in thousandths of a core."""
        return self._amounts("allocatable", resource)

    def requested(self, resource: str) -> NDArray[np.int64]:
        """Return what their pods request of any resource; ``cpu`` in thousandths of a core."""
        return self._amounts("requested", resource)

    def free(self, resource: str) -> NDArray[np.int64]:
        """Return what is left of any resource."""
        return self.allocatable(resource) - self.requested(resource)

    def label(self, key: str) -> Labels:
        """Return one label of every node."""
        codes, values = self._columns.whole("label", key)
        return Labels(codes[self._part], values)

    def labels_of(self, at: int) -> dict[str, str]:
        """Return all labels of the node at a place."""
        return dict(self._columns.world.labels_of_node(int(self._ids[at])))

    def _amounts(self, name: str, resource: str = "") -> NDArray[np.int64]:
        key = (name, resource)
        found: NDArray[np.int64] | None = self._taken.get(key)
        if found is None:
            if self._on_trial:
                found = self._taken[key] = self._columns.world.node_column(name, resource)
            else:
                found = self._shared(name, resource)
        return found

    def _shared(self, name: str, resource: str = "") -> Any:
        key = (name, resource)
        found = self._taken.get(key)
        if found is None:
            found = self._columns.whole(name, resource)[self._part]
            found.setflags(write=False)
            self._taken[key] = found
        return found


class Labels:
    """One label of many nodes, as codes.

    Attributes
    ----------
    codes
        For each node the place of its value in ``values``; -1 where it has none.
    values
        The values there are, sorted.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, codes: NDArray[np.int32], values: Sequence[str]) -> None:
        self.codes = codes
        self.values = values

    def __len__(self) -> int:
        return len(self.codes)

    def __eq__(self, value: object) -> NDArray[np.bool_]:  # type: ignore[override]
        return self.isin([value])

    def __ne__(self, value: object) -> NDArray[np.bool_]:  # type: ignore[override]
        return ~self.isin([value])

    @property
    def present(self) -> NDArray[np.bool_]:
        """Where there is one."""
        return self.codes >= 0

    def isin(self, values: Iterable[object]) -> NDArray[np.bool_]:
        """Return where it is one of these."""
        wanted = set(values)
        table = np.array([value in wanted for value in self.values] + [False])
        return table[self.codes]

    def numbers(self, default: float = np.nan) -> NDArray[np.float64]:
        """Return it as numbers; `default` where there is none, or where it is no number."""
        table = np.array([*map(_number(default), self.values), default], dtype=np.float64)
        return table[self.codes]

    def tolist(self) -> list[str | None]:
        """Return it as texts; ``None`` where there is none."""
        return [None if code < 0 else self.values[code] for code in self.codes.tolist()]


def _number(default: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            return default

    return read


class Node:
    """One of the nodes a plugin is asked about."""

    def __init__(self, nodes: Nodes, at: int) -> None:
        self._nodes = nodes
        self._at = at

    def _get(self, name: str) -> int:
        return int(operator.attrgetter(name)(self._nodes)[self._at])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._nodes.names[self._at])

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return self._nodes.labels_of(self._at)

    @property
    def allocatable_cpu_milli(self) -> int:
        """Thousandths of a core for pods."""
        return self._get("allocatable_cpu_milli")

    @property
    def allocatable_memory_bytes(self) -> int:
        """Bytes of memory for pods."""
        return self._get("allocatable_memory_bytes")

    @property
    def allocatable_pods(self) -> int:
        """How many pods it may have."""
        return self._get("allocatable_pods")

    @property
    def requested_cpu_milli(self) -> int:
        """Thousandths of a core its pods request."""
        return self._get("requested_cpu_milli")

    @property
    def requested_memory_bytes(self) -> int:
        """Bytes of memory its pods request."""
        return self._get("requested_memory_bytes")

    @property
    def requested_pods(self) -> int:
        """How many pods it has."""
        return self._get("requested_pods")

    @property
    def unschedulable(self) -> bool:
        """Whether ``spec.unschedulable`` is set."""
        return bool(self._nodes.unschedulable[self._at])

    def allocatable(self, resource: str) -> int:
        """Return what it has of any resource; ``cpu`` in thousandths of a core."""
        return int(self._nodes.allocatable(resource)[self._at])

    def requested(self, resource: str) -> int:
        """Return what its pods request of any resource; ``cpu`` in thousandths of a core."""
        return int(self._nodes.requested(resource)[self._at])

    def free(self, resource: str) -> int:
        """Return what is left of any resource."""
        return self.allocatable(resource) - self.requested(resource)

    def __repr__(self) -> str:
        return f"<Node {self.name}>"
