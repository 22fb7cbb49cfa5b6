"""Where a cluster's addresses come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

_TEXTS = ("service_cidr", "pod_cidr", "node_cidr", "api_server")


class Ranges(TypedDict, total=False):
    """The ranges of a cluster, as ``kube-apiserver`` and ``kube-controller-manager`` take them.

    With a block of each family, ``"10.96.0.0/12,fd00:10:96::/112"``, a cluster is dual-stack; the
    family that comes first is the one of Services that ask for none.

    Attributes
    ----------
    service_cidr
        ``--service-cluster-ip-range``, ``10.96.0.0/12`` unless it is given. Its first address is
        that of the Service ``kubernetes``.
    pod_cidr
        ``--cluster-cidr``, of the families Services have unless it is given: ``10.0.0.0/8`` and
        ``fd00:10:200::/40``. Each node gets a block of each; none that holds an address of
        ``service_cidr``.
    node_cidr
        The addresses of nodes: ``172.16.0.0/12`` and ``fd00:172:16::/64``.
    node_cidr_mask_size
        ``--node-cidr-mask-size``, one per block of ``pod_cidr``: how large the nodes' blocks are.
        Without it those of IPv4 are just large enough for a node's pods, and those of IPv6 /64.
    api_server
        ``--advertise-address``, the address of the API server: ``192.168.0.10``, or
        ``fd00:192:168::10`` where IPv6 comes first.
    """

    service_cidr: str | Sequence[str]
    pod_cidr: str | Sequence[str]
    node_cidr: str | Sequence[str]
    node_cidr_mask_size: int | Sequence[int]
    api_server: str


def to_core(ranges: Ranges) -> dict[str, Any]:
    """Return ranges as the core takes them.

    Raises
    ------
    TypeError
        When there is an option that is none, or one that is no text.
    """
    given: dict[str, Any] = {}
    for name, value in ranges.items():
        if name in _TEXTS:
            texts = [value] if isinstance(value, str) else value
            if not isinstance(texts, Sequence) or not all(isinstance(one, str) for one in texts):
                raise TypeError(f"{name} is given as text, not as {type(value).__name__}")
            given[name] = ",".join(texts)
        elif name == "node_cidr_mask_size":
            sizes = [value] if isinstance(value, int) else value
            if not isinstance(sizes, Sequence) or not all(isinstance(one, int) for one in sizes):
                raise TypeError(f"{name} is given as whole numbers, one per family")
            given[name] = list(sizes)
        else:
            raise TypeError(f"Cluster() got an unexpected keyword argument {name!r}")
    return given
