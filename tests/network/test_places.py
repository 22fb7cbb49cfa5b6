"""Where traffic comes from, as a user names it."""

from __future__ import annotations

import pytest
import wavetank as wt
from wavetank.network.places import locate

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "client"},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}


@pytest.fixture
def cluster() -> wt.Cluster:
    cluster = wt.Cluster(seed=1, latencies="ideal")
    cluster.add_nodes("m5.large", count=2, zones=["a", "b"])
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    cluster.create(POD)
    cluster.create({**POD, "metadata": {"name": "cart", "namespace": "shop"}})
    host = {"hostNetwork": True, **POD["spec"]}
    cluster.create({**POD, "metadata": {"name": "agent"}, "spec": host})
    cluster.run(until="settled")
    return cluster


def test_a_pod_is_named_with_its_namespace_before_it_or_beside_it(cluster: wt.Cluster) -> None:
    place = locate(cluster, "pod/cart", "shop")
    assert place == locate(cluster, "pod/shop/cart")
    pod = cluster.get("pod/cart", namespace="shop")
    assert place.addresses[0] == pod["status"]["podIP"] == place.address("IPv4")
    assert (place.node, place.host_network) == (pod["spec"]["nodeName"], False)
    assert place.zone in {"a", "b"}
    assert str(place) == "pod/shop/cart"


def test_an_address_stands_for_the_pod_or_node_that_has_it(cluster: wt.Cluster) -> None:
    pod = locate(cluster, "pod/client")
    assert locate(cluster, pod.addresses[0]) == pod
    node = locate(cluster, f"node/{pod.node}")
    assert locate(cluster, node.addresses[0]) == node
    assert node.host_network
    assert locate(cluster, "203.0.113.9").kind == "outside"
    assert locate(cluster, "outside").address("IPv6") == "2001:db8:ffff::1"


def test_a_pod_on_the_hosts_network_has_the_nodes_address(cluster: wt.Cluster) -> None:
    place = locate(cluster, "pod/agent")
    assert place.host_network
    assert place.addresses == locate(cluster, f"node/{place.node}").addresses


def test_a_source_that_is_none_is_told_in_one_sentence(cluster: wt.Cluster) -> None:
    with pytest.raises(wt.NotFoundError, match='pods "nobody" not found'):
        locate(cluster, "pod/nobody")
    with pytest.raises(ValueError, match=r'source: \'web\': a source is "pod/NAME"'):
        locate(cluster, "web")
    with pytest.raises(ValueError, match="has no IPv6 address"):
        locate(cluster, "203.0.113.9").address("IPv6")
    cluster.create({**POD, "metadata": {"name": "late"}})
    with pytest.raises(ValueError, match='pod "late" has no address yet: it is Pending'):
        locate(cluster, "pod/late")
