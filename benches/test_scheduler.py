"""The scheduler through the Python face: a million pods, every node considered."""

from __future__ import annotations

import resource
import time
from typing import Any

import pytest
import wavetank as wt

from .conftest import Figure

CONFIGURATION = {
    "apiVersion": "kubescheduler.config.k8s.io/v1",
    "kind": "KubeSchedulerConfiguration",
    "percentageOfNodesToScore": 100,
}
SHAPES = 100


def shape(number: int) -> dict[str, Any]:
    requests = {"cpu": f"{100 + 5 * number}m", "memory": f"{200 + 3 * number}Mi"}
    container = {"name": "c", "image": "example/web:1", "resources": {"requests": requests}}
    metadata = {"labels": {"app": f"shape-{number}"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container]},
    }


@pytest.mark.sizes(nodes=(100_000, 1_000), pods=(1_000_000, 10_000))
def test_pods_of_100_shapes(benchmark: Any, figure: Figure, nodes: int, pods: int) -> None:
    """Nodes, pods and the run to settled, in all."""

    def whole() -> wt.Cluster:
        cluster = wt.Cluster(seed=7, events="none", scheduler=CONFIGURATION)
        cluster.add_nodes("m5.2xlarge", count=nodes, zones=3)
        for number in range(SHAPES):
            cluster.create_many(shape(number), pods // SHAPES, prefix=f"shape-{number}-")
        cluster.run(until="settled")
        return cluster

    began = time.process_time()
    cluster = benchmark.pedantic(whole, rounds=1)
    figure("processor time", time.process_time() - began, "s")
    figure("most memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "GB")
    assert not cluster.get("pods", field_selector="spec.nodeName=")
