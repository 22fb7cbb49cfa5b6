"""Connections that nodes remember: more packets go where the first one went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .sent import Sent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wavetank import _core

#: The ports a client's connections come from, and how many there are.
_FIRST_PORT, _PORTS = 1024, 64_512


class Connections(Sent):
    """Connections sent with ``track=True``, and the means to go on with them.

    A node remembers a connection to a Service until it has been silent for too long: TCP for
    24 hours, as kube-proxy sets it, 120 s once it is closed and 1 hour if only one side has
    closed it; UDP for 30 s, or 120 s when it has lasted more than two; SCTP for 210 s. Meanwhile
    it stays with its endpoint, whether the Service still has that or not; only UDP connections
    to an endpoint that serves no more are cleared, while others do serve. Times are kept to the
    millisecond.

    Connections belong to the cluster that sent them; in a fork, :meth:`of` goes on with them.
    """

    def __init__(
        self,
        core: _core.Sent,
        world: _core.World,
        columns: dict[str, Any],
        names: tuple[str, str],
    ) -> None:
        super().__init__(core, *names)
        self._in, self._sent, self._names = world, columns, names

    @classmethod
    def begin(
        cls, world: _core.World, columns: dict[str, Any], names: tuple[str, str]
    ) -> Connections:
        """Send the first packets."""
        import numpy as np  # noqa: PLC0415 - read when something is sent

        if columns["source_port"] is None:
            first = world.sent_count()
            numbers = np.arange(first, first + columns["count"], dtype=np.uint64)
            ports = (_FIRST_PORT + numbers % _PORTS).astype(np.uint16)
            alone = len(columns["source"]) == len(columns["destination"]) == 1
            if alone and columns["count"] > _PORTS:
                raise ValueError(
                    f"count: {columns['count']:,}: one client has {_PORTS:,} ports to connect from"
                )
            columns = {**columns, "source_port": ports}
        return cls(world.send(columns), world, columns, names)

    def of(self, cluster: Any) -> Connections:
        """Return the same connections in another cluster: a fork of the one that sent them."""
        return Connections(self._core, cluster.world, self._sent, self._names)

    def send(self) -> Connections:
        """Send another packet on each connection now.

        One that is not remembered any more is a new connection to whoever gets it.
        """
        columns = self._now()
        return Connections(self._in.send(columns), self._in, columns, self._names)

    def close(self, *, half: bool = False) -> None:
        """Close the TCP connections: both sides, or with ``half`` only one."""
        self._in.close_connections(self._now(), half)

    @property
    def alive(self) -> NDArray[Any]:
        """Whether a node remembers each, now."""
        alive: NDArray[Any] = self._in.look_at_connections(self._now()) >= 0
        return alive

    @property
    def node_port(self) -> NDArray[Any]:
        """The port of the node each masqueraded connection seems to come from, now.

        0 for one that is not masqueraded, -1 for one that is not remembered.
        """
        return self._in.look_at_connections(self._now())

    def _now(self) -> dict[str, Any]:
        import numpy as np  # noqa: PLC0415

        return {**self._sent, "at_ns": np.array([self._in.now_ns], np.int64)}
