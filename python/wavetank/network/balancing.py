"""Load balancers: over which nodes they spread connections, and to which one each goes.

Whom a balancer may send to follows the cloud controllers (KEP-3458): nodes that are not being
deleted, not labelled out and not about to be removed by the autoscaler. Which of them answer is up
to health checks: with ``externalTrafficPolicy: Local`` those with a ready endpoint of their own,
otherwise every node that is ready.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from wavetank import show

from .places import _node
from .targets import is_ready

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from wavetank.api import Api

    from .proxy import Family

#: How a load balancer chooses: nodes in turn, by a hash of the connection's addresses and ports,
#: or always the one that announces the address, as MetalLB's layer 2 mode does.
Spread: TypeAlias = Literal["round-robin", "hash", "leader"]
SPREADS = ("round-robin", "hash", "leader")

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
_REMOVED = "ToBeDeletedByClusterAutoscaler"
_SERVICE_NAME = "kubernetes.io/service-name"


@dataclass(frozen=True)
class BalancerTarget:
    """A node as a load balancer sees it.

    Attributes
    ----------
    node, address, port
        The node, its address, and the port connections are sent to there: the node port where
        the balancer passes connections on as its own (``ipMode: Proxy``).
    healthy
        Whether connections are sent to it.
    weight
        How many of the connections, in proportion: its ready endpoints, where the balancer reads
        the header of the health check that tells.
    why
        Why it is left out.
    """

    node: str
    address: str
    port: int
    healthy: bool = True
    weight: int = 1
    why: str = ""


@dataclass(frozen=True)
class LoadBalancer:
    """The load balancer of a Service; see :meth:`wavetank.Cluster.load_balancer`.

    Attributes
    ----------
    service, namespace
        The Service.
    address
        The balancer's own address; empty when it has none yet.
    proxy
        Whether nodes see the balancer as the sender and their node port as the destination.
    spread
        How a node is chosen: ``"round-robin"``, ``"hash"`` or ``"leader"``.
    targets
        The nodes, healthy or not, by name.
    """

    service: str
    namespace: str
    address: str
    proxy: bool
    spread: Spread
    targets: tuple[BalancerTarget, ...]

    @property
    def usable(self) -> list[BalancerTarget]:
        """The nodes connections are sent to."""
        healthy = [one for one in self.targets if one.healthy and one.weight > 0]
        if self.spread != "leader":
            return healthy
        # The order of MetalLB's speakers, which agree on it without talking to each other.
        return sorted(healthy, key=self._rank)[:1]

    def _rank(self, target: BalancerTarget) -> bytes:
        return hashlib.sha256(f"{target.node}#{self.address}".encode()).digest()

    def shares(self) -> dict[str, float]:
        """Return the share of the connections each node gets in the long run."""
        usable = self.usable
        total = sum(one.weight for one in usable)
        return {one.node: one.weight / total for one in usable}

    def assign(
        self,
        count: int | None = None,
        *,
        sources: str | Sequence[str] = "198.51.100.1",
        source_ports: Sequence[int] | NDArray[np.int64] | None = None,
        port: int = 80,
        first: int = 0,
    ) -> NDArray[np.int64]:
        """Return for each of many connections which of :attr:`usable` takes it.

        Parameters
        ----------
        count
            How many connections; as many as there are source ports when absent.
        sources
            The clients' address, or one per connection.
        source_ports
            Their ports; 32768 and on when absent.
        first
            How many connections there were before: where nodes in turn go on.

        Returns
        -------
        array of int64, shape (count,)

        Raises
        ------
        ValueError
            When no node takes connections.
        """
        import numpy as np  # noqa: PLC0415 - slow to import

        usable = self.usable
        if not usable:
            raise ValueError(f"no node takes connections to {self.address or self.service}")
        if source_ports is None:
            source_ports = 32768 + np.arange(1 if count is None else count) % 28232
        ports = np.asarray(source_ports, dtype=np.uint64)
        edges = np.cumsum([one.weight for one in usable])
        if self.spread == "hash":
            own = _number(self.address or "0.0.0.0") ^ (port << 48)  # noqa: S104 - hashed only
            names = [sources] if isinstance(sources, str) else sources
            clients = np.array([_number(name) for name in names], dtype=np.uint64)
            drawn = _mixed(_mixed(clients ^ np.uint64(own)) ^ ports) % np.uint64(edges[-1])
        else:
            drawn = (np.arange(len(ports)) + first) % edges[-1]
        chosen: NDArray[np.int64] = np.searchsorted(edges, drawn.astype(np.int64), side="right")
        return chosen

    def pick(
        self,
        number: int = 0,
        source: str = "198.51.100.1",
        source_port: int = 32768,
        port: int = 80,
    ) -> BalancerTarget:
        """Return the node that one connection goes to, the ``number``-th of all."""
        chosen = self.assign(sources=source, source_ports=[source_port], port=port, first=number)
        return self.usable[int(chosen[0])]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    def _rows(self) -> list[list[str]]:
        shares = self.shares() if self.usable else {}
        return [
            [
                one.node,
                one.address,
                str(one.port),
                f"{shares.get(one.node, 0):.1%}",
                one.why or ("" if one.node in shares else "another node announces the address"),
            ]
            for one in self.targets
        ]

    def __str__(self) -> str:
        rows = self._rows()
        return show.as_text(_HEADINGS, rows, len(rows))

    def _repr_html_(self) -> str:
        rows = self._rows()
        return show.as_html(_HEADINGS, rows, len(rows))


_HEADINGS = ["NODE", "ADDRESS", "PORT", "SHARE", "LEFT OUT BECAUSE"]


def load_balancer(
    api: Api,
    service: Any,
    *,
    port: int | str | None = None,
    family: Family = "IPv4",
    spread: Spread = "round-robin",
    weighted: bool = False,
) -> LoadBalancer:
    """Return the load balancer of a Service; see :meth:`wavetank.Cluster.load_balancer`."""
    if spread not in SPREADS:
        known = ", ".join(f'"{one}"' for one in SPREADS)
        raise ValueError(f'Unsupported value: "{spread}": supported values: {known}')
    meta, spec = service["metadata"], service["spec"]
    version = 4 if family == "IPv4" else 6
    entries = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    entries = [one for one in entries if "ip" in one]
    entries = [one for one in entries if ipaddress.ip_address(one["ip"]).version == version]
    proxy = bool(entries) and entries[0].get("ipMode") == "Proxy"
    ports = spec.get("ports") or []
    wanted = [
        one for one in ports if port is None or str(port) in (str(one["port"]), one.get("name"))
    ]
    if not wanted:
        raise ValueError(f"service {meta['name']} has no port {port}")
    number = wanted[0].get("nodePort", 0) if proxy else wanted[0]["port"]
    local = spec.get("externalTrafficPolicy") == "Local"
    ready = (
        ready_endpoints(api, meta["namespace"], meta["name"], family) if local or weighted else {}
    )
    targets = []
    for node in api.get("nodes"):
        try:
            place = _node(node)
            address = place.address(family)
        except ValueError:
            continue
        why = _left_out(node)
        if not why and local and not ready.get(place.name):
            why = "no ready endpoint there"
        weight = ready.get(place.name, 0) if weighted else 1
        targets.append(BalancerTarget(place.name, address, number, not why, weight, why))
    return LoadBalancer(
        meta["name"],
        meta["namespace"],
        entries[0]["ip"] if entries else "",
        proxy,
        spread,
        tuple(targets),
    )


def _left_out(node: Any) -> str:
    meta = node["metadata"]
    if "deletionTimestamp" in meta:
        return "it is being deleted"
    if EXCLUDED in meta.get("labels", {}):
        return f"label {EXCLUDED}"
    if any(taint["key"] == _REMOVED for taint in node["spec"].get("taints") or []):
        return f"taint {_REMOVED}"
    return "" if is_ready(node) else "it is not ready"


def ready_endpoints(api: Api, namespace: str, service: str, family: Family) -> dict[str, int]:
    """Return how many ready endpoints of a Service each node has."""
    counts: dict[str, int] = {}
    selector = f"{_SERVICE_NAME}={service}"
    for piece in api.get("endpointslices", namespace=namespace, label_selector=selector):
        if piece["addressType"] != family:
            continue
        for endpoint in piece.get("endpoints") or []:
            node = endpoint.get("nodeName")
            if node and endpoint.get("conditions", {}).get("ready", True):
                counts[node] = counts.get(node, 0) + 1
    return counts


def _number(address: str) -> int:
    whole = int(ipaddress.ip_address(address))
    return (whole ^ (whole >> 64)) & (2**64 - 1)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return 64 bits in which every bit of the input counts (splitmix64)."""
    import numpy as np  # noqa: PLC0415

    with np.errstate(over="ignore"):
        values = values + np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: NDArray[np.uint64] = values ^ (values >> np.uint64(31))
        return mixed
