"""The network: what nodes do with packets to Services."""

from .facade import Network
from .health import HealthAnswer
from .places import Place
from .proxy import JUMPS, JUMPS_IPV6, KubeProxy, ProxyOptions
from .ranges import Ranges

__all__ = [
    "JUMPS",
    "JUMPS_IPV6",
    "HealthAnswer",
    "KubeProxy",
    "Network",
    "Place",
    "ProxyOptions",
    "Ranges",
]
