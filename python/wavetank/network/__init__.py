"""The network: what nodes do with packets to Services."""

from .facade import Network
from .proxy import KubeProxy, ProxyOptions

__all__ = ["KubeProxy", "Network", "ProxyOptions"]
