"""How many volumes a driver attaches to a node, as claims come, go and come back."""

from __future__ import annotations

from typing import Any

import wavetank as wt


def volume(name: str, driver: str, claim: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "",
            "csi": {"driver": driver, "volumeHandle": name},
            "claimRef": {"namespace": "default", "name": claim},
        },
    }


def claim(name: str, of: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "",
            "volumeName": of,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def pod(name: str, of: str) -> dict[str, Any]:
    mounted = {"name": "data", "persistentVolumeClaim": {"claimName": of}}
    spec = {"containers": [{"name": "main", "image": "example/app:1"}], "volumes": [mounted]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def test_a_claim_that_comes_back_with_another_drivers_volume_makes_room() -> None:
    cluster = wt.Cluster(seed=1, controllers=())
    cluster.add_nodes("m5.2xlarge", count=1)
    (node,) = (item["metadata"]["name"] for item in cluster.get("nodes"))
    limit = {"name": "ebs.example", "nodeID": node, "topologyKeys": [], "allocatable": {"count": 1}}
    limits = {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": node}}
    cluster.create({**limits, "spec": {"drivers": [limit]}})
    for name in ("first", "second"):
        cluster.create(volume(f"{name}-volume", "ebs.example", name))
        cluster.create(claim(name, f"{name}-volume"))
        cluster.create(pod(f"{name}-pod", name))
        cluster.run(until="1s")
    waiting = cluster.get("pods", "second-pod")
    message = waiting["status"]["conditions"][0]["message"]
    assert message.startswith("0/1 nodes are available: 1 node(s) exceed max volume count.")

    cluster.delete("pvc", "first")
    cluster.create(volume("elsewhere", "other.example", "first"))
    cluster.create(claim("first", "elsewhere"))
    cluster.run(until="10m")
    assert cluster.get("pods", "second-pod")["spec"]["nodeName"] == node
