"""Load balancers: which nodes they send to, and how they spread connections over them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import wavetank as wt
from wavetank.network import LoadBalancer

from .clusters import busy_cluster


@pytest.fixture
def cluster() -> wt.Cluster:
    return busy_cluster(4)


def nodes(balancer: LoadBalancer) -> list[str]:
    return [target.node for target in balancer.usable]


def test_nodes_in_turn_and_by_hash_share_evenly(cluster: wt.Cluster) -> None:
    turns = cluster.load_balancer("api")
    assert turns.shares() == {f"node-{at}": 0.25 for at in range(4)}
    assert turns.assign(8).tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert [turns.pick(number).node for number in (0, 1, 4)] == ["node-0", "node-1", "node-0"]
    hashed = cluster.load_balancer("api", spread="hash")
    sources = [f"203.0.{at // 250}.{at % 250}" for at in range(10_000)]
    chosen = hashed.assign(sources=sources, source_ports=[40_000] * 10_000)
    counts = Counter(chosen.tolist())
    # Three degrees of freedom: beyond 30.7 once in a million times.
    assert sum((count - 2500) ** 2 / 2500 for count in counts.values()) < 30.7
    again = hashed.assign(sources=sources[:5], source_ports=[40_000] * 5)
    assert again.tolist() == chosen[:5].tolist()
    assert hashed.pick(9, sources[3], 40_000) == hashed.usable[chosen[3]]


def test_one_node_announces_the_address_in_layer_2(cluster: wt.Cluster) -> None:
    leader = cluster.load_balancer("api", spread="leader")
    (first,) = nodes(leader)
    assert leader.shares() == {first: 1.0}
    assert set(leader.assign(50).tolist()) == {0}
    cluster.patch("node", first, {"metadata": {"labels": {LABEL: ""}}}, type="merge")
    (second,) = nodes(cluster.load_balancer("api", spread="leader"))
    assert second != first


LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"


def test_nodes_that_are_labelled_out_tainted_or_not_ready_get_nothing(cluster: wt.Cluster) -> None:
    cluster.patch("node", "node-0", {"metadata": {"labels": {LABEL: ""}}}, type="merge")
    taint = {"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}
    cluster.patch("node", "node-1", {"spec": {"taints": [taint]}}, type="merge")
    node = cluster.get("node/node-2")
    for condition in node["status"]["conditions"]:
        if condition["type"] == "Ready":
            condition["status"] = "Unknown"
    cluster.update(node, subresource="status")
    balancer = cluster.load_balancer("api")
    assert nodes(balancer) == ["node-3"]
    assert [target.why for target in balancer.targets] == [
        f"label {LABEL}",
        "taint ToBeDeletedByClusterAutoscaler",
        "it is not ready",
        "",
    ]
    assert "it is not ready" in str(balancer)


def ends(cluster: wt.Cluster, service: str) -> dict[str, Any]:
    pods = cluster.get("pods", namespace="default", label_selector=f"app={service}")
    return Counter(pod["spec"]["nodeName"] for pod in pods)


def test_local_traffic_goes_to_nodes_with_endpoints_by_weight_if_asked(
    cluster: wt.Cluster,
) -> None:
    cluster.scale("deployment/local", replicas=5)
    cluster.run(until="settled")
    counts = ends(cluster, "local")
    plain = cluster.load_balancer("local")
    assert sorted(plain.shares()) == sorted(counts)
    assert len(set(plain.shares().values())) == 1
    weighted = cluster.load_balancer("local", weighted=True)
    assert weighted.shares() == {node: counts[node] / 5 for node in sorted(counts)}
    assert Counter(weighted.assign(500).tolist()) == {
        at: counts[target.node] * 100 for at, target in enumerate(weighted.usable)
    }


def test_a_proxying_balancer_sends_to_node_ports_as_itself(cluster: wt.Cluster) -> None:
    status = {"loadBalancer": {"ingress": [{"ip": "192.0.2.50", "ipMode": "Proxy"}]}}
    cluster.patch("service", "local", {"status": status}, subresource="status")
    trace = cluster.trace("203.0.113.7", "local")
    assert trace.verdict == "connected"
    balancer, node = trace.ends[0].hops
    assert balancer.destination == "192.0.2.50:80"
    assert node.source == "192.0.2.50"
    port = cluster.get("service/local")["spec"]["ports"][0]["nodePort"]
    assert node.destination.endswith(f":{port}")
    inside = cluster.trace("node/node-0", "192.0.2.50:80")
    kinds = [hop.kind for hop in inside.ends[0].hops]
    assert kinds[:2] == ["node", "load balancer"]
    assert inside.verdict == "connected"


def test_what_makes_no_sense_is_said_in_one_sentence(cluster: wt.Cluster) -> None:
    with pytest.raises(ValueError, match="service api has no port 81"):
        cluster.load_balancer("api", port=81)
    with pytest.raises(ValueError, match='"round-robin", "hash", "leader"'):
        cluster.load_balancer("api", spread="random")  # type: ignore[arg-type]
    cluster.scale("deployment/local", replicas=0)
    cluster.run(until="settled")
    balancer = cluster.load_balancer("local")
    with pytest.raises(ValueError, match=r"no node takes connections to 198.51.100.2"):
        balancer.pick()
    trace = cluster.trace("203.0.113.7", "local")
    assert trace.verdict == "timeout"
    assert "no node is healthy" in str(trace)
