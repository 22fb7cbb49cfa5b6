"""The network: what nodes do with packets to Services."""

from .balancing import LoadBalancer
from .facade import Network
from .places import Place
from .proxy import JUMPS, KubeProxy, ProxyOptions
from .response import Response
from .tracing import End, Hop, Step, Trace

__all__ = [
    "JUMPS",
    "End",
    "Hop",
    "KubeProxy",
    "LoadBalancer",
    "Network",
    "Place",
    "ProxyOptions",
    "Response",
    "Step",
    "Trace",
]
