"""Sending connections: who sends, to what, by whose rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from wavetank.api import Api

from .batch import Batch, told
from .connections import Connections
from .proxy import ProxyOptions
from .sent import Sent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Source: TypeAlias = "str | Sequence[str] | NDArray[Any]"
    Whither: TypeAlias = "str | Sequence[str] | NDArray[Any]"

Protocol: TypeAlias = Literal["TCP", "UDP", "SCTP"]
Mode: TypeAlias = Literal["table", "chain", "aggregate"]

#: Clients a list of the kernel's holds.
AFFINITY_CAP = 100


class Sending(Api):
    """The part of :class:`wavetank.Cluster` that sends connections."""

    def send(
        self,
        source: Source,
        to: Whither,
        count: int | Sequence[int] | NDArray[Any] | None = None,
        *,
        namespace: str = "default",
        protocol: Protocol = "TCP",
        port: int | str | Sequence[int] | NDArray[Any] | None = None,
        source_port: int | Sequence[int] | NDArray[Any] | None = None,
        at: NDArray[Any] | None = None,
        track: bool = False,
        via: str | None = None,
        mode: Mode = "table",
        epoch: int = 0,
        affinity_cap: int | None = AFFINITY_CAP,
        threads: bool = True,
        options: ProxyOptions | None = None,
    ) -> Sent:
        """Send new connections, and say what the rules of kube-proxy make of each.

        A connection goes by the rules of the node it starts on; one from outside by those of
        the node it comes in at. Which endpoint it gets depends on the cluster's seed, its number
        (connections are counted from the first the cluster sends) and ``epoch`` alone: a million
        at once or a thousand times a thousand give the same, whatever the number of threads.

        Parameters
        ----------
        source
            ``"pod/web-0"``, ``"pod/NAMESPACE/web-0"``, ``"node/n1"``, ``"outside"`` or an IP
            address; or one of those per connection; or IPv4 addresses as an array of uint32.
        to
            ``"cart:8080"``, ``"cart.shop:http"``, ``"cart"`` when it has one port, or any
            ``"IP:port"``; or one of those per connection; or IPv4 addresses as uint32.
        count
            How many connections; with columns it is their length, and need not be said. With
            ``mode="aggregate"`` how many to each destination, as one number or a column.
        namespace
            Of pods and Services that are given without one.
        protocol
            Of all connections.
        port
            The port where ``to`` has none: a number, a port's name, or a column of numbers.
        source_port
            The port each comes from, one number or a column; with it connections are tracked.
        at
            When each begins, as ``datetime64[ns]`` or int64 nanoseconds, none before the
            cluster's time. Now without it. Only what nodes remember depends on it.
        track
            Whether nodes remember the connections, as the kernel's conntrack does, and the
            result is one to send more on: :class:`~wavetank.network.Connections`. Without
            ``source_port`` each comes from the next port of 1024 to 65535, by its number; a
            connection like one that is remembered is that one.
        via
            The node at which connections from outside come in. Without it they come in at the
            node they are addressed to, and others at the first that is ready.
        mode
            ``"table"`` looks Services up. ``"chain"`` walks the rules one by one and draws 31
            bits at each, as the kernel does; clients are new to every affinity list.
            ``"aggregate"`` draws counts, and knows no single connection, nor affinity.
        epoch
            Another epoch gives every connection another draw.
        affinity_cap
            How many clients an affinity list holds: the kernel's 100, or ``None`` for any
            number.
        threads
            Whether the work may be shared between threads.
        options
            How kube-proxies are set up.

        Returns
        -------
        Sent
            One row per connection, and the endpoints with their shares.

        Raises
        ------
        NotFoundError
            When there is no such Service, pod or node.
        ValueError
            When the Service has no such port, a source has no address, columns differ in length
            or a number is out of range.

        Notes
        -----
        The rules are those of kube-proxy 1.36 in iptables mode (``pkg/proxy/iptables``), which
        :meth:`iptables` writes out.

        Examples
        --------
        >>> import wavetank as wt
        >>> cluster = wt.Cluster(seed=7)
        >>> _ = cluster.add_nodes(cpu="4", memory="8Gi", count=2)
        >>> _ = cluster.create({"apiVersion": "v1", "kind": "Service",
        ...                     "metadata": {"name": "cart"}, "spec": {"ports": [{"port": 80}]}})
        >>> cluster.send("outside", "cart:80", 1000)
        1,000 connections from outside to cart:80: 1,000 refused
        """
        if mode not in ("table", "chain", "aggregate"):
            raise ValueError(f'mode: {mode!r}: a mode is "table", "chain" or "aggregate"')
        batch = Batch.of(self, source, to, port, namespace=namespace, protocol=protocol, via=via)
        counted = mode == "aggregate"
        columns = {
            **batch.columns(count, self._times(at), source_port, counted=counted),
            "protocol": protocol,
            "options": (options or ProxyOptions()).to_dict(),
            "epoch": epoch,
            "threads": threads,
            "cap": affinity_cap,
            "mode": mode,
        }
        names = (told(source, "sources"), told(to, "destinations"))
        if track or source_port is not None:
            if mode != "table":
                raise ValueError(f'mode: {mode!r}: only connections of mode "table" are remembered')
            return Connections.begin(self._world, columns, names)
        return Sent(self._world.send(columns), *names)

    @property
    def connection_count(self) -> int:
        """How many connections nodes remember now: those sent with ``track=True``."""
        return self._world.connection_count()

    def _times(self, at: Any) -> NDArray[Any]:
        import numpy as np  # noqa: PLC0415

        now_ns = self._world.now_ns
        if at is None:
            return np.array([now_ns], np.int64)
        times = np.atleast_1d(np.asarray(at))
        if times.dtype.kind == "M":
            times = times.astype("datetime64[ns]").view(np.int64)
        if times.dtype.kind not in "iu" or times.ndim != 1:
            raise ValueError(
                "at: times are datetime64[ns] or int64 nanoseconds, one per connection"
            )
        if len(times) and times.min() < now_ns:
            raise ValueError("at: a connection cannot begin before the cluster's time")
        return times.astype(np.int64)
