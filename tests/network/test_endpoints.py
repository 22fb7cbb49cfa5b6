"""Endpoints: those a controller writes, and those somebody wrote by hand."""

from __future__ import annotations

from typing import Any

import pytest
import wavetank as wt

MIRROR = "endpointslicemirroring-controller.k8s.io"


def service(**spec: Any) -> dict[str, Any]:
    meta = {"name": "db", "labels": {"tier": "back"}}
    spec = {"ports": [{"name": "sql", "port": 5432}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def by_hand(*addresses: str, **meta: Any) -> dict[str, Any]:
    subset = {
        "addresses": [{"ip": address} for address in addresses],
        "notReadyAddresses": [{"ip": "192.0.2.99"}],
        "ports": [{"name": "sql", "port": 5432, "protocol": "TCP"}],
    }
    meta = {"name": "db", **meta}
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": [subset]}


@pytest.fixture
def cluster() -> wt.Cluster:
    return wt.Cluster(latencies="ideal")


def slices(cluster: wt.Cluster) -> list[Any]:
    cluster.run()
    return list(cluster.get("endpointslices", label_selector="kubernetes.io/service-name=db"))


def test_endpoints_by_hand_are_mirrored_per_family(cluster: wt.Cluster) -> None:
    cluster.create(service())
    cluster.create(by_hand("192.0.2.1", "2001:db8::1", labels={"a": "b"}, annotations={"c": "d"}))
    four, six = sorted(slices(cluster), key=lambda one: one["addressType"])
    assert (four["addressType"], six["addressType"]) == ("IPv4", "IPv6")
    assert [one["addresses"] for one in four["endpoints"]] == [["192.0.2.1"], ["192.0.2.99"]]
    assert [one["conditions"] for one in four["endpoints"]] == [{"ready": True}, {"ready": False}]
    assert four["metadata"]["labels"] == {
        "a": "b",
        "endpointslice.kubernetes.io/managed-by": MIRROR,
        "kubernetes.io/service-name": "db",
    }
    assert four["metadata"]["annotations"] == {"c": "d"}
    assert four["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"


def test_mirrors_follow_and_go(cluster: wt.Cluster) -> None:
    cluster.create(service())
    cluster.create(by_hand("192.0.2.1"))
    (before,) = slices(cluster)
    cluster.update(by_hand("192.0.2.2"))
    (after,) = slices(cluster)
    assert after["metadata"]["name"] == before["metadata"]["name"]
    assert after["endpoints"][0]["addresses"] == ["192.0.2.2"]
    label = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    cluster.patch("endpoints", "db", {"metadata": {"labels": label}})
    assert slices(cluster) == []


def test_a_selector_ends_mirroring_and_takes_the_endpoints_over(cluster: wt.Cluster) -> None:
    cluster.create(service())
    cluster.create(by_hand("192.0.2.1"))
    slices(cluster)
    cluster.patch("services", "db", {"spec": {"selector": {"app": "db"}}})
    (only,) = slices(cluster)
    labels = only["metadata"]["labels"]
    assert labels["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"
    endpoints = cluster.get("endpoints", "db")
    assert "subsets" not in endpoints
    assert endpoints["metadata"]["labels"] == {
        "endpoints.kubernetes.io/managed-by": "endpoint-controller",
        "tier": "back",
    }


def test_endpoints_go_with_their_service(cluster: wt.Cluster) -> None:
    cluster.create(service(selector={"app": "db"}, clusterIP="None"))
    cluster.run()
    labels = cluster.get("endpoints", "db")["metadata"]["labels"]
    assert labels["service.kubernetes.io/headless"] == ""
    cluster.delete("services", "db")
    cluster.run()
    with pytest.raises(wt.NotFoundError):
        cluster.get("endpoints", "db")


def test_endpoints_hold_a_thousand_addresses(cluster: wt.Cluster) -> None:
    cluster.add_nodes(cpu="64", memory="256Gi", pods=1100, count=1)
    cluster.create(service(selector={"app": "db"}))
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "db-", "labels": {"app": "db"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    for _ in range(1050):
        cluster.create(pod)
    assert len(slices(cluster)) == 11
    endpoints = cluster.get("endpoints", "db")
    annotations = endpoints["metadata"]["annotations"]
    assert annotations == {"endpoints.kubernetes.io/over-capacity": "truncated"}
    (subset,) = endpoints["subsets"]
    assert len(subset["addresses"]) == 1000


def test_slices_by_hand_are_left_alone(cluster: wt.Cluster) -> None:
    cluster.create(service())
    made = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "db-1", "labels": {"kubernetes.io/service-name": "db"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["192.0.2.1"]}],
        "ports": [{"name": "sql", "port": 5432}],
    }
    cluster.create(made)
    (only,) = slices(cluster)
    assert only["metadata"]["name"] == "db-1"


def test_a_slice_somebody_deleted_comes_back(cluster: wt.Cluster) -> None:
    cluster.create(service(selector={"app": "db"}))
    (before,) = slices(cluster)
    cluster.delete("endpointslices", before["metadata"]["name"])
    (after,) = slices(cluster)
    assert after["metadata"]["name"] != before["metadata"]["name"]
    cluster.delete("endpoints", "db")
    slices(cluster)
    assert cluster.get("endpoints", "db")
