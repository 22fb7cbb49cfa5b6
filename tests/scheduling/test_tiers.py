"""One policy in every tier decides the same, which is what a plain reading of the rules gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import wavetank as wt
from hypothesis import given, settings
from hypothesis import strategies as st
from wavetank.scheduling import Batch, Expression

from .clusters import (
    configuration,
    message,
    placed,
    pod,
    priority_class,
    score_node,
    tiers,
)

#: Nothing but Fit and the policy, so that the reference below is short.
ALONE = {
    "plugins": {
        "score": {"disabled": [{"name": "*"}], "enabled": [{"name": "Golden"}]},
        "multiPoint": {"enabled": [{"name": "Golden"}]},
        "postFilter": {"disabled": [{"name": "*"}]},
    }
}
NODES = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from(["gold", "silver", ""])), min_size=1, max_size=14
)
PODS = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=30)


def cluster_of(plugin: Any, nodes: Any, pods: Any, **fields: Any) -> wt.Cluster:
    cluster = wt.Cluster(plugins=[plugin], scheduler=configuration(ALONE, **fields))
    priority_class(cluster)
    for at, (cores, tier) in enumerate(nodes):
        labels = {"tier": tier} if tier else {}
        cluster.add_nodes(cpu=str(cores), memory="64Gi", name=f"n{at}", labels=labels)
    for at, (tenths, important) in enumerate(pods):
        more = {"priorityClassName": "high"} if important else {}
        cluster.create(pod(f"p{at}", tenths * 100, **more))
    cluster.run(until="1s")
    return cluster


class Reference:
    """The scheduler as the reference describes it, with Fit and the policy and nothing else."""

    def __init__(self, nodes: Any, percentage: int = 0) -> None:
        self.cores = [cores * 1000 for cores, _ in nodes]
        self.gold = [tier == "gold" for _, tier in nodes]
        self.used = [0] * len(nodes)
        self.pods = [0] * len(nodes)
        self.start = 0
        self.enough = len(nodes)
        if percentage and len(nodes) >= 100:
            self.enough = max(100, len(nodes) * percentage // 100)

    def passes(self, node: int, cpu: int, important: bool) -> bool:
        fits = self.used[node] + cpu <= self.cores[node]
        return fits and (self.gold[node] or important) and self.pods[node] < 6

    def place(self, cpu: int, important: bool) -> int | None:
        count = len(self.cores)
        feasible: list[int] = []
        seen = 0
        for step in range(count):
            node = (self.start + step) % count
            passes = self.passes(node, cpu, important)
            if passes and len(feasible) == self.enough:
                break
            seen += 1
            if passes:
                feasible.append(node)
        self.start = (self.start + seen) % count
        if not feasible:
            return None
        totals = [100 * (self.cores[n] - self.used[n] - cpu) // self.cores[n] for n in feasible]
        node = feasible[self.root(totals)]
        self.used[node] += cpu
        self.pods[node] += 1
        return node

    def root(self, totals: list[int]) -> int:
        """Return the first of the best in the order of a heap: parent, left, right."""
        best = max(totals)

        def walk(at: int) -> int | None:
            if at >= len(totals):
                return None
            if totals[at] == best:
                return at
            left = walk(2 * at + 1)
            return left if left is not None else walk(2 * at + 2)

        found = walk(0)
        assert found is not None
        return found


def reference(nodes: Any, pods: Any, percentage: int = 0) -> dict[str, str]:
    model = Reference(nodes, percentage)
    order = sorted(range(len(pods)), key=lambda at: (not pods[at][1], at))
    found = {at: model.place(pods[at][0] * 100, pods[at][1]) for at in order}
    return {f"p{at}": "" if node is None else f"n{node}-0" for at, node in found.items()}


@settings(max_examples=40)
@given(nodes=NODES, pods=PODS)
def test_every_tier_decides_as_the_plain_reading_does(nodes: Any, pods: Any) -> None:
    wanted = reference(nodes, pods)
    for tier, plugin in tiers().items():
        assert placed(cluster_of(plugin, nodes, pods)) == wanted, tier


@pytest.mark.parametrize("percentage", [5, 30, 100])
def test_every_tier_stops_searching_where_kubernetes_does(percentage: int) -> None:
    draw = np.random.default_rng(percentage)
    nodes = [(int(draw.integers(1, 8)), str(draw.choice(["gold", ""]))) for _ in range(400)]
    pods = [(int(draw.integers(1, 40)), bool(draw.integers(2))) for _ in range(60)]
    wanted = reference(nodes, pods, percentage)
    for tier, plugin in tiers().items():
        cluster = cluster_of(plugin, nodes, pods, percentageOfNodesToScore=percentage)
        assert placed(cluster) == wanted, tier


@settings(max_examples=25)
@given(
    nodes=NODES,
    pods=PODS,
    spread=st.booleans(),
    normalize=st.sampled_from([None, "default", "reversed"]),
    weight=st.integers(1, 20),
    resolvable=st.booleans(),
)
def test_every_tier_decides_the_same_beside_all_other_plugins(
    nodes: Any, pods: Any, spread: bool, normalize: str | None, weight: int, resolvable: bool
) -> None:
    """Preemption, spread constraints, normalisation, several zones: messages are equal, too."""
    found = {}
    options = {"normalize": normalize, "weight": weight, "resolvable": resolvable}
    for tier, plugin in tiers(**options).items():
        cluster = wt.Cluster(plugins=[plugin])
        priority_class(cluster)
        for at, (cores, golden) in enumerate(nodes):
            zone = {"topology.kubernetes.io/zone": f"z{at % 3}"}
            labels = {"tier": golden, **zone} if golden else zone
            cluster.add_nodes(cpu=str(cores), memory="64Gi", name=f"n{at}", labels=labels)
        selector = {"matchLabels": {"app": "web"}}
        constraint = {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": selector,
        }
        for at, (tenths, important) in enumerate(pods):
            more: dict[str, Any] = {"priorityClassName": "high"} if important else {}
            if spread and at % 2:
                more["topologySpreadConstraints"] = [constraint]
            more["metadata"] = {"labels": {"app": "web"}}
            cluster.create(pod(f"p{at}", tenths * 100, **more))
            if at % 7 == 6:
                cluster.run(until="20s")
        cluster.run(until="60s")
        found[tier] = [dict(one) for one in cluster.get("pods")]
    assert found["batch"] == found["expression"]
    assert found["per node"] == found["expression"]


def test_the_words_of_failed_scheduling_count_nodes_by_reason() -> None:
    def judge(pod: Any, nodes: Any) -> Any:
        words = ["", "node(s) too warm", "node(s) too cold"]
        return [words[int(name.rpartition("-")[2]) % 3] for name in nodes.names]

    cluster = wt.Cluster(plugins=[Batch("Weather", filter=judge)])
    cluster.add_nodes(cpu="1", memory="1Gi", count=6)
    for name in ("first", "second", "last"):
        cluster.create(pod(name, 800))
    cluster.run(until="1s")
    text = message(cluster, "last")
    assert text.startswith(
        "0/6 nodes are available: 2 Insufficient cpu, 2 node(s) too cold, 2 node(s) too warm."
    )


@pytest.mark.parametrize("tier", ["expression", "batch", "per node"])
def test_a_no_without_a_reason_is_in_kubernetes_words(tier: str) -> None:
    cluster = wt.Cluster(plugins=[tiers(reason="")[tier]])
    cluster.add_nodes(cpu="1", memory="1Gi", count=3)
    cluster.create(pod("web"))
    cluster.run(until="1s")
    text = message(cluster, "web")
    assert text.startswith(
        "0/3 nodes are available: 3 node(s) didn't satisfy plugin Golden. no new claims"
    )


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (Expression("Odd", pre_filter="pod.priority > 0", reason="pod is unimportant"), "pod is"),
        (Batch("Odd", pre_filter=lambda pod: pod.priority > 0 or "pod is dull"), "pod is dull"),
        (Batch("Odd", pre_filter=lambda pod: False), "node(s) didn't satisfy plugin Odd"),
    ],
)
def test_a_pod_can_be_rejected_before_any_node_is_looked_at(plugin: Any, words: str) -> None:
    cluster = wt.Cluster(plugins=[plugin])
    cluster.add_nodes(cpu="1", memory="1Gi", count=3)
    cluster.create(pod("web"))
    cluster.run(until="1s")
    assert message(cluster, "web").startswith(f"0/3 nodes are available: {words}")


def test_a_rejection_for_good_is_not_tried_by_preemption() -> None:
    for resolvable, words in [(True, "No preemption victims"), (False, "not helpful")]:
        cluster = wt.Cluster(plugins=[tiers(resolvable=resolvable)["batch"]])
        priority_class(cluster, 5)
        cluster.add_nodes(cpu="1", memory="1Gi", count=2, labels={"tier": "gold"})
        cluster.add_nodes(cpu="4", memory="1Gi", count=2)
        for at in range(2):
            cluster.create(pod(f"first{at}", 800))
        cluster.run(until="1s")
        cluster.create(pod("web", 1100, priorityClassName="high"))
        cluster.run(until="2s")
        assert words in message(cluster, "web")


@pytest.mark.parametrize("tier", ["expression", "batch", "per node"])
def test_preemption_asks_about_nodes_without_the_victims(tier: str) -> None:
    """At most six pods a node: an important seventh takes the place of one."""
    cluster = wt.Cluster(plugins=[tiers()[tier]])
    priority_class(cluster)
    cluster.add_nodes(cpu="4", memory="8Gi", labels={"tier": "gold"})
    for at in range(6):
        cluster.create(pod(f"small{at}"))
    cluster.run(until="1s")
    cluster.create(pod("big", priorityClassName="high"))
    cluster.run(until="120s")
    nodes = placed(cluster)
    assert nodes["big"]
    assert len([name for name in nodes if name.startswith("small")]) == 5


def test_a_score_is_asked_of_feasible_nodes_only_and_not_of_a_single_one() -> None:
    asked: list[list[str]] = []

    def score(pod: Any, nodes: Any) -> Any:
        asked.append(sorted(nodes.names))
        return np.zeros(len(nodes), dtype=np.int64)

    cluster = wt.Cluster(plugins=[Batch("Watching", score=score)])
    cluster.add_nodes(cpu="1", memory="1Gi", count=2, name="small")
    cluster.add_nodes(cpu="4", memory="1Gi", count=2, name="large")
    cluster.create(pod("web", 2500))
    cluster.create(pod("next", 2500))
    cluster.run(until="1s")
    assert asked == [["large-0", "large-1"]]


def test_nodes_that_earlier_plugins_reject_are_not_asked_about() -> None:
    asked: list[str] = []

    def judge(pod: Any, node: Any) -> bool:
        asked.append(node.name)
        return True

    cluster = wt.Cluster(plugins=[wt.scheduling.PerNode("Watching", filter=judge)])
    cluster.add_nodes(cpu="1", memory="1Gi", count=2, name="small")
    cluster.add_nodes(cpu="4", memory="1Gi", count=2, name="large")
    cluster.create(pod("web", 2500))
    cluster.run(until="1s")
    assert sorted(asked) == ["large-0", "large-1"]


def test_weights_decide_between_two_plugins() -> None:
    left = Expression("Left", score="100 if node.labels['side'] == 'left' else 0")
    right = Expression("Right", score="100 if node.labels['side'] == 'right' else 0")
    for weights, wanted in [((1, 2), "right-0"), ((20, 1), "left-0")]:
        left.weight, right.weight = weights
        cluster = wt.Cluster(plugins=[left, right])
        for side in ("left", "right"):
            cluster.add_nodes(cpu="4", memory="8Gi", name=side, labels={"side": side})
        cluster.create(pod("web"))
        cluster.run()
        assert placed(cluster) == {"web": wanted}


def test_columns_follow_nodes_that_come_go_and_change() -> None:
    """What a plugin reads equals the table of nodes, decision after decision."""
    seen = 0

    def check(pod: Any, nodes: Any) -> Any:
        nonlocal seen
        seen += 1
        table = {
            str(name): (int(cpu), int(count), int(allowed))
            for name, cpu, count, allowed in zip(
                cluster.nodes["name"],
                cluster.nodes["requested_cpu_milli"],
                cluster.nodes["requested_pods"],
                cluster.nodes["allocatable_pods"],
                strict=True,
            )
        }
        tiers = {
            node.metadata["name"]: node.metadata.get("labels", {}) for node in cluster.get("nodes")
        }
        for at, name in enumerate(nodes.names):
            cpu, count, allowed = table[name]
            assert nodes.requested_cpu_milli[at] == cpu
            assert nodes.requested_pods[at] == count
            assert nodes.allocatable_pods[at] == allowed
            assert nodes.allocatable("example.com/gpu")[at] == nodes.free("example.com/gpu")[at]
            assert nodes.label("tier").tolist()[at] == tiers[name].get("tier")
        assert not nodes.requested_cpu_milli.flags.writeable
        return np.full(len(nodes), 50)

    cluster = wt.Cluster(plugins=[Batch("Checking", score=check)])
    draw = np.random.default_rng(1)
    made = 0
    for step in range(60):
        match int(draw.integers(6)):
            case 0 | 1:
                labels = {"tier": str(draw.choice(["gold", "silver"]))} if draw.integers(2) else {}
                cluster.add_nodes(cpu="4", memory="8Gi", name=f"n{step}", labels=labels)
            case 2 if len(names := list(cluster.nodes["name"])) > 3:
                cluster.delete("nodes", str(draw.choice(names)))
            case 3 if names := list(cluster.nodes["name"]):
                patch = {"metadata": {"labels": {"tier": str(draw.choice(["gold", "bronze"]))}}}
                cluster.patch("nodes", str(draw.choice(names)), patch)
            case _:
                for _ in range(3):
                    cluster.create(pod(f"p{made}", int(draw.integers(1, 9)) * 50))
                    made += 1
        cluster.run(until="1s")
    assert seen > 30


def test_the_reference_scores_as_the_per_node_plugin() -> None:
    """A guard against a reference that agrees with nothing but itself."""
    model = Reference([(4, "gold")])

    class Of:
        allocatable_cpu_milli, requested_cpu_milli, cpu_milli = 4000, 1000, 500

    assert score_node(Of, Of) == 100 * (model.cores[0] - 1000 - 500) // 4000 == 62
