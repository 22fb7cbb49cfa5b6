"""Where traffic comes from: a pod, a node, or a client outside the cluster."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from wavetank.api import Api
    from wavetank.resource import Resource

    from .proxy import Family

ZONE = "topology.kubernetes.io/zone"

#: A client outside that is not given an address, from the blocks kept for documentation.
OUTSIDE = ("198.51.100.1", "2001:db8:ffff::1")


@dataclass(frozen=True)
class Place:
    """A place traffic comes from.

    Attributes
    ----------
    kind
        ``"pod"``, ``"node"`` or ``"outside"``.
    name, namespace
        Of the pod or node; empty outside.
    addresses
        Its addresses, the primary one first.
    node, zone
        The node it is on and that node's zone; empty when it has none.
    host_network
        Whether it shares the addresses of its node: a node itself, or a pod with
        ``hostNetwork``.
    """

    kind: Literal["pod", "node", "outside"]
    addresses: tuple[str, ...]
    name: str = ""
    namespace: str = ""
    node: str = ""
    zone: str = ""
    host_network: bool = False

    def address(self, family: Family) -> str:
        """Return its address in a family.

        Raises
        ------
        ValueError
            When it has none.
        """
        version = 4 if family == "IPv4" else 6
        for address in self.addresses:
            if ipaddress.ip_address(address).version == version:
                return address
        raise ValueError(f"{self} has no {family} address")

    def __str__(self) -> str:
        if self.kind == "outside":
            return self.addresses[0]
        if self.kind == "pod" and self.namespace != "default":
            return f"pod/{self.namespace}/{self.name}"
        return f"{self.kind}/{self.name}"


def locate(api: Api, source: str, namespace: str | None = None) -> Place:
    """Return the place an argument names.

    Parameters
    ----------
    source
        ``"pod/web-0"``, ``"pod/NAMESPACE/web-0"``, ``"node/n1"``, ``"outside"``, or an IP
        address: that of a pod or node stands for it, any other for a client outside.
    namespace
        Of a pod given by its name alone; ``default`` without it.

    Raises
    ------
    NotFoundError
        When there is no such pod or node.
    ValueError
        When the argument names no place, or a pod that has no address.
    """
    if not isinstance(source, str):
        raise TypeError(
            f'a source is given as "pod/NAME", "node/NAME" or an IP address, '
            f"not as {type(source).__name__}"
        )
    kind, slash, name = source.partition("/")
    if source == "outside":
        return Place("outside", OUTSIDE)
    if slash and kind in {"pod", "pods", "po"}:
        *within, name = name.split("/")
        if len(within) < 2:
            return _pod(api, api.get("pods", name, namespace=within[0] if within else namespace))
    elif slash and kind in {"node", "nodes", "no"} and "/" not in name:
        return _node(api.get("nodes", name))
    elif not slash and _is_address(source):
        return _at(api, source)
    raise ValueError(
        f'source: {source!r}: a source is "pod/NAME", "pod/NAMESPACE/NAME", "node/NAME", '
        f'"outside" or an IP address'
    )


def _at(api: Api, address: str) -> Place:
    owner = api.world.owner_of_address(address)
    if owner is None:
        return Place("outside", (address,))
    kind, namespace, name = owner
    found = api.get(kind, name, namespace=namespace or None)
    return _node(found) if kind == "node" else _pod(api, found)


def _pod(api: Api, pod: Resource) -> Place:
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    node = spec.get("nodeName", "")
    on = api.find("node", node) if node else None
    host_network = bool(spec.get("hostNetwork"))
    addresses = tuple(entry["ip"] for entry in status.get("podIPs", ()))
    if not addresses and "podIP" in status:
        addresses = (status["podIP"],)
    if not addresses and host_network and on is not None:
        addresses = _node(on).addresses
    if not addresses:
        phase = status.get("phase", "Pending")
        raise ValueError(f'pod "{meta["name"]}" has no address yet: it is {phase}')
    name, namespace = meta["name"], meta["namespace"]
    return Place("pod", addresses, name, namespace, node, _zone(on), host_network)


def _node(node: Resource) -> Place:
    name = node["metadata"]["name"]
    entries = node.get("status", {}).get("addresses", ())
    wanted = ("InternalIP", "ExternalIP")
    kinds = [(entry["type"], entry["address"]) for entry in entries if entry["type"] in wanted]
    addresses = tuple(
        address for _, address in sorted(kinds, key=lambda kind: wanted.index(kind[0]))
    )
    if not addresses:
        raise ValueError(f'node "{name}" has no address')
    return Place("node", addresses, name, "", name, _zone(node), host_network=True)


def _zone(node: Any) -> str:
    return "" if node is None else node["metadata"].get("labels", {}).get(ZONE, "")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
