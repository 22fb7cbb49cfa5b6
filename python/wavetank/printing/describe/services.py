"""Services and what stands behind and before them: endpoints, ingresses, network policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.printing.ages import rfc1123
from wavetank.printing.objects import Object, dig, labels, name, selector
from wavetank.printing.tables.core import balancer_addresses
from wavetank.printing.text import joined

from . import common

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wavetank.cluster import Cluster

    from .page import Page

_SHOWN = 3


def service(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a service."""
    spec = dig(item, "spec", default={})
    common.head(page, item)
    page.row("Selector:", labels(spec.get("selector")))
    page.row("Type:", spec.get("type", ""))
    if spec.get("ipFamilyPolicy") is not None:
        page.row("IP Family Policy:", spec["ipFamilyPolicy"])
    page.row("IP Families:", joined(spec.get("ipFamilies") or ()))
    page.row("IP:", spec.get("clusterIP", ""))
    page.row("IPs:", joined(spec.get("clusterIPs") or ()))
    if spec.get("externalIPs"):
        page.row("External IPs:", ",".join(spec["externalIPs"]))
    for title, field in (
        ("Desired LoadBalancer IP", "loadBalancerIP"),
        ("External Name", "externalName"),
    ):
        if spec.get(field):
            page.row(f"{title}:", spec[field])
    points = dig(item, "status", "loadBalancer", "ingress", default=())
    if points:
        page.row("LoadBalancer Ingress:", ", ".join(map(_ingress_point, points)))
    slices = _slices(cluster, dig(item, "metadata", "namespace"), name(item))
    for port in spec.get("ports") or ():
        _port(page, port, slices)
    _policies(page, spec)
    common.events(page, cluster, item)


def _ingress_point(point: Object) -> str:
    if not point.get("ip"):
        return str(point.get("hostname", ""))
    return f"{point['ip']} ({point['ipMode']})" if point.get("ipMode") else str(point["ip"])


def _port(page: Page, port: Object, slices: Sequence[Object]) -> None:
    title, protocol = port.get("name") or "<unset>", port.get("protocol", "TCP")
    page.row("Port:", title, f"{port.get('port')}/{protocol}")
    page.row("TargetPort:", f"{port.get('targetPort', 0)}/{protocol}")
    if port.get("appProtocol") is not None:
        page.row("AppProtocol:", port["appProtocol"])
    if port.get("nodePort"):
        page.row("NodePort:", title, f"{port['nodePort']}/{protocol}")
    page.row("Endpoints:", addresses(slices, port.get("name", "")))


def _policies(page: Page, spec: Object) -> None:
    page.row("Session Affinity:", spec.get("sessionAffinity", ""))
    for title, field in (
        ("External Traffic Policy", "externalTrafficPolicy"),
        ("Internal Traffic Policy", "internalTrafficPolicy"),
        ("HealthCheck NodePort", "healthCheckNodePort"),
    ):
        if spec.get(field):
            page.row(f"{title}:", spec[field])
    if spec.get("loadBalancerSourceRanges"):
        page.row("LoadBalancer Source Ranges:", ",".join(spec["loadBalancerSourceRanges"]))
    if spec.get("trafficDistribution"):
        page.row("Traffic Distribution:", spec["trafficDistribution"])


def _slices(cluster: Cluster, namespace: str, service_name: str) -> list[Any]:
    return list(
        cluster.get(
            "endpointslices.discovery.k8s.io",
            namespace=namespace,
            label_selector=f"kubernetes.io/service-name={service_name}",
        )
    )


def addresses(slices: Sequence[Object], port_name: str) -> str:
    """Return the ready endpoints of a port, three at most."""
    if not slices:
        return "<none>"
    found: list[str] = []
    more, ready = False, 0
    for address, is_ready in _endpoints(slices, port_name):
        more = more or len(found) == _SHOWN
        if is_ready:
            ready += 1
            found += [] if more else [address]
    return ",".join(found) + (f" + {ready - _SHOWN} more..." if more else "")


def _endpoints(slices: Iterable[Object], port_name: str) -> Iterable[tuple[str, bool]]:
    for one in slices:
        ports = one.get("ports") or ()
        wanted = [port for port in ports if (port.get("name") or "") == port_name]
        for port in wanted if ports else [None]:
            for endpoint in one.get("endpoints") or ():
                address = str(endpoint["addresses"][0])
                if port is not None:
                    host = f"[{address}]" if ":" in address else address
                    address = f"{host}:{port.get('port')}"
                yield address, dig(endpoint, "conditions", "ready", default=True)


