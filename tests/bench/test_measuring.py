"""Measuring decisions, and the cluster without kubelets that is measured."""

from __future__ import annotations

from typing import Any

import pytest
import wavetank as wt
from wavetank import _core
from wavetank.bench import memory
from wavetank.bench.control_plane import ControlPlane
from wavetank.program import rules


def pod(namespace: str = "default", cpu: str = "1", **labels: str) -> dict[str, Any]:
    containers = [{"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}]
    meta = {"generateName": "p-", "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers}}


def cluster_of(*pods: dict[str, Any]) -> wt.Cluster:
    cluster = wt.Cluster(seed=3)
    cluster.add_nodes(cpu="8", memory="16Gi", count=2)
    for item in pods:
        cluster.create(item)
    return cluster


PODS = (pod(a="1"), pod(a="2"), pod("kube-system", a="1"), pod(a="1", cpu="9"))


@pytest.mark.parametrize(
    ("namespaces", "selector", "outcomes"),
    [
        (None, None, [3, 3, 3, 1]),
        (["default"], None, [3, 3, 2, 1]),
        (["default"], "a=1", [3, 2, 2, 1]),
        ([], None, [2, 2, 2, 1]),
        (["kube-system", "default"], "a in (2)", [2, 3, 2, 1]),
    ],
)
def test_bound_pods_are_counted_by_namespace_and_label(
    namespaces: list[str] | None, selector: str | None, outcomes: list[int]
) -> None:
    cluster = cluster_of(*PODS)
    cluster.world.measure(namespaces, selector)
    cluster.run(until=0)
    measured = cluster.world.measured()
    assert measured is not None
    durations, found, observing = measured
    assert found.tolist() == outcomes
    assert len(durations) == 4
    assert (durations > 0).all()
    assert observing > 0
    assert cluster.world.measured() is None


def test_measuring_changes_nothing() -> None:
    plain, measured = cluster_of(*PODS), cluster_of(*PODS)
    measured.world.measure()
    for cluster in (plain, measured):
        cluster.run()
    assert plain.world.to_bytes() == measured.world.to_bytes()
    assert measured.fork().world.measured() is None


def test_a_selector_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="unable to parse requirement"):
        wt.Cluster().world.measure(None, "a in")


def test_a_control_plane_runs_no_pods_and_has_no_endpoints() -> None:
    cluster = ControlPlane()
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    cluster.create({**node, "status": {"capacity": {"cpu": "4", "memory": "1Gi", "pods": "9"}}})
    cluster.create({**pod(), "spec": {**pod()["spec"], "priority": 7}})
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    cluster.create({**service, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}})
    for one in (cluster, cluster.fork()):
        one.run(until="1h")
        assert one.pods["node"].tolist() == ["n"]
        assert one.pods["phase"].tolist() == ["Pending"]
        assert one.pods["priority"].tolist() == [7]
        assert [piece.name for piece in one.get("endpointslices")] == ["kubernetes"]
    saved = _core.World.from_bytes(cluster_bytes(cluster), rules())
    saved.create({**pod(), "spec": {**pod()["spec"], "priority": 8}})
    saved.advance(saved.now_ns + 10**9, "time", 1000)
    assert saved.columns("pods")["priority"].tolist() == [7, 8]


def cluster_bytes(cluster: wt.Cluster) -> Any:
    import numpy as np

    return np.frombuffer(cluster.world.to_bytes(), dtype=np.uint8)


def test_an_unknown_part_of_a_cluster_is_refused() -> None:
    with pytest.raises(ValueError, match='no such part of a cluster: "brakes"'):
        _core.World(rules(), seed=0, start_ns=0, latencies={}, without=["brakes"])


def test_the_peak_of_memory_is_that_since_it_was_forgotten() -> None:
    if not memory.forget_peak():
        pytest.skip("this system keeps the peak of the whole process")
    before = memory.peak_bytes()
    block = bytearray(50_000_000)
    block[::4096] = b"x" * len(block[::4096])
    assert memory.peak_bytes() - before > 40_000_000
    del block
    assert memory.peak_bytes() - before > 40_000_000
    memory.forget_peak()
    assert memory.peak_bytes() - before < 40_000_000
