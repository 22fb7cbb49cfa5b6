"""The network: what nodes do with packets to Services."""

from .facade import Network
from .health import HealthAnswer
from .places import Place
from .proxy import JUMPS, KubeProxy, ProxyOptions
from .ranges import Ranges

__all__ = ["JUMPS", "HealthAnswer", "KubeProxy", "Network", "Place", "ProxyOptions", "Ranges"]
