"""The network: what nodes do with packets to Services."""

from .facade import Network
from .proxy import JUMPS, KubeProxy, ProxyOptions

__all__ = ["JUMPS", "KubeProxy", "Network", "ProxyOptions"]
