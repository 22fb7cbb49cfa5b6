"""What load balancers hear when they ask a node how it is."""

from __future__ import annotations

import pytest
import wavetank as wt

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {app: web}
  ports: [{name: a, port: 80, targetPort: 8080}, {name: b, port: 81, targetPort: 8081}]
---
apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: two, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
"""

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}


@pytest.fixture
def cluster() -> wt.Cluster:
    cluster = wt.Cluster(latencies="ideal")
    for name in ("n1", "n2"):
        cluster.create({**NODE, "metadata": {"name": name}})
    cluster.apply(SERVICE)
    cluster.run()
    return cluster


def test_a_node_with_endpoints_welcomes_traffic(cluster: wt.Cluster) -> None:
    answer = cluster.health_check("n1", "web")
    assert (answer.status, answer.ok) == (200, True)
    assert answer.port == cluster.get("svc", "web")["spec"]["healthCheckNodePort"]
    assert answer.headers == {
        "Content-Type": "application/json",
        "X-Content-Type-Options": "nosniff",
        "X-Load-Balancing-Endpoint-Weight": "2",
    }
    assert answer.body == (
        '{\n\t"service": {\n\t\t"namespace": "default",\n\t\t"name": "web"\n\t},\n'
        '\t"localEndpoints": 2,\n\t"serviceProxyHealthy": true\n}'
    )


def test_a_node_without_does_not(cluster: wt.Cluster) -> None:
    answer = cluster.health_check("n2", "web")
    assert (answer.status, answer.json()["localEndpoints"]) == (503, 0)


def test_an_ending_endpoint_does_not_count(cluster: wt.Cluster) -> None:
    cluster.delete("pod", "one")
    cluster.advance("1s")
    assert cluster.health_check("n1", "web").json()["localEndpoints"] == 1


def test_only_a_service_with_a_port_for_it_is_asked_about(cluster: wt.Cluster) -> None:
    cluster.patch("svc", "web", {"spec": {"externalTrafficPolicy": "Cluster"}})
    with pytest.raises(ValueError, match="nodes listen for no health check"):
        cluster.health_check("n1", "web")
    with pytest.raises(wt.NotFoundError, match='services "cart" not found'):
        cluster.health_check("n1", "cart")


def test_a_node_about_to_go_says_so_at_healthz_but_lives(cluster: wt.Cluster) -> None:
    assert cluster.proxy_health("n1").json()["nodeEligible"] is True
    taint = {"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}
    cluster.patch("node", "n1", {"spec": {"taints": [taint]}})
    assert cluster.proxy_health("n1").status == 503
    assert cluster.proxy_health("n1", "/livez").status == 200
