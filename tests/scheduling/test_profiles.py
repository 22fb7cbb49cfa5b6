"""Plugins among profiles, in forks, and what wakes the pods they rejected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import wavetank as wt
from wavetank.scheduling import Batch, Expression

from .clusters import configuration, message, placed, pod, tiers

TWO = configuration(
    {"schedulerName": "default-scheduler"},
    {
        "schedulerName": "picky",
        "plugins": {"multiPoint": {"enabled": [{"name": "Golden", "weight": 30}]}},
    },
)


@pytest.mark.parametrize("tier", ["expression", "batch", "per node"])
def test_a_plugin_acts_in_the_profile_that_names_it_and_in_no_other(tier: str) -> None:
    cluster = wt.Cluster(plugins=[tiers()[tier]], scheduler=TWO)
    cluster.add_nodes(cpu="4", memory="8Gi", count=3, name="gold", labels={"tier": "gold"})
    cluster.add_nodes(cpu="32", memory="64Gi", count=3, name="large")
    for at in range(12):
        cluster.create(pod(f"any{at}"))
        cluster.create(pod(f"picky{at}", schedulerName="picky"))
    cluster.run(until="1s")
    nodes = placed(cluster)
    assert {node[:4] for name, node in nodes.items() if name.startswith("picky")} == {"gold"}
    assert any(node.startswith("large") for name, node in nodes.items() if name.startswith("any"))


def test_without_profiles_a_plugin_is_in_the_default_one() -> None:
    nobody = Expression("Nobody", filter="False")
    for scheduler in (None, configuration(percentageOfNodesToScore=50)):
        cluster = wt.Cluster(plugins=[nobody], scheduler=scheduler)
        cluster.add_nodes(cpu="4", memory="8Gi")
        cluster.create(pod("web"))
        cluster.run(until="1s")
        assert "didn't satisfy plugin Nobody" in message(cluster, "web")


def test_a_plugin_that_no_profile_names_does_nothing() -> None:
    nobody = Expression("Nobody", filter="False")
    profile = {"schedulerName": "default-scheduler"}
    cluster = wt.Cluster(plugins=[nobody], scheduler=configuration(profile))
    cluster.add_nodes(cpu="4", memory="8Gi")
    cluster.create(pod("web"))
    cluster.run()
    assert placed(cluster)["web"]


def test_the_order_of_a_profile_decides_who_says_no() -> None:
    one, two = Expression("One", filter="False"), Batch("Two", filter=lambda pod, nodes: [False])
    for first, second in [("One", "Two"), ("Two", "One")]:
        profile = {
            "schedulerName": "default-scheduler",
            "plugins": {"filter": {"enabled": [{"name": first}, {"name": second}]}},
        }
        cluster = wt.Cluster(plugins=[one, two], scheduler=configuration(profile))
        cluster.add_nodes(cpu="4", memory="8Gi")
        cluster.create(pod("web"))
        cluster.run(until="1s")
        assert f"1 node(s) didn't satisfy plugin {first}." in message(cluster, "web")


def test_the_weight_of_a_configuration_goes_before_the_plugins_own() -> None:
    last = Expression("Last", score="100 if node.name == 'node-2' else 0", weight=1000)
    found = []
    for entry in ({"name": "Last"}, {"name": "Last", "weight": 1}):
        profile = {
            "schedulerName": "default-scheduler",
            "plugins": {"score": {"enabled": [entry]}},
        }
        cluster = wt.Cluster(plugins=[last], scheduler=configuration(profile))
        cluster.add_nodes(cpu="4", memory="8Gi", count=2)
        cluster.add_nodes(cpu="1", memory="1Gi", count=1, name="small")
        cluster.create(pod("web", 900))
        cluster.run()
        found.append(placed(cluster)["web"])
    assert found[1] != "node-2"


@pytest.mark.parametrize("tier", ["expression", "batch", "per node"])
def test_a_fork_goes_its_own_way(tier: str) -> None:
    cluster = wt.Cluster(plugins=[tiers()[tier]])
    cluster.add_nodes(cpu="4", memory="8Gi", count=3, labels={"tier": "gold"})
    for at in range(4):
        cluster.create(pod(f"p{at}"))
    cluster.run()
    branch = cluster.fork()
    branch.add_nodes(cpu="4", memory="8Gi", name="more", labels={"tier": "gold"})
    for one in (cluster, branch):
        for at in range(4, 8):
            one.create(pod(f"p{at}"))
        one.run()
    assert "more-0" in placed(branch).values()
    assert "more-0" not in placed(cluster).values()
    alone = wt.Cluster(plugins=[tiers()[tier]])
    alone.add_nodes(cpu="4", memory="8Gi", count=3, labels={"tier": "gold"})
    for part in (range(4), range(4, 8)):
        for at in part:
            alone.create(pod(f"p{at}"))
        alone.run()
    assert placed(alone) == placed(cluster)


@pytest.mark.parametrize(
    ("events", "wakes"),
    [(None, True), (["Node/UpdateNodeLabel"], True), (["Node"], True), (["Pod/Delete"], False)],
)
def test_a_rejected_pod_waits_for_the_events_its_plugin_names(events: Any, wakes: bool) -> None:
    cluster = wt.Cluster(plugins=[tiers(events=events)["batch"]])
    cluster.add_nodes(cpu="4", memory="8Gi")
    cluster.create(pod("web"))
    cluster.run(until="15s")
    cluster.patch("nodes", "node-0", {"metadata": {"labels": {"tier": "gold"}}})
    cluster.run(until="15s")
    assert bool(placed(cluster)["web"]) is wakes
    # Five minutes later every pod is tried again.
    cluster.run(until="400s")
    assert placed(cluster)["web"]


def test_seeded_ties_are_drawn_once_however_often_a_plugin_is_asked() -> None:
    """The random stream moves with decisions, not with questions."""
    found = []
    for plugin in tiers().values():
        cluster = wt.Cluster(plugins=[plugin], seed=11)
        cluster.add_nodes(cpu="4", memory="8Gi", count=20, labels={"tier": "gold"}, zones=3)
        for at in range(60):
            cluster.create(pod(f"p{at}"))
        cluster.run()
        found.append(placed(cluster))
    assert found[0] == found[1] == found[2]


def test_a_scheduling_cycle_takes_its_time_with_plugins_as_without() -> None:
    latencies = wt.Latencies(scheduling_cycle="100ms")
    times = []
    for plugin in tiers().values():
        cluster = wt.Cluster(plugins=[plugin], latencies=latencies)
        cluster.add_nodes(cpu="4", memory="8Gi", count=4, labels={"tier": "gold"})
        for at in range(10):
            cluster.create(pod(f"p{at}"))
        times.append(cluster.run().elapsed_s)
    assert times[0] == times[1] == times[2]
    assert times[0] >= 0.9


def test_controllers_see_the_same_between_questions() -> None:
    """A run that stops for questions interleaves controllers as one that does not."""
    states = []
    for plugin in tiers().values():
        cluster = wt.Cluster(plugins=[plugin])
        cluster.add_nodes(cpu="4", memory="8Gi", count=4, labels={"tier": "gold"})
        template = {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        }
        cluster.create(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "web", "namespace": "default"},
                "spec": {
                    "replicas": 20,
                    "selector": {"matchLabels": {"app": "web"}},
                    "template": template,
                },
            }
        )
        cluster.run(until="10s")
        states.append([dict(o) for kind in ("pods", "deployments") for o in cluster.get(kind)])
    assert states[0] == states[1] == states[2]


def test_pods_and_nodes_show_what_they_are() -> None:
    def look(pod: Any, node: Any) -> int:
        assert str(pod) == "default/web"
        assert pod.labels == {"app": "web"}
        assert pod.annotations == {"note": "x"}
        assert pod.requests == {"cpu": 250, "memory": 64 << 20, "nvidia.com/gpu": 2}
        assert pod.request("nothing") == 0
        assert pod.object["spec"]["schedulerName"] == "default-scheduler"
        assert node.labels["kubernetes.io/hostname"] == node.name
        assert (node.allocatable("cpu"), node.free("pods")) == (4000, 110)
        assert node.allocatable_memory_bytes == 8 << 30
        assert not node.unschedulable
        return 3

    def columns(pod: Any, nodes: Any) -> Any:
        price = nodes.label("price")
        assert sorted(price.numbers(9).tolist()) == [1.5, 2.0, 9.0]
        assert price.present.sum() == 2
        assert (price != "1.5").sum() == 2
        assert price.isin(["1.5", "2"]).sum() == 2
        assert len(nodes) == len(list(nodes)) == len(price) == 3
        assert nodes[-1].name == nodes.names[-1]
        return np.zeros(3, dtype=np.int64)

    cluster = wt.Cluster(
        plugins=[wt.scheduling.PerNode("Look", score=look), Batch("Columns", score=columns)]
    )
    for labels in ({"price": "1.5"}, {"price": "2"}, {}):
        cluster.add_nodes(cpu="4", memory="8Gi", labels=labels, gpu=4)
    given = pod("web", 250, metadata={"labels": {"app": "web"}, "annotations": {"note": "x"}})
    requests = given["spec"]["containers"][0]["resources"]["requests"]
    given["spec"]["containers"][0]["resources"]["limits"] = {"nvidia.com/gpu": "2"}
    requests["nvidia.com/gpu"] = "2"
    cluster.create(given)
    cluster.run()
    assert placed(cluster)["web"]
