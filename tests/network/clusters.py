"""Clusters whose Services ask for every sort of rule."""

from __future__ import annotations

from typing import Any

import wavetank as wt


def _service(name: str, kind: str = "ClusterIP", **spec: Any) -> dict[str, Any]:
    ports = spec.pop("ports", [{"name": "http", "port": 80, "targetPort": 8080}])
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"type": kind, "selector": {"app": name}, "ports": ports, **spec},
    }


def _deployment(name: str, replicas: int) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "web:1"}]},
            },
        },
    }


DUAL_STACK = "10.96.0.0/16,fd00:10:96::/112"


def _slice(name: str, family: str, addresses: list[str]) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-{family.lower()}",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": family,
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": [address]} for address in addresses],
    }


def dual_cluster() -> wt.Cluster:
    """Return the same of two families, with endpoints of both written by hand."""
    cluster = busy_cluster(service_cidr=DUAL_STACK)
    for number, kind in enumerate(["ClusterIP", "NodePort", "LoadBalancer"]):
        name = f"by-hand-{number}"
        service = _service(name, kind, ipFamilyPolicy="RequireDualStack")
        service["spec"].pop("selector")
        if kind != "ClusterIP":
            service["spec"]["externalTrafficPolicy"] = "Local" if number == 2 else "Cluster"
        if number == 0:
            service["spec"] |= {"sessionAffinity": "ClientIP", "externalIPs": ["2001:db8:5::1"]}
        cluster.create(service)
        base = f"fd00:99::{number + 1}"
        cluster.create(_slice(name, "IPv6", [f"{base}:1", f"{base}:2", f"{base}:3"]))
        cluster.create(_slice(name, "IPv4", [f"10.99.{number}.1", f"10.99.{number}.2"]))
    ingress = [{"ip": "2001:db8:77::1"}, {"ip": "198.51.100.77"}]
    status = {"loadBalancer": {"ingress": ingress}}
    cluster.patch("service", "by-hand-2", {"status": status}, subresource="status")
    cluster.run(until="settled")
    return cluster


def workload(name: str, replicas: int) -> list[dict[str, Any]]:
    """Return a Service, and a Deployment behind it."""
    return [_service(name), _deployment(name, replicas)]


def busy_cluster(nodes: int = 3, *, service_cidr: str = "10.96.0.0/12") -> wt.Cluster:
    """Return a settled cluster with Services of all types, with and without endpoints."""
    cluster = wt.Cluster(seed=11, service_cidr=service_cidr)
    cluster.add_nodes(cpu="16", memory="64Gi", count=nodes, name="node", zones=["a", "b"])
    dns = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    services = [
        _service("web", "NodePort"),
        _service("api", "LoadBalancer", loadBalancerSourceRanges=["203.0.113.0/25"]),
        _service("dns", ports=dns, sessionAffinity="ClientIP"),
        _service("local", "LoadBalancer", externalTrafficPolicy="Local"),
        _service("inner", internalTrafficPolicy="Local", externalIPs=["192.0.2.7"]),
        _service("empty", "NodePort"),
    ]
    for service in services:
        service["spec"]["ipFamilyPolicy"] = "PreferDualStack"
        cluster.create(service)
        name = service["metadata"]["name"]
        if name != "empty":
            cluster.create(_deployment(name, 1 if name in ("local", "inner") else 5))
    for number, name in enumerate(["api", "local"]):
        status = {"loadBalancer": {"ingress": [{"ip": f"198.51.100.{number + 1}"}]}}
        cluster.patch("service", name, {"status": status}, subresource="status")
    cluster.run(until="settled")
    return cluster
