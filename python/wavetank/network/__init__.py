"""The network: what nodes do with packets to Services."""

from .connections import Connections
from .facade import Network
from .places import Place
from .proxy import JUMPS, KubeProxy, ProxyOptions
from .sent import Sent

__all__ = ["JUMPS", "Connections", "KubeProxy", "Network", "Place", "ProxyOptions", "Sent"]
