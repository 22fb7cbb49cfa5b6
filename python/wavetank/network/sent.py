"""What became of connections: a table of them, and one of the endpoints they reached."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from wavetank import show
from wavetank.results import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wavetank import _core

VERDICTS = ("endpoint", "accept", "drop", "reject")


class Sent(Table):
    """Connections that were sent, one row each: ``sent["pod"]``, ``sent.to_pandas()``.

    Made by :meth:`wavetank.Cluster.send`. It shows itself as the endpoints with their shares,
    which :attr:`endpoints` has as a table.

    Columns: ``verdict`` (``endpoint``; ``accept``: no Service claims the packet, it goes where it
    was addressed to; ``drop``; ``reject``: dropped, and the sender told), ``endpoint`` (the row of
    :attr:`endpoints`, -1 for none), ``service``, ``pod``, ``node`` and ``zone`` of the endpoint,
    ``masqueraded`` (the endpoint sees a node's address as the client's), ``established`` (it was
    remembered, and goes where it went before), ``dropped``, ``rejected``.
    """

    def __init__(self, core: _core.Sent, source: str, to: str) -> None:
        super().__init__(core, "connections")
        self._core = core
        self._told = f"{source} to {to}"

    def __len__(self) -> int:
        return len(self._flags)

    @property
    def endpoints(self) -> Table:
        """The endpoints of every service port that was reached.

        Columns: ``service``, ``address``, ``port``, ``pod``, ``node``, ``zone``, ``connections``
        and their ``share`` of all that reached an endpoint. Endpoints that take no connections
        of this source are there too, with none.
        """
        return Table(self._core, "endpoints")

    @cached_property
    def _flags(self) -> NDArray[Any]:
        return self._core.flags()

    @cached_property
    def endpoint(self) -> NDArray[Any]:
        """The row of each connection's endpoint in :attr:`endpoints`, int32; -1 for none."""
        return self._core.endpoint()

    @cached_property
    def verdict(self) -> NDArray[Any]:
        """What became of each, uint8: 0 endpoint, 1 accept, 2 drop, 3 reject."""
        verdicts: NDArray[Any] = self._flags & 3
        return verdicts

    @property
    def masqueraded(self) -> NDArray[Any]:
        """Whether each got the address of a node as its source."""
        masqueraded: NDArray[Any] = (self._flags & 4) != 0
        return masqueraded

    @property
    def established(self) -> NDArray[Any]:
        """Whether each belongs to a connection a node remembered."""
        established: NDArray[Any] = (self._flags & 16) != 0
        return established

    @property
    def dropped(self) -> NDArray[Any]:
        """Whether each was thrown away in silence."""
        dropped: NDArray[Any] = self.verdict == 2
        return dropped

    @property
    def rejected(self) -> NDArray[Any]:
        """Whether each was refused with an answer."""
        rejected: NDArray[Any] = self.verdict == 3
        return rejected

    @cached_property
    def totals(self) -> dict[str, int]:
        """How many connections met each verdict, and how many were masqueraded."""
        return self._core.totals()

    def _summary(self) -> str:
        totals = self.totals
        count = sum(totals[verdict] for verdict in VERDICTS)
        words = {
            "endpoint": "reached an endpoint",
            "accept": "went where no Service is",
            "drop": "dropped",
            "reject": "refused",
        }
        parts = [f"{totals[verdict]:,} {words[verdict]}" for verdict in VERDICTS if totals[verdict]]
        if totals["masqueraded"]:
            parts[0] += f" ({totals['masqueraded']:,} masqueraded)"
        noun = "connection" if count == 1 else "connections"
        return f"{count:,} {noun} from {self._told}: {', '.join(parts) or 'nothing sent'}"

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        table = self.endpoints
        headings = ["SERVICE", "ENDPOINT", "POD", "NODE", "ZONE", "CONNECTIONS", "SHARE"]
        rows = []
        columns = table.to_numpy()
        for at in show.chosen(len(table)):
            if at is None:
                rows.append([show.GAP] * len(headings))
                continue
            row = {name: column[at] for name, column in columns.items()}
            address = f"[{row['address']}]" if ":" in row["address"] else row["address"]
            rows.append(
                [
                    row["service"],
                    f"{address}:{row['port']}",
                    row["pod"] or "<none>",
                    row["node"] or "<none>",
                    row["zone"] or "<none>",
                    f"{row['connections']:,}",
                    f"{row['share']:.2%}",
                ]
            )
        return headings, rows

    def __repr__(self) -> str:
        headings, rows = self._cells()
        if not rows:
            return self._summary()
        return f"{self._summary()}\n{show.as_text(headings, rows, len(self.endpoints))}"

    def _repr_html_(self) -> str:
        headings, rows = self._cells()
        table = show.as_html(headings, rows, len(self.endpoints)) if rows else ""
        return f"<p>{self._summary()}</p>{table}"
