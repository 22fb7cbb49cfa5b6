"""Services of type LoadBalancer and the addresses they get."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import wavetank as wt
from wavetank.controllers import built_in
from wavetank.controllers.loadbalancer import LoadBalancerController, is_target

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"


def balancer(name: str, **spec: Any) -> dict[str, Any]:
    ports = [{"port": 80}]
    spec = {"type": "LoadBalancer", "selector": {"app": name}, "ports": ports, **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def cluster_of(*services: dict[str, Any], pool: Any = None, **options: Any) -> wt.Cluster:
    cluster = wt.Cluster(latencies="ideal", load_balancer_pool=pool, **options)
    for service in services:
        cluster.create(service)
    cluster.run()
    return cluster


def addresses(cluster: wt.Cluster, name: str) -> list[str]:
    status = cluster.get("services", name)["status"]["loadBalancer"]
    return [entry["ip"] for entry in status.get("ingress", [])]


def said(cluster: wt.Cluster) -> list[str]:
    return [f"{event['reason']}: {event['message']}" for event in cluster.get("events")]


def test_addresses_are_handed_out_in_order() -> None:
    cluster = cluster_of(balancer("a"), balancer("b"))
    assert addresses(cluster, "a") == ["203.0.113.1"]
    assert addresses(cluster, "b") == ["203.0.113.2"]
    service = cluster.get("services", "a")
    assert service["status"]["loadBalancer"]["ingress"][0]["ipMode"] == "VIP"
    assert service["metadata"]["finalizers"] == [FINALIZER]
    assert said(cluster)[0] == 'IPAllocated: Assigned IP ["203.0.113.1"]'


def test_an_exhausted_pool_leaves_services_waiting_until_an_address_is_free() -> None:
    cluster = cluster_of(balancer("a"), balancer("b"), pool="192.0.2.7-192.0.2.7")
    assert addresses(cluster, "b") == []
    failed = 'AllocationFailed: Failed to allocate IP for "default/b": no available IPs'
    assert failed in said(cluster)
    cluster.delete("services", "a")
    cluster.run()
    assert addresses(cluster, "b") == ["192.0.2.7"]


def test_another_type_gives_the_address_back() -> None:
    cluster = cluster_of(balancer("a"))
    cluster.patch("services", "a", {"spec": {"type": "ClusterIP"}})
    cluster.run()
    assert addresses(cluster, "a") == []
    assert "finalizers" not in cluster.get("services", "a")["metadata"]
    cluster.create(balancer("b"))
    cluster.run()
    assert addresses(cluster, "b") == ["203.0.113.1"]


def test_an_address_that_is_asked_for_is_given_once() -> None:
    asked = "203.0.113.77"
    cluster = cluster_of(
        balancer("a", loadBalancerIP=asked),
        balancer("b", loadBalancerIP=asked),
        balancer("c", loadBalancerIP="192.0.2.1"),
    )
    assert addresses(cluster, "a") == [asked]
    assert addresses(cluster, "b") == addresses(cluster, "c") == []
    told = said(cluster)
    assert (
        'AllocationFailed: Failed to allocate IP for "default/b": can\'t change sharing key for '
        '"default/b", address also in use by default/a' in told
    )
    assert (
        'AllocationFailed: Failed to allocate IP for "default/c": ["192.0.2.1"] is not allowed in '
        "config" in told
    )


def test_a_class_is_served_by_whom_it_names() -> None:
    ours = LoadBalancerController("192.0.2.0/24", classes=["example.com/ours"], ip_mode="Proxy")
    controllers = [*built_in()[:-1], ours]
    cluster = cluster_of(
        balancer("a", loadBalancerClass="example.com/ours"),
        balancer("b", loadBalancerClass="example.com/other"),
        controllers=controllers,
    )
    assert addresses(cluster, "a") == ["192.0.2.1"]
    entry = cluster.get("services", "a")["status"]["loadBalancer"]["ingress"][0]
    assert entry["ipMode"] == "Proxy"
    assert addresses(cluster, "b") == []


def test_node_ports_are_left_out_when_nobody_wants_them() -> None:
    cluster = cluster_of(balancer("a", allocateLoadBalancerNodePorts=False))
    assert addresses(cluster, "a") == ["203.0.113.1"]
    assert "nodePort" not in cluster.get("services", "a")["spec"]["ports"][0]


def test_a_service_with_two_families_has_an_address_of_each() -> None:
    cluster = cluster_of(
        balancer("a", ipFamilyPolicy="RequireDualStack"),
        service_cidr="10.96.0.0/12,fd00:10:96::/112",
    )
    assert addresses(cluster, "a") == ["203.0.113.1", "2001:db8:113::"]


def test_forks_and_copies_know_what_is_given() -> None:
    cluster = cluster_of(balancer("a"))
    for branch in (cluster.fork(), copy.deepcopy(cluster)):
        branch.create(balancer("b"))
        branch.run()
        assert addresses(branch, "b") == ["203.0.113.2"]


@pytest.mark.parametrize("pool", ["203.0.113.0/33", "10.0.0.9-10.0.0.1", "web"])
def test_a_pool_is_blocks_or_ranges(pool: str) -> None:
    with pytest.raises(ValueError, match="must be a CIDR block or a range FIRST-LAST"):
        wt.Cluster(load_balancer_pool=pool)


def test_balancers_leave_out_nodes_that_go_or_want_to_be_left_out() -> None:
    node: dict[str, Any] = {"metadata": {"labels": {}}, "spec": {}}
    assert is_target(node)
    excluded = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
    assert not is_target({"metadata": {"labels": excluded}})
    taint = {"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}
    assert not is_target({**node, "spec": {"taints": [taint]}})
    assert not is_target({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
