"""The network: what nodes do with packets to Services."""

from .balancing import LoadBalancer
from .facade import Network
from .health import HealthAnswer
from .places import Place
from .proxy import JUMPS, KubeProxy, ProxyOptions
from .ranges import Ranges
from .response import Response
from .tracing import End, Hop, Step, Trace

__all__ = [
    "JUMPS",
    "End",
    "HealthAnswer",
    "Hop",
    "KubeProxy",
    "LoadBalancer",
    "Network",
    "Place",
    "ProxyOptions",
    "Ranges",
    "Response",
    "Step",
    "Trace",
]
