"""The network: what nodes do with packets to Services."""

from .facade import Network
from .names import DnsOptions, Query, Record, Resolution
from .places import Place
from .proxy import JUMPS, KubeProxy, ProxyOptions
from .serving import DnsServer

__all__ = [
    "JUMPS",
    "DnsOptions",
    "DnsServer",
    "KubeProxy",
    "Network",
    "Place",
    "ProxyOptions",
    "Query",
    "Record",
    "Resolution",
]
