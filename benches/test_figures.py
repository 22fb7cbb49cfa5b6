"""The figures a newcomer asks for: how large, how fast, how soon."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wavetank as wt
from wavetank.manifest import load

from .clusters import deployment, pod, running
from .conftest import Figure

Each = Callable[[int, str], None]

_BYTES = """
import gc, sys
import wavetank as wt
from benches.clusters import pod

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

cluster = wt.Cluster(events="none")
cluster.create_many(pod(), 1000)
before = resident()
cluster.create_many(pod(), int(sys.argv[1]))
print(resident() - before)
"""
_IMPORT = """
import time
began = time.perf_counter()
import wavetank
print(time.perf_counter() - began)
"""


@pytest.mark.sizes(pods=(1_000_000, 10_000))
def test_create_pods_from_one_template(benchmark: Any, rounds: int, each: Each, pods: int) -> None:
    clusters: list[wt.Cluster] = []

    def fresh() -> tuple[tuple[wt.Cluster], dict]:
        clusters[:] = [wt.Cluster(events="none")]
        gc.collect()
        return (clusters[0],), {}

    benchmark.pedantic(lambda cluster: cluster.create_many(pod(), pods), setup=fresh, rounds=rounds)
    assert len(clusters[0].keys("pods")) == pods
    each(pods, "pod")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.sizes(pods=(1_000_000, 10_000))
def test_memory_of_pods_from_one_template(
    benchmark: Any, figure: Figure, pods: int, request: pytest.FixtureRequest
) -> None:
    command = [sys.executable, "-c", _BYTES, str(pods)]
    root = request.config.rootpath

    def measure() -> int:
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
        return int(done.stdout)

    total = benchmark.pedantic(measure, rounds=1)
    figure("memory", total / pods, "bytes_per_pod")


@pytest.fixture(scope="module")
def labelled(pods: int, matches: int) -> wt.Cluster:
    """Return a cluster with one pod in a hundred marked, all over the place."""
    cluster = wt.Cluster(events="none")
    marked = pod("marked")
    for _ in range(100):
        cluster.create_many(pod(), (pods - matches) // 100)
        cluster.create_many(marked, matches // 100)
    return cluster


@pytest.mark.sizes(pods=(1_000_000, 10_000), matches=(10_000, 100))
def test_select_by_label(
    benchmark: Any, each: Each, labelled: wt.Cluster, pods: int, matches: int
) -> None:
    found = benchmark(labelled.keys, "pods", label_selector="app=marked")
    assert len(found) == matches
    assert len(labelled.keys("pods")) == pods
    each(matches, "match")


@pytest.fixture(scope="module")
def at_work(pods: int, nodes: int) -> wt.Cluster:
    return running(pods, nodes)


@pytest.mark.sizes(pods=(100_000, 1_000), nodes=(5_000, 50))
def test_fork(benchmark: Any, each: Each, at_work: wt.Cluster, pods: int, nodes: int) -> None:
    branch = benchmark(at_work.fork)
    assert len(branch.keys("pods")) == pods
    assert len(branch.keys("nodes")) == nodes
    each(1, "fork")


def manifests(size: int) -> str:
    """Return a text of many documents: Deployments, Services and settings."""
    import yaml

    parts: list[str] = []
    length = number = 0
    while length < size:
        name = f"web-{number}"
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]},
        }
        values = {f"KEY_{at}": f"value {at} of {name}" for at in range(10)}
        settings = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name},
            "data": values,
        }
        for item in (deployment(name, 2), service, settings):
            parts.append(yaml.safe_dump(item, sort_keys=False))
            length += len(parts[-1]) + 4
        number += 1
    return "---\n".join(parts)


@pytest.fixture(scope="module")
def text(bytes_: int) -> str:
    return manifests(bytes_)


@pytest.mark.sizes(bytes_=(5_000_000, 50_000))
def test_read_yaml(benchmark: Any, rounds: int, each: Each, text: str, bytes_: int) -> None:
    documents = benchmark.pedantic(load, (text,), rounds=rounds)
    assert len(documents) > bytes_ // 1000
    each(bytes_, "byte")


@pytest.mark.sizes(bytes_=(5_000_000, 50_000))
def test_apply_yaml(benchmark: Any, rounds: int, each: Each, text: str, bytes_: int) -> None:
    def fresh() -> tuple[tuple[wt.Cluster, str], dict]:
        return (wt.Cluster(events="none"), text), {}

    applied = benchmark.pedantic(wt.Cluster.apply, setup=fresh, rounds=rounds)
    assert applied.counts() == {"created": len(applied)}
    each(len(applied), "object")


@pytest.fixture(scope="module")
def large(pods: int) -> wt.Cluster:
    cluster = wt.Cluster(events="none")
    cluster.create_many(pod(), pods)
    return cluster


@pytest.mark.sizes(pods=(1_000_000, 10_000))
def test_save(
    benchmark: Any, rounds: int, each: Each, large: wt.Cluster, tmp_path: Path, pods: int
) -> None:
    file = tmp_path / "large.wavetank"
    benchmark.pedantic(large.save, (file,), rounds=rounds)
    assert file.stat().st_size > 10 * pods
    each(pods, "pod")


@pytest.mark.sizes(pods=(1_000_000, 10_000))
def test_load(
    benchmark: Any, rounds: int, each: Each, large: wt.Cluster, tmp_path: Path, pods: int
) -> None:
    file = tmp_path / "large.wavetank"
    large.save(file)
    cluster = benchmark.pedantic(wt.Cluster.load, (file,), rounds=rounds)
    assert len(cluster.keys("pods")) == pods
    each(pods, "pod")


@pytest.mark.sizes(deployments=(1_000, 20), replicas=(100, 10), nodes=(2_000, 20))
def test_deployments_to_ready(
    benchmark: Any, each: Each, deployments: int, replicas: int, nodes: int
) -> None:
    def fresh() -> tuple[tuple[wt.Cluster], dict]:
        cluster = wt.Cluster(latencies="ideal", events="none")
        cluster.add_nodes(cpu="16", memory="64Gi", pods=110, count=nodes, zones=3)
        for number in range(deployments):
            cluster.create(deployment(f"web-{number}", replicas))
        return (cluster,), {}

    def run(cluster: wt.Cluster) -> wt.Cluster:
        cluster.run()
        return cluster

    cluster = benchmark.pedantic(run, setup=fresh, rounds=1)
    assert cluster.pods["ready"].sum() == deployments * replicas
    each(deployments * replicas, "pod")


def test_import(benchmark: Any, figure: Figure, rounds: int) -> None:
    command = [sys.executable, "-c", _IMPORT]
    seconds: list[float] = []

    def start() -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append(float(done.stdout))

    benchmark.pedantic(start, rounds=rounds)
    figure("import alone", min(seconds) * 1e3, "ms")
