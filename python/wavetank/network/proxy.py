"""kube-proxy: how it is set up, and the rules it writes, sync by sync."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wavetank import _core

Family: TypeAlias = Literal["IPv4", "IPv6"]


#: The jumps from the kernel's own chains, first to last, as ``iptables-restore --noflush`` takes
#: them after the rules. kube-proxy makes them one by one, with ``iptables``, when it starts.
JUMPS = """\
*filter
-A INPUT -j KUBE-FIREWALL
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" \
-j KUBE-PROXY-FIREWALL
-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service \
portals" -j KUBE-EXTERNAL-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" \
-j KUBE-PROXY-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" \
-j KUBE-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service \
portals" -j KUBE-EXTERNAL-SERVICES
-A OUTPUT -j KUBE-FIREWALL
-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" \
-j KUBE-PROXY-FIREWALL
-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" \
-j KUBE-SERVICES
COMMIT
*nat
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
COMMIT
"""

#: The same for ``ip6tables-restore``, without the jumps to a chain that IPv6 has no rules for.
JUMPS_IPV6 = "".join(
    line for line in JUMPS.splitlines(keepends=True) if not line.endswith("-j KUBE-FIREWALL\n")
)


@dataclass(frozen=True)
class ProxyOptions:
    """The options of a kube-proxy that show in its rules.

    Attributes
    ----------
    cluster_cidr
        Where pods have their addresses, a block per family: traffic from elsewhere to a cluster
        IP is masqueraded. Without any, local pods cannot be told from others. ``None``: the
        cluster's ``pod_cidr``.
    masquerade_all
        Whether all traffic to cluster IPs is masqueraded.
    masquerade_bit
        The bit of a packet's mark that says so, 0 to 31.
    localhost_node_ports
        Whether node ports answer at 127.0.0.1.
    node_port_addresses
        The blocks of node addresses at which node ports answer; all when empty.
    counters
        Whether the kernel has the nfacct counters kube-proxy asks it for. A kernel without them
        refuses rules that name them.
    random_fully
        Whether iptables knows ``--random-fully``, as it does since 1.6.2.
    """

    cluster_cidr: Sequence[str] | None = None
    masquerade_all: bool = False
    masquerade_bit: int = 14
    localhost_node_ports: bool = True
    node_port_addresses: Sequence[str] = ()
    counters: bool = True
    random_fully: bool = True

    def __post_init__(self) -> None:
        for name in ("cluster_cidr", "node_port_addresses"):
            blocks = getattr(self, name)
            if blocks is not None:
                blocks = (blocks,) if isinstance(blocks, str) else tuple(blocks)
                object.__setattr__(self, name, blocks)

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain data."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in given.items()}


class KubeProxy:
    """The kube-proxy of one node and family; it remembers what it wrote.

    Made by :meth:`wavetank.Cluster.kube_proxy`.
    """

    def __init__(
        self, world: _core.World, node: str, family: Family, options: ProxyOptions
    ) -> None:
        self._world = world
        self._proxier = world.proxier(node, family, options.to_dict())
        self.node, self.family, self.options = node, family, options

    def sync(self) -> str:
        """Return what ``iptables-restore --noflush`` is given now.

        At first that is everything; later the chains all services share, those of services that
        changed since, and the deletion of chains nobody needs any more.

        Raises
        ------
        NotFoundError
            When the node is gone.
        """
        return self._proxier.sync(self._world)

    def __repr__(self) -> str:
        return f"<KubeProxy {self.node} {self.family}>"
