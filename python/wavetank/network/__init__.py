"""The network: what nodes do with packets to Services."""

from .facade import Network
from .places import Place
from .proxy import JUMPS, JUMPS_IPV6, KubeProxy, ProxyOptions
from .ranges import Ranges

__all__ = ["JUMPS", "JUMPS_IPV6", "KubeProxy", "Network", "Place", "ProxyOptions", "Ranges"]
