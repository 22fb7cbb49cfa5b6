"""What a request is made of: hosts, cookies, and the containers that answer."""

from __future__ import annotations

import ipaddress
import zlib
from typing import TYPE_CHECKING, Any

from .targets import joined

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_address(host: str) -> bool:
    """Whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def mark_of(address: str, port: int) -> str:
    """Return what a cookie calls an endpoint."""
    return f"{zlib.crc32(joined(address, port).encode()):08x}"


def cookies_in(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the cookies of a request."""
    pairs = (one.partition("=") for one in headers.get("Cookie", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def port_of(pod: Any, port: int) -> dict[str, Any]:
    """Return the port a container of a pod declares; nothing for one that none does."""
    for container in pod["spec"]["containers"]:
        for one in container.get("ports") or []:
            if one["containerPort"] == port:
                return dict(one)
    return {}


def container_at(pod: Any, port: int) -> str:
    """Return the container that declares a port; the only one there is otherwise."""
    containers = pod["spec"]["containers"]
    for container in containers:
        if any(one["containerPort"] == port for one in container.get("ports") or []):
            return str(container["name"])
    return str(containers[0]["name"]) if len(containers) == 1 else ""
