"""Dumps of clusters put back as the state they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import wavetank as wt
from wavetank import _core

if TYPE_CHECKING:
    from pathlib import Path

    from wavetank.resource import Resource

SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "web:1", resources: {requests: {cpu: 500m}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tanks.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: tanks, singular: tank, kind: Tank}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""

BOUND = """
apiVersion: v1
kind: Pod
metadata:
  name: web-0
  namespace: lost
  uid: 0f0c8d52-7e25-4a1f-9f0e-2f8f0a3b1c11
  creationTimestamp: "2026-03-01T10:00:00Z"
  ownerReferences:
  - {apiVersion: apps/v1, kind: ReplicaSet, name: web, uid: 6f1e, controller: true}
spec:
  nodeName: gone-1
  containers: [{name: web, image: "web:1"}]
status:
  phase: Running
  startTime: "2026-03-01T10:00:07Z"
"""


@pytest.fixture(scope="module")
def lived() -> wt.Cluster:
    """A cluster in the middle of its life."""
    cluster = wt.Cluster(seed=7, latencies="default")
    cluster.add_nodes(cpu="4", memory="16Gi", count=3)
    cluster.apply(SHOP)
    cluster.run(until="56s")
    tank = {"apiVersion": "example.com/v1", "kind": "Tank", "metadata": {"name": "deep"}}
    cluster.create({**tank, "spec": {"metres": 3}})
    return cluster


def everything(cluster: wt.Cluster) -> list[Resource]:
    listed = [
        kind for kind in cluster.kinds() if "list" in kind.verbs and kind.group != "events.k8s.io"
    ]
    return [item for kind in listed for item in cluster.get(kind.resource)]


def by_place(items: list[Resource]) -> dict[tuple[str, str | None, str], dict[str, Any]]:
    return {(item.kind, item.namespace, item.name): without_version(item) for item in items}


def without_version(item: Resource) -> dict[str, Any]:
    metadata = {key: value for key, value in item.metadata.items() if key != "resourceVersion"}
    return {**item, "metadata": metadata}


def dump(items: list[Resource]) -> str:
    return _core.to_yaml({"apiVersion": "v1", "kind": "List", "items": items})


def test_a_dump_comes_back_as_it_was(lived: wt.Cluster) -> None:
    items = everything(lived)
    assert {"Pod", "Node", "Event", "Tank", "EndpointSlice"} <= {item.kind for item in items}
    restored = wt.Cluster.from_dump(dump(items))
    assert by_place(everything(restored)) == by_place(items)
    assert restored.notes == []


def test_the_order_of_a_dump_does_not_matter(lived: wt.Cluster) -> None:
    items = everything(lived)
    restored = wt.Cluster.from_dump(dump(items[::-1]))
    assert by_place(everything(restored)) == by_place(items)


def test_time_goes_on_where_the_dump_ends(lived: wt.Cluster) -> None:
    restored = wt.Cluster.from_dump(dump(everything(lived)))
    assert restored.now == lived.now.replace(microsecond=0)
    later = wt.Cluster.from_dump(dump(everything(lived)), start="2027-01-01T00:00:00Z")
    assert f"{later.now:%Y}" == "2027"


def test_the_restored_cluster_finishes_what_had_begun(lived: wt.Cluster) -> None:
    restored = wt.Cluster.from_dump(dump(everything(lived)))
    assert restored.run().reason == "settled"
    assert restored.get("deployment/web", namespace="shop").status["readyReplicas"] == 5
    pods = lived.get("pods", namespace="shop")
    bound = {pod.name: pod.spec["nodeName"] for pod in pods if "nodeName" in pod.spec}
    assert len(bound) >= 4
    nodes = {pod.name: pod.spec["nodeName"] for pod in restored.get("pods")}
    assert bound.items() <= nodes.items()


def test_what_a_dump_lacks_is_noted_and_bound_pods_stay_bound() -> None:
    restored = wt.Cluster.from_dump(BOUND)
    assert restored.notes == [
        'namespace "lost" is not in the dump: it was created',
        "ReplicaSet lost/web, which owns 1 object, is not in the dump",
        'node "gone-1", to which 1 pod is bound, is not in the dump',
    ]
    restored.run(until="1h")
    pod = restored.get("pod/web-0", namespace="lost")
    assert pod.spec["nodeName"] == "gone-1"
    assert pod.status["phase"] == "Running"
    assert pod.uid == "0f0c8d52-7e25-4a1f-9f0e-2f8f0a3b1c11"


def test_kinds_the_cluster_does_not_know_are_left_out_with_a_note() -> None:
    foreign = "apiVersion: metrics.k8s.io/v1beta1\nkind: PodMetrics\nmetadata: {name: a}\n"
    restored = wt.Cluster.from_dump(f"{BOUND}\n---\n{foreign}---\n{foreign}")
    sentence = (
        "metrics.k8s.io/v1beta1 PodMetrics is no kind this cluster stores: 2 objects were left out"
    )
    assert sentence in restored.notes
    with pytest.raises(wt.ApplyError, match='no matches for kind "PodMetrics"'):
        wt.Cluster.from_dump(f"{BOUND}\n---\n{foreign}", strict=True)


def test_load_tells_a_saved_cluster_from_a_dump(lived: wt.Cluster, tmp_path: Path) -> None:
    lived.save(tmp_path / "saved")
    (tmp_path / "dump.yaml").write_text(dump(everything(lived)))
    saved = wt.Cluster.load(tmp_path / "saved")
    dumped = wt.Cluster.load(tmp_path / "dump.yaml")
    assert saved.now == lived.now
    assert (
        by_place(everything(saved)) == by_place(everything(dumped)) == by_place(everything(lived))
    )


def test_a_file_that_is_neither(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    with pytest.raises(wt.ManifestError, match="^the dump holds no objects$"):
        wt.Cluster.load(tmp_path / "empty")
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    with pytest.raises(wt.ManifestError, match="control characters are not allowed"):
        wt.Cluster.load(tmp_path / "noise")
    with pytest.raises(FileNotFoundError, match=r'the path ".*nowhere" does not exist'):
        wt.Cluster.load(tmp_path / "nowhere")


def test_a_dump_put_into_a_running_cluster_refuses_names_that_are_taken() -> None:
    cluster = wt.Cluster.from_dump(BOUND)
    before = cluster.world.to_bytes()
    with pytest.raises(wt.ApplyError, match='pods "web-0" already exists'):
        cluster.restore(BOUND)
    assert cluster.world.to_bytes() == before
