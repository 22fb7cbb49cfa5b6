"""The columns of connections: names become numbers once, however many connections there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .destinations import Destinations, family_of
from .places import Place, locate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wavetank.api import Api

    from .proxy import Family

PROTOCOLS = ("TCP", "UDP", "SCTP")

#: Stands for the node of what is on none.
OUTSIDE = ""


@dataclass
class Batch:
    """Where connections come from and go to: columns of one value, or of one each."""

    api: Api
    protocol: str
    via: str | None
    family: Family = "IPv4"
    source: NDArray[Any] = field(init=False)
    node: NDArray[Any] = field(init=False)
    nodes: list[str] = field(init=False)
    destination: NDArray[Any] = field(init=False)
    port: NDArray[Any] = field(init=False)
    #: Whether destinations may be addresses of nodes.
    _at_nodes: bool = True

    @classmethod
    def of(
        cls,
        api: Api,
        source: Any,
        to: Any,
        port: Any,
        *,
        namespace: str,
        protocol: str,
        via: str | None,
    ) -> Batch:
        """Read the arguments of :meth:`wavetank.Cluster.send`."""
        if protocol not in PROTOCOLS:
            raise ValueError(
                f'protocol: Unsupported value: "{protocol}": supported values: "SCTP", "TCP", "UDP"'
            )
        batch = cls(api, protocol, via)
        if is_numbers(source):
            addresses = _addresses("source", source)
            batch._read_destinations(to, port, namespace, ["IPv4"])
            batch.source = addresses
            batch.nodes, batch.node = api.world.nodes_of_addresses(addresses, OUTSIDE)
            batch._let_in()
            return batch
        texts, codes = _distinct("source", source)
        places = [locate(api, text, namespace) for text in texts]
        families = [one for one in ("IPv4", "IPv6") if all(_has(place, one) for place in places)]
        batch._read_destinations(to, port, namespace, families)
        batch._read_places(places, codes)
        return batch

    def columns(
        self, count: Any, at_ns: NDArray[Any], source_port: Any, *, counted: bool
    ) -> dict[str, Any]:
        """Return the columns, and how many connections they are.

        Raises
        ------
        ValueError
            When columns differ in length, or a count is negative.
        """
        import numpy as np  # noqa: PLC0415 - read when something is sent

        lengths = {"source": self.source, "to": self.destination, "port": self.port, "at": at_ns}
        ports = None
        if source_port is not None:
            given = [source_port] if isinstance(source_port, int) else source_port
            ports = lengths["source_port"] = _ports(given, "source_port")
        counts = None
        if counted:
            counts = np.atleast_1d(np.asarray(1 if count is None else count))
            if counts.dtype.kind not in "iu" or counts.ndim != 1:
                raise ValueError("count: how many connections, as whole numbers")
            if len(counts) and counts.min() < 0:
                raise ValueError(f"count: {counts.min()}: must be greater than or equal to 0")
            many = _length({**lengths, "count": counts}, None)
            counts = np.broadcast_to(counts, many).astype(np.uint64)
        else:
            many = _length(lengths, _whole(count))
        return {
            "family": self.family,
            "nodes": self.nodes,
            "node": self.node,
            "source": self.source,
            "destination": self.destination,
            "port": self.port,
            "at_ns": at_ns,
            "count": many,
            "counts": counts,
            "source_port": ports,
        }

    def _read_destinations(self, to: Any, port: Any, namespace: str, families: list[Any]) -> None:
        import numpy as np  # noqa: PLC0415

        numbers = None if port is None or isinstance(port, (str, int)) else _ports(port)
        if is_numbers(to):
            self.destination = _addresses("to", to)
            if port is None:
                raise ValueError("to: addresses need a port: port=80")
            self.port = _ports([port]) if numbers is None else numbers
            return
        texts, codes = _distinct("to", to)
        read = Destinations(self.api, namespace, self.protocol, families)
        # A column of ports stands for the port each destination does not have.
        found = [read.read(text, port if numbers is None else 1) for text in texts]
        for text, (_, said) in zip(texts, found, strict=True):
            if said is None:
                raise ValueError(f"to: {text!r} has no port: write {text}:80, or port=80")
        every = {family_of(address) for address, _ in found}
        if len(every) > 1:
            raise ValueError("to: connections of one call are all IPv4 or all IPv6")
        self.family = next(iter(every), "IPv4")
        self._at_nodes = any(not read.is_service(text) for text in texts)
        known = self.api.world.number_addresses(self.family, [address for address, _ in found])
        self.destination = known[codes]
        own = np.array([said for _, said in found], np.uint16)
        self.port = own[codes] if numbers is None else numbers

    def _read_places(self, places: list[Place], codes: NDArray[Any]) -> None:
        import numpy as np  # noqa: PLC0415

        addresses = [place.address(self.family) for place in places]
        self.source = self.api.world.number_addresses(self.family, addresses)[codes]
        nodes = [_node(place) for place in places]
        self.nodes = list(dict.fromkeys(nodes))
        order = {name: at for at, name in enumerate(self.nodes)}
        self.node = np.array([order[node] for node in nodes], np.uint32)[codes]
        self._let_in()

    def _let_in(self) -> None:
        """Let traffic from outside in: at the node it is addressed to, or else at the gate."""
        import numpy as np  # noqa: PLC0415

        if OUTSIDE not in self.nodes:
            return
        if self.via is not None:
            names, nodes = [self.via], np.zeros(1, np.uint32)
            self.api.get("nodes", self.via)
        elif self.family == "IPv4" and self._at_nodes:
            names, nodes = self.api.world.nodes_of_addresses(self.destination, OUTSIDE)
        else:
            names, nodes = [OUTSIDE], np.zeros(1, np.uint32)
        names = [self._gate() if name == OUTSIDE else name for name in names]
        outside = self.nodes.index(OUTSIDE)
        first = len(self.nodes)
        if len(self.node) == 1 and first == 1:
            self.nodes, self.node = names, nodes
            return
        many = _length({"source": self.node, "to": nodes}, None)
        node, door = np.broadcast_to(self.node, many), np.broadcast_to(nodes, many)
        self.nodes = [*self.nodes, *names]
        self.nodes[outside] = names[0]
        self.node = np.where(node == outside, door + np.uint32(first), node).astype(np.uint32)

    def _gate(self) -> str:
        """Return the first node that is ready."""
        columns = self.api.world.columns("nodes")
        for name, ready in zip(columns["name"], columns["ready"], strict=True):
            if ready:
                return str(name)
        raise ValueError("no node is ready: nothing lets traffic from outside in")


def _node(place: Place) -> str:
    if place.kind != "outside" and not place.node:
        raise ValueError(f"source: {place} is on no node")
    return place.node


def is_numbers(values: Any) -> bool:
    """Whether an argument is a column of numbers rather than of text."""
    return getattr(values, "dtype", None) is not None and values.dtype.kind in "iuf"


def told(values: Any, noun: str) -> str:
    """Return how an argument is named in a sentence."""
    if isinstance(values, str):
        return values
    if len(values) == 1 and isinstance(values[0], str):
        return str(values[0])
    return f"{len(values):,} {noun}"


def _has(place: Place, family: Any) -> bool:
    return any(family_of(address) == family for address in place.addresses)


def _addresses(name: str, values: Any) -> NDArray[Any]:
    import numpy as np  # noqa: PLC0415

    if values.dtype.kind == "f" or values.ndim != 1:
        raise ValueError(f"{name}: addresses are a column of uint32, or of text")
    if len(values) and (values.min() < 0 or values.max() >= 1 << 32):
        raise ValueError(f"{name}: a number is no IPv4 address: it has 32 bits")
    return np.ascontiguousarray(values, np.uint32)


def _ports(values: Any, name: str = "port") -> NDArray[Any]:
    import numpy as np  # noqa: PLC0415

    numbers = np.asarray(values)
    if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
        raise ValueError(f"{name}: ports of a column are whole numbers")
    wrong = (numbers < 1) | (numbers >= 1 << 16)
    if wrong.any():
        raise ValueError(f"{name}: {numbers[wrong][0]} is no number from 1 to 65535")
    return np.ascontiguousarray(numbers, np.uint16)


def _distinct(name: str, values: Any) -> tuple[list[str], NDArray[Any]]:
    """Return the different texts of a column, and which of them each row is."""
    import numpy as np  # noqa: PLC0415

    if isinstance(values, str):
        return [values], np.zeros(1, np.intp)
    order: dict[str, int] = {}
    codes = [order.setdefault(value, len(order)) for value in values]
    for value in order:
        if not isinstance(value, str):
            raise TypeError(f"{name}: {value!r}: a column is text, or an array of numbers")
    return list(order), np.array(codes, np.intp)


def _whole(count: Any) -> int | None:
    if count is None:
        return None
    if isinstance(count, bool) or not hasattr(count, "__index__"):
        raise TypeError(f"count: {count!r}: how many connections, as a whole number")
    number = int(count)
    if number < 0:
        raise ValueError(f"count: {number}: must be greater than or equal to 0")
    return number


def _length(columns: dict[str, NDArray[Any]], count: int | None) -> int:
    """Return how many connections there are: columns of one value are for all."""
    lengths = {name: len(column) for name, column in columns.items() if len(column) != 1}
    if count is not None:
        lengths = {"count": count, **lengths}
    if len(set(lengths.values())) > 1:
        (first, one), (second, other) = _differing(lengths)
        raise ValueError(f"columns have one length: {first} has {one:,}, {second} {other:,}")
    return next(iter(lengths.values()), 1)


def _differing(lengths: dict[str, int]) -> list[tuple[str, int]]:
    pairs = list(lengths.items())
    return [pairs[0], next(pair for pair in pairs if pair[1] != pairs[0][1])]
