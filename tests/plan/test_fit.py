"""Does it fit: verdicts, reasons and sums, scenario by scenario."""

from __future__ import annotations

from typing import Any

import pytest
import wavetank as wt
from wavetank.plan.reasons import parse


def workload(kind: str, name: str, cpu: str, **spec: Any) -> dict[str, Any]:
    requests = {"cpu": cpu, "memory": "16Mi"}
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {
            "containers": [{"name": "c", "image": "i", "resources": {"requests": requests}}],
            **spec.pop("pod", {}),
        },
    }
    selector = {"selector": {"matchLabels": {"app": name}}}
    version, extra = "apps/v1", selector
    if kind == "Job":
        version, extra = "batch/v1", {}
        template["spec"]["restartPolicy"] = "Never"
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"template": template, **extra, **spec},
    }


def cluster_of(*pools: str, objects: list[dict[str, Any]]) -> wt.Cluster:
    cluster = wt.Cluster()
    for pool in pools:
        cluster.add_nodes(pool)
    for item in objects:
        cluster.create(item)
    return cluster


def test_what_fits_fits_and_the_cluster_is_left_alone() -> None:
    cluster = cluster_of("2x2cpu,4Gi", objects=[workload("Deployment", "web", "500m", replicas=8)])
    version = cluster.world.revision
    answer = wt.plan.fit(cluster)
    assert (answer.fits, answer.pods, answer.placed, answer.pending) == (True, 8, 8, 0)
    assert answer.reasons == []
    assert cluster.world.revision == version
    assert len(cluster.pods) == 0


def test_pods_without_a_place_are_counted_with_the_schedulers_reasons() -> None:
    cluster = cluster_of(
        "2x2cpu,4Gi",
        "1x8cpu,4Gi,taint=team=db:NoSchedule",
        objects=[workload("Deployment", "web", "1500m", replicas=3)],
    )
    answer = wt.plan.fit(cluster)
    assert (answer.fits, answer.placed, answer.pending) == (False, 2, 1)
    assert [(item.reason, item.pods, item.nodes) for item in answer.reasons] == [
        ("Insufficient cpu", 1, 2),
        ("node(s) had untolerated taint(s)", 1, 1),
    ]
    (row,) = answer.workloads
    assert row.limits == {"cpu": 2, "taints": 1}
    assert row.message.startswith("0/3 nodes are available: ")


def test_room_that_is_on_no_single_node_is_pointed_out() -> None:
    objects = [workload("Deployment", "web", "1200m", replicas=3)]
    answer = wt.plan.fit(cluster_of("2x2cpu,4Gi", objects=objects))
    assert answer.notes == [
        (
            "deployment/web asks for 1200m cpu a pod: 1.6 cores are free in all, "
            "but at most 800m on one node"
        )
    ]


def test_the_sums_of_a_pool_are_those_of_its_nodes() -> None:
    objects = [workload("Deployment", "web", "300m", replicas=7)]
    answer = wt.plan.fit(cluster_of("3xm5.large,zones=3", "1x4cpu,8Gi", objects=objects))
    assert [(pool.pool, pool.nodes) for pool in answer.pools] == [("m5-large", 3), ("node", 1)]
    for pool in answer.pools:
        members = [node for node in answer.nodes if node.pool == pool.pool]
        for name, use in pool.resources.items():
            assert use.requested == sum(node.resources[name].requested for node in members)
            assert use.allocatable == sum(node.resources[name].allocatable for node in members)
    assert sum(pool.resources["cpu"].requested for pool in answer.pools) == 2100
    assert answer.pools[0].price_usd_hour == pytest.approx(3 * 0.096)
    assert answer.pools[1].price_usd_hour is None


@pytest.mark.parametrize(
    ("item", "names"),
    [
        (workload("StatefulSet", "db", "100m", replicas=2, serviceName="db"), {"db-0", "db-1"}),
        (workload("DaemonSet", "agent", "100m"), None),
        (workload("Job", "sum", "100m", parallelism=3, completions=2), None),
    ],
    ids=["StatefulSet", "DaemonSet", "Job"],
)
def test_kinds_without_a_controller_get_their_pods_from_the_plan(
    item: dict[str, Any], names: set[str] | None
) -> None:
    answer = wt.plan.fit(cluster_of("2x2cpu,4Gi", objects=[item]))
    pods = answer.cluster.pods["name"].tolist()
    assert answer.fits
    assert len(pods) == 2
    assert names is None or set(pods) == names
    (note,) = answer.notes
    assert note.endswith(f"the plan made their pods: 1 {item['kind']}")


def test_a_daemonset_goes_to_the_nodes_that_take_it() -> None:
    item = workload("DaemonSet", "agent", "100m", pod={"nodeSelector": {"tier": "web"}})
    cluster = cluster_of("2x2cpu,4Gi,label=tier=web,name=web", "3x2cpu,4Gi", objects=[item])
    answer = wt.plan.fit(cluster)
    assert sorted(answer.cluster.pods["node"]) == ["web-0", "web-1"]


def test_a_pod_that_made_room_for_another_is_counted_as_pending() -> None:
    urgent = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "urgent"},
        "value": 1000,
    }
    low = workload("Job", "low", "1500m")
    high = workload("Deployment", "high", "1500m", replicas=1, pod={"priorityClassName": "urgent"})
    answer = wt.plan.fit(cluster_of("1x2cpu,4Gi", objects=[urgent, low, high]))
    found = {row.name: (row.pods, row.placed) for row in answer.workloads}
    assert found == {"high": (1, 1), "low": (1, 0)}
    assert not answer.fits


def test_pods_that_cannot_be_created_are_pending() -> None:
    item = workload("StatefulSet", "db", "100m", serviceName="db", replicas=2)
    item["spec"]["template"]["spec"]["priorityClassName"] = "missing"
    answer = wt.plan.fit(cluster_of("1x2cpu,4Gi", objects=[item]))
    (row,) = answer.workloads
    assert (row.pods, row.placed) == (2, 0)
    assert "no PriorityClass with name missing was found" in row.message
    assert answer.reasons[0].reason.startswith("could not be created: ")


@pytest.mark.parametrize(
    ("message", "limits"),
    [
        ("", {}),
        ("no nodes available to schedule pods", {"no nodes": 0}),
        (
            (
                "0/5 nodes are available: 2 Insufficient cpu, 3 Insufficient example.com/gpu. "
                "preemption: 0/5 nodes are available: 5 No preemption victims found."
            ),
            {"example.com/gpu": 3, "cpu": 2},
        ),
        (
            "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
            {"unbound claims": 3},
        ),
        (
            (
                "0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints "
                "(missing required label)."
            ),
            {"spread label": 2},
        ),
    ],
)
def test_the_schedulers_words_are_taken_apart(message: str, limits: dict[str, int]) -> None:
    assert parse(message).limits == limits


def test_workloads_that_request_nothing_are_pointed_out() -> None:
    light = workload("Deployment", "light", "0", replicas=1)
    del light["spec"]["template"]["spec"]["containers"][0]["resources"]
    heavy = workload("Deployment", "heavy", "1", replicas=1)
    answer = wt.plan.fit(cluster_of("1x2cpu,4Gi", objects=[light, heavy]))
    assert answer.notes == [
        "of 2 workloads, 1 request no cpu and 1 request no memory: "
        "the scheduler packs them as if they took none"
    ]
