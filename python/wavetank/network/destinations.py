"""What a connection is addressed to: a Service and its port, or any address and port."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from .places import locate

if TYPE_CHECKING:
    from collections.abc import Collection

    from wavetank.api import Api

    from .proxy import Family

_SERVICES = ("service", "services", "svc")
_SUFFIXES = (".svc.cluster.local", ".svc")


class Destinations:
    """Reads destinations for one batch of connections.

    Parameters
    ----------
    api
        The cluster.
    namespace
        Where Services without a namespace are looked for.
    protocol
        ``"TCP"``, ``"UDP"`` or ``"SCTP"``.
    families
        The families the sources have addresses of.
    """

    def __init__(
        self, api: Api, namespace: str, protocol: str, families: Collection[Family]
    ) -> None:
        self._api, self._namespace, self._protocol = api, namespace, protocol
        self._families = families

    def read(self, to: str, port: str | int | None) -> tuple[str, int | None]:
        """Return the address and port of a destination; no port when none is said.

        Parameters
        ----------
        to
            ``"cart:8080"``, ``"cart.shop:http"``, ``"10.96.0.9:80"``, ``"[fd00::9]:80"``,
            ``"node/n1:30080"`` or ``"pod/web-0:8080"``; the port may come apart, too.
        port
            The port, by number or name, where ``to`` has none.

        Raises
        ------
        NotFoundError
            When there is no such Service, node or pod.
        ValueError
            When the Service has no such port, or no address.
        """
        name, said = _split(to)
        if said and port is not None:
            raise ValueError(f"to: {to!r} has a port already: {port!r} is one too many")
        wanted = said or port
        if _is_address(name):
            return name, self._number(to, wanted)
        kind, slash, _ = name.partition("/")
        if slash and kind not in _SERVICES:
            place = locate(self._api, name, self._namespace)
            family: Family = next(iter(self._families), "IPv4")
            return place.address(family), self._number(to, wanted)
        return self._service(name.removeprefix(kind + "/") if slash else name, wanted)

    @staticmethod
    def is_service(to: str) -> bool:
        """Whether a destination is named as a Service."""
        name, _ = _split(to)
        kind, slash, _ = name.partition("/")
        return not _is_address(name) and (not slash or kind in _SERVICES)

    def _number(self, to: str, port: str | int | None) -> int | None:
        if port is None:
            return None
        if not str(port).isdigit() or not 0 < int(port) < 1 << 16:
            raise ValueError(f"to: {to!r}: port {port!r} is no number from 1 to 65535")
        return int(port)

    def _service(self, name: str, wanted: str | int | None) -> tuple[str, int]:
        for suffix in _SUFFIXES:
            name = name.removesuffix(suffix)
        name, _, namespace = name.partition(".")
        service = self._api.get("services", name, namespace=namespace or self._namespace)
        told = f'Service "{service["metadata"]["namespace"]}/{name}"'
        return self._address(told, service["spec"]), self._port(told, service["spec"], wanted)

    def _address(self, told: str, spec: Any) -> str:
        if spec.get("type") == "ExternalName":
            outside = spec.get("externalName", "")
            raise ValueError(f"{told} has no address: it is another name for {outside!r}")
        addresses = spec.get("clusterIPs") or [spec.get("clusterIP", "")]
        if addresses[0] == "None":
            raise ValueError(f"{told} is headless: its name stands for its pods; send to one")
        for address in addresses:
            if address and family_of(address) in self._families:
                return str(address)
        families = " or ".join(self._families)
        raise ValueError(f"{told} has no {families} address")

    def _port(self, told: str, spec: Any, wanted: str | int | None) -> int:
        ports = spec.get("ports", [])
        fitting = [p for p in ports if p.get("protocol", "TCP") == self._protocol]
        if wanted is None and len(fitting) == 1:
            return int(fitting[0]["port"])
        has = ", ".join(_told(port) for port in ports) or "none"
        if wanted is None:
            raise ValueError(f"{told}: which port: it has {has}")
        for port in fitting:
            if str(wanted) in (str(port["port"]), port.get("name")):
                return int(port["port"])
        raise ValueError(f"{told} has no {self._protocol} port {wanted}: it has {has}")


def _told(port: Any) -> str:
    number = f"{port['port']}/{port.get('protocol', 'TCP')}"
    return f"{port['name']} ({number})" if port.get("name") else number


def _split(to: str) -> tuple[str, str]:
    """Return a destination without its port, and the port."""
    if to.startswith("["):
        address, _, port = to[1:].partition("]")
        return address, port.removeprefix(":")
    if _is_address(to):
        return to, ""
    name, _, port = to.partition(":")
    return name, port


def family_of(address: str) -> Family:
    """Return the family of an address."""
    return "IPv4" if ipaddress.ip_address(address).version == 4 else "IPv6"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
