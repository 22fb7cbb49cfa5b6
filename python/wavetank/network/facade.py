"""What a cluster answers about its network."""

from __future__ import annotations

from .health import Health
from .proxy import Family, KubeProxy, ProxyOptions
from .requesting import Requesting
from .resolving import Names
from .sending import Sending


class Network(Health, Requesting, Names, Sending):
    """The network half of :class:`wavetank.Cluster`."""

    @property
    def ranges(self) -> dict[str, str]:
        """Where addresses come from: the options of :class:`wavetank.network.Ranges` in force."""
        return dict(self._world.ranges())

    def iptables(
        self, node: str, *, family: Family = "IPv4", options: ProxyOptions | None = None
    ) -> str:
        """Return the rules of a node, as kube-proxy 1.36 gives them to ``iptables-restore``.

        Parameters
        ----------
        node
            The node's name.
        family
            IPv4 and IPv6 have rules of their own.
        options
            How its kube-proxy is set up.

        Raises
        ------
        NotFoundError
            When there is no such node.
        ValueError
            When an option is none.
        """
        return self._world.iptables(node, family, (options or ProxyOptions()).to_dict())

    def kube_proxy(
        self, node: str, *, family: Family = "IPv4", options: ProxyOptions | None = None
    ) -> KubeProxy:
        """Return a kube-proxy that starts on a node now; arguments as for :meth:`iptables`."""
        return KubeProxy(self._world, node, family, options or ProxyOptions())