def endpoints(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe Endpoints."""
    common.head(page, item)
    page.row("Subsets:")
    for subset in item.get("subsets") or ():
        for title, field in (
            ("Addresses", "addresses"),
            ("NotReadyAddresses", "notReadyAddresses"),
        ):
            ips = (address.get("ip", "") for address in subset.get(field) or ())
            page.row(f"{title}:", joined(ips), level=1)
        ports = subset.get("ports") or ()
        if ports:
            page.row("Ports:", level=1)
            _ports_head(page, level=2)
        for port in ports:
            cells = port.get("name") or "<unset>", port.get("port"), port.get("protocol", "TCP")
            page.row(*cells, level=2)
        page.row()
    common.events(page, cluster, item)


def _ports_head(page: Page, level: int) -> None:
    page.row("Name", "Port", "Protocol", level=level)
    page.row("----", "----", "--------", level=level)


def endpoint_slice(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe an endpoint slice."""
    common.head(page, item)
    page.row("AddressType:", item.get("addressType", ""))
    ports = item.get("ports") or ()
    page.row("Ports:" if ports else "Ports: <unset>")
    if ports:
        _ports_head(page, level=1)
    for port in ports:
        number = common.or_unset(port.get("port"))
        page.row(port.get("name") or "<unset>", number, port.get("protocol", "TCP"), level=1)
    found = item.get("endpoints") or ()
    page.row("Endpoints:" if found else "Endpoints: <none>")
    for endpoint in found:
        page.row("- Addresses:", joined(endpoint.get("addresses") or (), ", "), level=1)
        page.row("Conditions:", level=2)
        ready = dig(endpoint, "conditions", "ready")
        page.row("Ready:", "<unset>" if ready is None else common.go(ready), level=3)
        page.row("Hostname:", common.or_unset(endpoint.get("hostname")), level=2)
        target = endpoint.get("targetRef")
        if target is not None:
            page.row("TargetRef:", f"{target.get('kind')}/{target.get('name')}", level=2)
        page.row("NodeName:", common.or_unset(endpoint.get("nodeName")), level=2)
        page.row("Zone:", common.or_unset(endpoint.get("zone")), level=2)
    common.events(page, cluster, item)


def ingress(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe an ingress."""
    spec = dig(item, "spec", default={})
    page.row("Name:", name(item))
    page.labels("Labels", dig(item, "metadata", "labels"))
    page.row("Namespace:", dig(item, "metadata", "namespace", default=""))
    page.row("Address:", balancer_addresses(item))
    page.row("Ingress Class:", dig(spec, "ingressClassName", default="<none>"))
    backend = spec.get("defaultBackend")
    default = "<default>" if backend is None else _backend(cluster, item, backend)
    page.row("Default backend:", default)
    if spec.get("tls"):
        page.row("TLS:")
    for entry in spec.get("tls") or ():
        secret = entry.get("secretName")
        verb = f"{secret} terminates" if secret else "SNI routes"
        page.row(f"{verb} {','.join(entry.get('hosts') or ())}", level=1)
    page.row("Rules:")
    page.row("Host", "Path", "Backends", level=1)
    page.row("----", "----", "--------", level=1)
    rules = [rule for rule in spec.get("rules") or () if rule.get("http") is not None]
    for rule in rules:
        page.row(rule.get("host") or "*", "", level=1)
        for path in rule["http"].get("paths") or ():
            target = _backend(cluster, item, dig(path, "backend", default={}))
            page.row("", f"{path.get('path', '')} ", target, level=2)
    if not rules:
        page.row("*", "*", default, level=1)
    page.annotations(dig(item, "metadata", "annotations"))
    common.events(page, cluster, item)


def _backend(cluster: Cluster, item: Object, backend: Object) -> str:
    if backend.get("service") is not None:
        return _service_backend(cluster, item, backend["service"])
    resource = backend.get("resource")
    if resource is None:
        return ""
    group = resource.get("apiGroup") or "<none>"
    return f"APIGroup: {group}, Kind: {resource.get('kind')}, Name: {resource.get('name')}"


def _service_backend(cluster: Cluster, item: Object, backend: Object) -> str:
    wanted = dig(backend, "port", default={})
    text = f"{backend.get('name')}:{wanted.get('number') or wanted.get('name', '')}"
    namespace = dig(item, "metadata", "namespace")
    found = cluster.find("services", backend.get("name", ""), namespace=namespace)
    if found is None:
        return f'{text} (<error: services "{backend.get("name")}" not found>)'
    port_name = ""
    for port in dig(found, "spec", "ports", default=()):
        by_number = wanted.get("number") and wanted["number"] == port.get("port")
        if by_number or (wanted.get("name") and wanted["name"] == port.get("name")):
            port_name = port.get("name", "")
    slices = _slices(cluster, str(namespace), str(backend.get("name")))
    return f"{text} ({addresses(slices, port_name)})"


def ingress_class(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe an ingress class."""
    common.head(page, item, namespaced=False)
    page.row("Controller:", dig(item, "spec", "controller", default=""))
    parameters = dig(item, "spec", "parameters")
    if parameters is not None:
        page.row("Parameters:")
        if parameters.get("apiGroup") is not None:
            page.row("APIGroup:", parameters["apiGroup"], level=1)
        page.row("Kind:", parameters.get("kind", ""), level=1)
        page.row("Name:", parameters.get("name", ""), level=1)
    common.events(page, cluster, item)


def service_cidr(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a service CIDR."""
    common.head(page, item, namespaced=False)
    page.row("CIDRs:", ", ".join(dig(item, "spec", "cidrs", default=())))
    if dig(item, "status", "conditions"):
        page.row("Status:")
    common.conditions(page, item, "lastTransitionTime", "reason", "message")
    common.events(page, cluster, item)


def ip_address(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe an IP address."""
    common.head(page, item, namespaced=False)
    parent = dig(item, "spec", "parentRef")
    if parent is not None:
        page.row("Parent Reference:")
        for field in ("group", "resource", "namespace", "name"):
            page.row(f"{field.title()}:", parent.get(field, ""), level=1)
    common.events(page, cluster, item)


def network_policy(page: Page, _: Cluster, item: Object) -> None:
    """Describe a network policy."""
    spec = dig(item, "spec", default={})
    metadata = dig(item, "metadata", default={})
    page.row("Name:", name(item))
    page.row("Namespace:", metadata.get("namespace", ""))
    page.row("Created on:", _go_time(metadata.get("creationTimestamp")))
    page.labels("Labels", metadata.get("labels"))
    page.annotations(metadata.get("annotations"))
    page.row("Spec:")
    chosen = selector(spec.get("podSelector"))
    if chosen == "<none>":
        chosen += " (Allowing the specific traffic to all pods in this namespace)"
    page.row(f"PodSelector:     {chosen}", level=1)
    types = spec.get("policyTypes") or ()
    for word, peers in (("Ingress", "from"), ("Egress", "to")):
        if word not in types:
            page.row(f"Not affecting {word.lower()} traffic", level=1)
            continue
        page.row(f"Allowing {word.lower()} traffic:", level=1)
        _policy_rules(page, spec.get(word.lower()) or (), word.lower(), peers)
    page.row(f"Policy Types: {joined(types, ', ')}", level=1)


def _go_time(timestamp: str | None) -> str:
    """Return a time as Go prints it by default."""
    if not timestamp:
        return "0001-01-01 00:00:00 +0000 UTC"
    return f"{timestamp[:10]} {timestamp[11:19]} +0000 UTC"


def _policy_rules(page: Page, rules: Sequence[Object], word: str, peers: str) -> None:
    if not rules:
        page.row(f"<none> (Selected pods are isolated for {word} connectivity)", level=2)
    for at, rule in enumerate(rules):
        if not rule.get("ports"):
            page.row("To Port: <any> (traffic allowed to all ports)", level=2)
        for port in rule.get("ports") or ():
            page.row(_policy_port(port), level=2)
        if not rule.get(peers):
            end = "source" if peers == "from" else "destination"
            page.row(f"{peers.title()}: <any> (traffic not restricted by {end})", level=2)
        for peer in rule.get(peers) or ():
            page.row(f"{peers.title()}:", level=2)
            _policy_peer(page, peer)
        if at != len(rules) - 1:
            page.row("----------", level=2)


def _policy_port(port: Object) -> str:
    protocol = port.get("protocol") or "TCP"
    number = common.go(port.get("port"))
    if port.get("endPort") is None:
        return f"To Port: {number}/{protocol}"
    return f"To Port Range: {number}-{port['endPort']}/{protocol}"


def _policy_peer(page: Page, peer: Object) -> None:
    for title in ("NamespaceSelector", "PodSelector"):
        found = peer.get(title[:1].lower() + title[1:])
        if found is not None:
            page.row(f"{title}: {selector(found)}", level=3)
    block = peer.get("ipBlock")
    if block is not None:
        page.row("IPBlock:", level=3)
        page.row(f"CIDR: {block.get('cidr', '')}", level=4)
        page.row(f"Except: {', '.join(block.get('except') or ())}", level=4)


__all__ = [
    "addresses",
    "endpoint_slice",
    "endpoints",
    "ingress",
    "ingress_class",
    "ip_address",
    "network_policy",
    "rfc1123",
    "service",
    "service_cidr",
]
