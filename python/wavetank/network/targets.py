"""What traffic is sent to: a Service, a pod, a node or an address, and the port there."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .places import locate

if TYPE_CHECKING:
    from wavetank.api import Api

    from .places import Place
    from .proxy import Family

_SERVICE = {"service", "services", "svc"}
_PLACE = {"pod", "pods", "po", "node", "nodes", "no"}


@dataclass(frozen=True)
class Target:
    """Where a packet is addressed to.

    Attributes
    ----------
    text
        What it was called.
    address, port, protocol
        What is on the packet.
    service
        Namespace and name of the Service it was named by; empty for others.
    """

    text: str
    address: str
    port: int
    protocol: str
    service: tuple[str, str] | None = None

    def __str__(self) -> str:
        return f"{joined(self.address, self.port)}/{self.protocol}"


def joined(address: str, port: int) -> str:
    """Return address and port as one text.

    >>> joined("10.0.0.1", 80), joined("fd00::1", 80)
    ('10.0.0.1:80', '[fd00::1]:80')
    """
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def find_target(
    api: Api,
    to: str,
    source: Place,
    *,
    namespace: str | None = None,
    protocol: str | None = None,
    port: int | str | None = None,
    family: Family = "IPv4",
    node: str | None = None,
) -> Target:
    """Return where a packet of a source is addressed to.

    Parameters
    ----------
    to
        ``"web"``, ``"web:http"``, ``"web.shop:80"``, ``"service/shop/web"``, ``"pod/web-0:8080"``,
        ``"node/n1:30080"``, ``"10.96.0.9:80"`` or ``"[fd00::9]:80"``.
    source
        From outside a Service is reached by its load balancer, an external IP or a node port;
        from inside by its cluster IP.
    port
        Its number or name, where ``to`` has none.

    Raises
    ------
    NotFoundError
        When there is no such Service, pod or node.
    ValueError
        When there is nothing to send to.
    """
    host, given = _split(to)
    if port is not None and given is not None and str(port) != given:
        raise ValueError(f"to: {to!r} has a port, and port says {port}")
    wanted = given if port is None else str(port)
    kind, slash, name = host.partition("/")
    if slash and kind in _PLACE:
        place = locate(api, host, namespace)
        return Target(host, place.address(family), _number(to, wanted), protocol or "TCP")
    if not slash and _is_address(host):
        return Target(to, host, _number(to, wanted), protocol or "TCP")
    if slash and kind not in _SERVICE:
        raise ValueError(
            f'to: {to!r}: traffic goes to "NAME", "NAME.NAMESPACE", "service/NAME", "pod/NAME", '
            f'"node/NAME" or an IP address, with ":PORT"'
        )
    service = _service(api, name if slash else host, namespace)
    return _of_service(api, service, wanted, source, protocol, family, node)


def _split(to: str) -> tuple[str, str | None]:
    """Return host and port of ``host:port``; of a bare IPv6 address there is no port."""
    if not isinstance(to, str):
        raise TypeError(f"to is a text, not {type(to).__name__}")
    if to.startswith("["):
        host, _, rest = to[1:].partition("]")
        return host, rest.removeprefix(":") or None
    if to.count(":") > 1:
        return to, None
    host, _, port = to.partition(":")
    return host, port or None


def _number(to: str, port: str | None) -> int:
    if port is None:
        raise ValueError(f"to: {to!r}: which port? say {to}:PORT")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"to: {to!r}: port {port}: must be between 1 and 65535, inclusive")
    return int(port)


def _service(api: Api, name: str, namespace: str | None) -> Any:
    if "/" in name:
        namespace, name = name.split("/", 1)
    elif "." in name:
        name, namespace = name.split(".", 2)[:2]
    return api.get("service", name, namespace=namespace)


def _of_service(
    api: Api,
    service: Any,
    wanted: str | None,
    source: Place,
    protocol: str | None,
    family: Family,
    node: str | None,
) -> Target:
    meta, spec = service["metadata"], service["spec"]
    key = (meta["namespace"], meta["name"])
    text = f"service/{meta['name']}" if key[0] == "default" else f"service/{key[0]}/{key[1]}"
    if spec.get("type") == "ExternalName":
        raise ValueError(
            f"{text} is of type ExternalName: it is a name only, {spec['externalName']}"
        )
    entry = _port(text, spec.get("ports") or [], wanted, protocol)
    said = entry.get("protocol", "TCP")
    if source.kind == "outside":
        address, number = _from_outside(api, service, entry, family, node)
        if address:
            return Target(text, address, number, said, key)
    addresses = [ip for ip in spec.get("clusterIPs") or [spec.get("clusterIP")] if ip]
    if not addresses or addresses[0] == "None":
        raise ValueError(f"{text} is headless: it has no address; send to one of its pods")
    for address in addresses:
        if _is_family(address, family):
            return Target(text, address, entry["port"], said, key)
    raise ValueError(f"{text} has no {family} address")


def _port(
    text: str, ports: list[dict[str, Any]], wanted: str | None, protocol: str | None
) -> dict[str, Any]:
    fitting = [one for one in ports if protocol in (None, one.get("protocol", "TCP"))]
    if wanted is not None:
        fitting = [one for one in fitting if wanted in (str(one["port"]), one.get("name"))]
    if len(fitting) == 1 or (wanted is not None and fitting):
        return fitting[0]
    if wanted is not None and wanted.isdigit():
        # No rule will match; that is what the trace shows.
        return {"port": _number(text, wanted), "protocol": protocol or "TCP"}
    known = ", ".join(f"{one.get('name', '')} {one['port']}".strip() for one in ports)
    if wanted is None and len(fitting) > 1:
        raise ValueError(f"{text} has several ports, {known}: say {text}:PORT")
    raise ValueError(f"{text} has no port {wanted or protocol}: it has {known or 'none'}")


def _from_outside(
    api: Api, service: Any, entry: dict[str, Any], family: Family, node: str | None
) -> tuple[str, int]:
    """Return what a client outside would use; an empty address when there is nothing."""
    spec = service["spec"]
    balanced = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    addresses = [one["ip"] for one in balanced if "ip" in one] + list(spec.get("externalIPs") or [])
    for address in addresses:
        if _is_family(address, family):
            return address, entry["port"]
    if entry.get("nodePort"):
        name = node or _first_ready(api)
        if name:
            return locate(api, f"node/{name}").address(family), entry["nodePort"]
    return "", 0


def _first_ready(api: Api) -> str:
    for found in api.get("nodes"):
        if is_ready(found):
            return str(found["metadata"]["name"])
    return ""


def is_ready(node: Any) -> bool:
    """Whether a node says it is ready."""
    conditions = node.get("status", {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_family(address: str, family: Family) -> bool:
    return ipaddress.ip_address(address).version == (4 if family == "IPv4" else 6)
