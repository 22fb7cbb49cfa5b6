"""The way of a request through the network, in a line per machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .targets import joined
from .trace_page import name_of
from .tracing import CONNECTED, TIMEOUT, End

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .places import Place
    from .tracing import Trace


def hops(trace: Trace) -> Iterator[str]:
    """Yield what each machine did to a connection, and where it ends."""
    end = trace.ends[0]
    arrivals = [hop.destination for hop in end.hops[1:]] + [joined(end.address, end.port)]
    sources = [hop.source for hop in end.hops[1:]] + [end.source]
    for at, hop in enumerate(end.hops):
        if hop.kind != "node":
            then = end.hops[at + 1].name if at + 1 < len(end.hops) else "no node"
            yield f"load balancer of service/{hop.name}: {hop.destination} -> {then}"
            continue
        line = f"node {hop.name}: {hop.source} -> {hop.destination}"
        if hop.translated:
            line += f", DNAT to {arrivals[at]}"
        if hop.masqueraded:
            line += f", SNAT to {sources[at]}"
        yield line
    yield arrival(end)


def arrival(end: End, container: str = "") -> str:
    """Return where a connection ends."""
    why = f" ({end.why})" if end.why and end.why != name_of(end) else ""
    if end.verdict != CONNECTED:
        return f"{end.verdict}{why}"
    node = f" on {end.node}" if end.pod and end.node else ""
    inside = f", container {container}" if container else ""
    return f"{name_of(end)} {joined(end.address, end.port)}{inside}{node}{why}"


def end_at(place: Place, address: str, port: int) -> End:
    """Return the end of a connection that no node's rules see."""
    is_pod = place.kind == "pod"
    name, namespace = (place.name, place.namespace) if is_pod else ("", "")
    return End(CONNECTED, 1.0, address, port, "", name, namespace, place.node, place.zone)


def unreachable(address: str, port: int) -> End:
    """Return the end of a connection to an address nobody has."""
    return End(TIMEOUT, 1.0, address, port, "", why="nobody has the address")
