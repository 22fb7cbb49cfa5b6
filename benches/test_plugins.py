"""What a scheduling policy of one's own costs, tier by tier.

One policy in all of them: the emptiest node by cpu, golden nodes only, beside every plugin of the
default profile. "built-in" is the default profile alone, "node by node" the same policy as
callbacks.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
import wavetank as wt
from wavetank.scheduling import Batch, Expression, PerNode

from .clusters import pod
from .conftest import Figure

BUILT_IN = """
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
percentageOfNodesToScore: {percentage}
"""


def right(_pod: Any, nodes: Any) -> Any:
    return nodes.label("tier") == "gold"


def good(_pod: Any, nodes: Any) -> Any:
    return 100 - 100 * nodes.requested_cpu_milli // nodes.allocatable_cpu_milli


def right_node(_pod: Any, node: Any) -> Any:
    return node.labels.get("tier") == "gold"


def good_node(_pod: Any, node: Any) -> Any:
    return 100 - 100 * node.requested_cpu_milli // node.allocatable_cpu_milli


TIERS = {
    "built-in": None,
    "expression": Expression(
        "Emptiest",
        filter="node.labels['tier'] == 'gold'",
        score="100 - 100 * node.requested.cpu_milli // node.allocatable.cpu_milli",
    ),
    "batch": Batch("Emptiest", filter=right, score=good),
    "batch, score only": Batch("Emptiest", score=good),
    "node by node": PerNode("Emptiest", filter=right_node, score=good_node),
}


@pytest.mark.parametrize("nodes", [1000, 5000])
@pytest.mark.parametrize("percentage", [0, 100])
@pytest.mark.parametrize("tier", TIERS)
def test_decisions_a_second(
    benchmark: Any, rounds: int, figure: Figure, tier: str, percentage: int, nodes: int
) -> None:
    """Count CPU time, which is wall time on an idle machine: a run is one thread.

    Pods are waiting before the clock starts; what is measured is deciding, binding and starting.
    """
    pods = 100 if tier == "node by node" else 2000
    if rounds == 1:
        nodes, pods = 100, 50
    plugins = [plugin] if (plugin := TIERS[tier]) is not None else []
    base = wt.Cluster(
        plugins=plugins, events="none", scheduler=BUILT_IN.format(percentage=percentage)
    )
    base.add_nodes(cpu="32", memory="64Gi", count=nodes, labels={"tier": "gold"})
    base.run()
    best = float("inf")

    def fresh() -> tuple[tuple[wt.Cluster], dict[str, Any]]:
        cluster = base.fork()
        # One decision first, so that columns and answers are there.
        cluster.create_many(pod("first"), 1)
        cluster.run()
        cluster.create_many(pod(), pods)
        return (cluster,), {}

    def decide(cluster: wt.Cluster) -> None:
        nonlocal best
        began = time.process_time()
        cluster.run()
        best = min(best, time.process_time() - began)

    benchmark.pedantic(decide, setup=fresh, rounds=rounds)
    figure("decisions", pods / best, "per_s")
