"""Tables of the groups ``networking.k8s.io`` and ``discovery.k8s.io``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.printing.layout import Object, layout
from wavetank.printing.objects import dig, name, selector
from wavetank.printing.tables.common import age
from wavetank.printing.tables.core import balancer_addresses
from wavetank.printing.text import at_most

if TYPE_CHECKING:
    from collections.abc import Sequence


@layout("Name", "Class", "Hosts", "Address", "Ports", "Age")
def ingresses(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of an ingress."""
    spec = dig(item, "spec", default={})
    return (
        name(item),
        dig(spec, "ingressClassName", default="<none>"),
        _hosts(spec.get("rules") or ()),
        balancer_addresses(item),
        "80, 443" if spec.get("tls") else "80",
        age(item, now_ns),
    )


def _hosts(rules: Sequence[Any]) -> str:
    hosts: list[str] = []
    more = False
    for rule in rules:
        more = more or len(hosts) == 3
        if not more and rule.get("host"):
            hosts.append(rule["host"])
    if not hosts:
        return "*"
    return ",".join(hosts) + (f" + {len(rules) - 3} more..." if more else "")


@layout("Name", "Controller", "Parameters", "Age")
def ingress_classes(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of an ingress class."""
    marks = dig(item, "metadata", "annotations", default={})
    default = marks.get("ingressclass.kubernetes.io/is-default-class") == "true"
    parameters = dig(item, "spec", "parameters")
    text = "<none>"
    if parameters is not None:
        group = f".{parameters['apiGroup']}" if parameters.get("apiGroup") else ""
        text = f"{parameters.get('kind')}{group}/{parameters.get('name')}"
    title = name(item) + (" (default)" if default else "")
    return title, dig(item, "spec", "controller", default=""), text, age(item, now_ns)


@layout("Name", "Pod-Selector", "Age")
def network_policies(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a network policy."""
    return name(item), selector(dig(item, "spec", "podSelector")), age(item, now_ns)


@layout("Name", "AddressType", "Ports", "Endpoints", "Age")
def endpoint_slices(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of an endpoint slice."""
    ports = [_slice_port(port) for port in item.get("ports") or ()]
    found = [
        str(address)
        for endpoint in item.get("endpoints") or ()
        for address in endpoint.get("addresses") or ()
    ]
    return (
        name(item),
        item.get("addressType", ""),
        at_most(ports, 3) or "<unset>",
        at_most(found, 3) or "<unset>",
        age(item, now_ns),
    )


def _slice_port(port: Object) -> str:
    if port.get("port") is not None:
        return str(port["port"])
    return str(port["name"]) if port.get("name") is not None else "*"


@layout("Name", "CIDRs", "Age")
def service_cidrs(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a service CIDR."""
    return name(item), ",".join(dig(item, "spec", "cidrs", default=())), age(item, now_ns)


@layout("Name", "ParentRef")
def ip_addresses(item: Object, _: int) -> tuple[object, ...]:
    """Return the cells of an IP address."""
    parent = dig(item, "spec", "parentRef")
    if parent is None:
        return name(item), "<none>"
    group = f".{parent['group']}" if parent.get("group") else ""
    parts = [f"{parent.get('resource', '')}{group}".lower(), parent.get("namespace")]
    return name(item), "/".join([*filter(None, parts), parent.get("name", "")])


NETWORKING = {
    "IPAddress": ip_addresses,
    "Ingress": ingresses,
    "IngressClass": ingress_classes,
    "NetworkPolicy": network_policies,
    "ServiceCIDR": service_cidrs,
}
DISCOVERY = {"EndpointSlice": endpoint_slices}
