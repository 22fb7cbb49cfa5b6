"""Plans: the shop, a thousand nodes, a production trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wavetank as wt
from wavetank.plan import build
from wavetank.traces import openb

from .clusters import deployment
from .conftest import ROOT

Each = Callable[[int, str], None]
POOL = "3xm5.large,zones=3"


def test_plan_the_shop(benchmark: Any, each: Each) -> None:
    def plan() -> tuple[wt.plan.Fit, list[Any]]:
        inputs = build([ROOT / "examples/shop"], nodes=[POOL])
        answer = wt.plan.fit(inputs.cluster)
        return answer, wt.plan.headroom(answer)

    answer, more = benchmark(plan)
    assert (answer.pods, answer.pending, len(more)) == (32, 2, 15)
    each(answer.pods, "pod")


@pytest.fixture(scope="module")
def settled(nodes: int) -> wt.plan.Fit:
    """Return a plan of a cluster that is half full, with fifty workloads."""
    cluster = wt.Cluster(events="none")
    cluster.add_nodes("m5.xlarge", count=nodes, zones=3)
    for number in range(50):
        cluster.create(deployment(f"web-{number}", nodes // 5, cpu=f"{100 + 10 * (number % 20)}m"))
    return wt.plan.fit(cluster)


@pytest.mark.sizes(nodes=(1_000, 20))
def test_headroom_of_one_workload(
    benchmark: Any, each: Each, settled: wt.plan.Fit, nodes: int
) -> None:
    (row,) = benchmark(wt.plan.headroom, settled, "deployment/web-7")
    assert row.more > nodes
    each(row.more, "pod")


@pytest.mark.sizes(nodes=(1_000, 20))
def test_headroom_of_fifty_workloads(
    benchmark: Any, rounds: int, each: Each, settled: wt.plan.Fit, nodes: int
) -> None:
    rows = benchmark.pedantic(wt.plan.headroom, (settled,), rounds=rounds)
    assert len(rows) == 50
    assert all(row.more > nodes for row in rows)
    each(sum(row.more for row in rows), "pod")


@pytest.mark.sizes(nodes=(1_000, 20))
def test_headroom_of_pods_that_mind_each_other(
    benchmark: Any, rounds: int, each: Each, settled: wt.plan.Fit, nodes: int
) -> None:
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "spread"}},
    }
    workload = deployment("spread", 1)
    workload["spec"]["template"]["spec"]["topologySpreadConstraints"] = [spread]
    (row,) = benchmark.pedantic(wt.plan.headroom, (settled, workload), rounds=rounds)
    assert row.more > nodes
    each(row.more, "pod")


@pytest.mark.sizes(nodes=(100_000, 1_000))
def test_add_nodes(benchmark: Any, rounds: int, each: Each, nodes: int) -> None:
    def add() -> list[str]:
        return wt.Cluster().add_nodes("m5.large", count=nodes, zones=3)

    assert len(benchmark.pedantic(add, rounds=rounds)) == nodes
    each(nodes, "node")


def openb_cluster(tables: Path) -> wt.Cluster:
    cluster = wt.Cluster(events="none")
    nodes, pods = tables / "openb_node_list_gpu_node.csv", tables / "openb_pod_list_default.csv"
    openb.load(cluster, nodes, pods)
    return cluster


def test_load_openb_1213_nodes_8152_pods(
    benchmark: Any, rounds: int, each: Each, tables: Path
) -> None:
    cluster = benchmark.pedantic(openb_cluster, (tables,), rounds=rounds)
    assert len(cluster.pods) == 8152
    each(8152, "pod")


def test_schedule_openb_1213_nodes_8152_pods(
    benchmark: Any, rounds: int, each: Each, tables: Path
) -> None:
    cluster = openb_cluster(tables)
    answer = benchmark.pedantic(wt.plan.fit, (cluster,), rounds=rounds)
    assert answer.placed + answer.pending == 8152
    each(8152, "pod")
