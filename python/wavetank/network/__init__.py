"""The network: what nodes do with packets to Services."""

from .balancing import LoadBalancer
from .connections import Connections
from .facade import Network
from .health import HealthAnswer
from .names import DnsOptions, Query, Record, Resolution
from .places import Place
from .proxy import JUMPS, JUMPS_IPV6, KubeProxy, ProxyOptions
from .ranges import Ranges
from .response import Response
from .sent import Sent
from .serving import DnsServer
from .tracing import End, Hop, Step, Trace

__all__ = [
    "JUMPS",
    "JUMPS_IPV6",
    "Connections",
    "DnsOptions",
    "DnsServer",
    "End",
    "HealthAnswer",
    "Hop",
    "KubeProxy",
    "LoadBalancer",
    "Network",
    "Place",
    "ProxyOptions",
    "Query",
    "Ranges",
    "Record",
    "Resolution",
    "Response",
    "Sent",
    "Step",
    "Trace",
]
