"""Explaining a pod that no node takes, and one that has a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import wavetank as wt

from .clusters import pod

Each = Callable[[int, str], None]
ZONE = "topology.kubernetes.io/zone"


@pytest.fixture(scope="module")
def crowded(nodes: int) -> wt.Cluster:
    """Return a cluster of three kinds of nodes with a pod each, and one that fits nowhere."""
    cluster = wt.Cluster(events="none")
    quarter = nodes // 4
    cluster.add_nodes("m5.xlarge", count=nodes - 2 * quarter, zones=3)
    cluster.add_nodes(cpu="4", memory="16Gi", count=quarter, name="gpu", taints=["gpu:NoSchedule"])
    cluster.add_nodes(cpu="2", memory="4Gi", count=quarter, name="small", labels={"disk": "ssd"})
    cluster.create_many(pod("fill", "1"), nodes, prefix="fill-")
    cluster.run(until=0)
    spread = {
        "maxSkew": 1,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    wanted = pod("web", "4", topologySpreadConstraints=[spread])
    wanted["metadata"]["name"] = "web"
    cluster.create(wanted)
    cluster.run(until=0)
    return cluster


def pending(benchmark: Any, rounds: int, cluster: wt.Cluster) -> None:
    answer = benchmark.pedantic(cluster.explain, ("pod/web",), rounds=rounds, warmup_rounds=1)
    assert any(change.text.startswith("ask for ") for change in answer.changes)


@pytest.mark.sizes(nodes=(5_000, 400))
def test_explain_a_pending_pod(
    benchmark: Any, rounds: int, each: Each, crowded: wt.Cluster, nodes: int
) -> None:
    pending(benchmark, rounds, crowded)
    each(nodes, "node")


@pytest.mark.sizes(nodes=(5_000, 400))
def test_every_reason_of_every_node_as_a_table(
    benchmark: Any, rounds: int, each: Each, crowded: wt.Cluster, nodes: int
) -> None:
    table = benchmark.pedantic(lambda: crowded.explain("pod/web").nodes["reason"], rounds=rounds)
    assert len(table) > nodes
    each(nodes, "node")


@pytest.mark.sizes(nodes=(5_000, 400))
def test_explain_a_bound_pod(
    benchmark: Any, rounds: int, each: Each, crowded: wt.Cluster, nodes: int
) -> None:
    answer = benchmark.pedantic(crowded.explain, ("pod/fill-0",), rounds=rounds, warmup_rounds=1)
    assert answer.state == "bound"
    each(nodes, "node")


@pytest.mark.sizes(nodes=(100_000, 1_000))
def test_explain_a_pending_pod_among_many_nodes(
    benchmark: Any, rounds: int, each: Each, crowded: wt.Cluster, nodes: int
) -> None:
    pending(benchmark, rounds, crowded)
    each(nodes, "node")
