"""How many more fit: the answers agree with really creating that many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import wavetank as wt
from hypothesis import given, settings
from hypothesis import strategies as st
from wavetank.plan.candidates import NoWorkloadError


def deployment(name: str, replicas: int, requests: dict[str, str], **pod: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "resources": {"requests": requests}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container], **pod},
            },
        },
    }


def spread(name: str) -> dict[str, Any]:
    constraint = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": name}},
    }
    return {"topologySpreadConstraints": [constraint]}


@settings(max_examples=30, deadline=None)
@given(
    nodes=st.integers(1, 5),
    replicas=st.integers(0, 6),
    cpu=st.integers(100, 1500),
    memory=st.integers(64, 3000),
    zones=st.integers(0, 3),
    constrained=st.booleans(),
)
def test_so_many_more_fit_and_not_one_beyond(
    nodes: int, replicas: int, cpu: int, memory: int, zones: int, constrained: bool
) -> None:
    cluster = wt.Cluster()
    cluster.add_nodes(cpu="4", memory="8Gi", count=nodes, zones=zones, pods=20)
    requests = {"cpu": f"{cpu}m", "memory": f"{memory}Mi"}
    pod = spread("web") if constrained else {}
    cluster.create(deployment("web", replicas, requests, **pod))
    before = wt.plan.fit(cluster)
    (answer,) = wt.plan.headroom(cluster, "deployment/web")

    def placed_of(count: int) -> int:
        branch = before.cluster.fork()
        branch.scale("deployment", "web", replicas=count)
        return wt.plan.fit(branch).placed

    if before.fits:
        assert placed_of(replicas + answer.more) == replicas + answer.more
        assert placed_of(replicas + answer.more + 1) == replicas + answer.more
    assert sum(answer.nodes.values()) == answer.more


def test_every_workload_is_tried_alone() -> None:
    cluster = wt.Cluster()
    cluster.add_nodes("2x2cpu,4Gi")
    cluster.create(deployment("large", 1, {"cpu": "1"}))
    cluster.create(deployment("small", 1, {"cpu": "100m"}))
    rows = wt.plan.headroom(cluster)
    assert [(row.name, row.more, row.ends_with) for row in rows] == [
        ("large", 2, "cpu"),
        ("small", 29, "cpu"),
    ]


def test_rules_end_it_as_well_as_resources() -> None:
    cluster = wt.Cluster()
    cluster.add_nodes("3x2cpu,4Gi,zones=3")
    apart = {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {
                    "topologyKey": "kubernetes.io/hostname",
                    "labelSelector": {"matchLabels": {"app": "web"}},
                }
            ]
        }
    }
    cluster.create(deployment("web", 1, {"cpu": "100m"}, affinity=apart))
    (row,) = wt.plan.headroom(cluster)
    assert str(row) == "2 more deployment/web, then pod anti-affinity"


def test_pods_per_node_end_it_for_pods_that_ask_for_nothing() -> None:
    cluster = wt.Cluster()
    cluster.add_nodes("2x2cpu,4Gi,pods=7")
    cluster.create(deployment("web", 1, {}))
    (row,) = wt.plan.headroom(cluster)
    assert (row.more, row.ends_with) == (13, "pods per node")


def test_the_search_ends_where_it_is_told_to() -> None:
    cluster = wt.Cluster()
    cluster.add_nodes("2x2cpu,4Gi")
    cluster.create(deployment("web", 0, {}))
    (row,) = wt.plan.headroom(cluster, "deploy/web", at_most=5)
    assert (row.more, row.capped, str(row)) == (5, True, "5+ more deployment/web")
    with pytest.raises(ValueError, match="at_most is at least 1, not 0"):
        wt.plan.headroom(cluster, at_most=0)


def test_pods_that_do_not_mind_each_other_are_counted_however_many_fit() -> None:
    cluster = wt.Cluster()
    cluster.add_nodes(cpu="4", memory="8Gi", pods=110, count=1_000)
    cluster.create(deployment("web", 1_000, {"cpu": "1m"}))
    (row,) = wt.plan.headroom(cluster)
    assert (row.more, row.capped, row.ends_with) == (109_000, False, "pods per node")
    assert sum(row.nodes.values()) == row.more
    assert len(row.nodes) == 1_000


def test_a_workload_that_is_not_there_yet_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(
        """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - {name: c, image: i, resources: {requests: {memory: 1Gi}}}
"""
    )
    cluster = wt.Cluster()
    cluster.add_nodes("2x2cpu,4Gi")
    (row,) = wt.plan.headroom(cluster, str(file))
    assert (row.more, row.ends_with) == (8, "memory")
    assert len(cluster.pods) == 0


def test_what_makes_no_pods_has_no_headroom() -> None:
    cluster = wt.Cluster()
    cluster.add_nodes("1x2cpu,4Gi")
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})
    with pytest.raises(NoWorkloadError, match="configmap/c makes no pods that could be more"):
        wt.plan.headroom(cluster, "configmap/c")
    with pytest.raises(NoWorkloadError, match='a workload is KIND/NAME, such as "deployment/web"'):
        wt.plan.headroom(cluster, "web")
    with pytest.raises(wt.NotFoundError, match=r'deployments.apps "web" not found'):
        wt.plan.headroom(cluster, "deployment/web")
