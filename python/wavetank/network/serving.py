"""A cluster's DNS on a real port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank import _core

if TYPE_CHECKING:
    from types import TracebackType


class DnsServer:
    """A DNS server, UDP and TCP, whose answers follow a cluster.

    Made by :meth:`wavetank.Cluster.serve_dns`; closed at the end of a ``with`` block.

    Attributes
    ----------
    host, port
        Where it listens.
    """

    def __init__(self, world: _core.World, host: str, port: int) -> None:
        if not 0 <= port <= 65535:
            raise ValueError(f"port: {port}: must be between 0 and 65535")
        try:
            self._server = _core.DnsServer(world, host, port)
        except OSError as error:
            # Which address could not be had is not in the system's words.
            told = error.strerror or str(error)
            raise OSError(error.errno, told, f"{host} port {port}") from None
        self.host: str = self._server.host
        self.port: int = self._server.port

    @property
    def counters(self) -> dict[str, int]:
        """What it counted: messages in, replies by code, and what was wrong with the rest."""
        return dict(self._server.counters())

    def close(self) -> None:
        """Stop answering; counters stay."""
        self._server.close()

    def __enter__(self) -> DnsServer:  # noqa: PYI034 - Self came with Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._server.closed else f"{self.host} port {self.port}"
        return f"<DnsServer {state}>"
