"""What may be asked, how pods stand, and the changes that answer no plugin."""

from __future__ import annotations

import json
from typing import Any

import pytest
import wavetank as wt
from wavetank.errors import BadRequestError, NotFoundError
from wavetank.explain import KINDS, ExplainError
from wavetank.scheduling import Expression, PerNode

from .clusters import add, ask, cluster, kinds, one, pod, small
from .test_plugins import DATA, claim, volume


def deployment(name: str, replicas: int, **more: Any) -> dict[str, Any]:
    template = pod(name, labels={"app": name}, **more)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": template["spec"]},
        },
    }


def test_a_gated_pod_that_would_fit() -> None:
    made = cluster(small())
    made.create(pod("web", schedulingGates=[{"name": "example.com/quota"}]))
    answer = ask(made, "web")
    assert answer.state == "gated"
    assert "held back by example.com/quota; without it it would go to n-0" in str(answer)
    assert kinds(answer) == ["gate"]
    assert not answer.changes[0].patches[0].anew


def test_a_gated_pod_that_would_not_fit() -> None:
    made = cluster(small())
    made.create(pod("web", cpu="3", schedulingGates=[{"name": "quota"}]))
    answer = ask(made, "web")
    assert kinds(answer)[0] == "gate+request"
    assert answer.groups[0].why == "asks 3 cpu, 2 of 2 free: 1 too little"


def test_a_pod_of_another_scheduler() -> None:
    made = cluster(small())
    made.create(pod("web", schedulerName="mine"))
    answer = ask(made, "web")
    assert answer.state == "not ours"
    assert "waiting for a scheduler called mine, and there is none" in str(answer)
    assert kinds(answer) == ["scheduler"]


def test_a_pod_that_is_being_deleted() -> None:
    made = cluster(small())
    made.create({**pod("web"), "metadata": {"name": "web", "finalizers": ["x/y"]}})
    made.delete("pod", "web")
    assert "is being deleted" in str(ask(made, "web"))


def test_a_pod_that_has_ended() -> None:
    made = add(cluster(small()), pod("web", restartPolicy="Never"))
    made.set_pods(made.keys("pods"), phase="Succeeded")
    assert "has ended" in str(ask(made, "web"))


def test_a_pod_that_was_not_tried_yet() -> None:
    made = cluster(small())
    made.create(pod("web"))
    answer = ask(made, "web")
    assert (answer.state, answer.node, answer.changes) == ("pending", "n-0", [])
    assert "but as the cluster is now it goes to n-0" in str(answer)


def test_a_bound_pod_and_who_came_second() -> None:
    made = cluster(small("a"), small("b", cpu="8"), small("c", cpu="4"))
    add(made, pod("web", cpu="1", memory="1Gi"))
    answer = ask(made, "web")
    assert (answer.state, answer.node) == ("bound", "b-0")
    assert answer.scores["node"].tolist() == ["b-0", "c-0", "a-0"]
    text = str(answer)
    assert "b-0 has the highest total of 3 feasible nodes" in text
    assert "c-0 came second," in text
    assert "NodeResourcesFit -" in text
    totals = answer.scores.to_numpy()
    plugins = [name for name in totals if name not in {"node", "total"}]
    assert (sum(totals[name] for name in plugins) == totals["total"]).all()


def test_a_bound_pod_whose_node_is_one_of_equals() -> None:
    made = add(cluster(small(count=3)), pod("web"))
    assert "3 of 3 feasible nodes tie for the highest total" in str(ask(made, "web"))


def test_a_bound_pod_that_would_go_elsewhere_now() -> None:
    made = add(cluster(small()), pod("web"))
    made.add_nodes(**small("big", cpu="64"))
    assert "as the cluster is now it would go to big-0" in str(ask(made, "web"))


def test_pods_of_a_deployment_that_are_in_the_same_position() -> None:
    made = cluster(small(count=2))
    made.create(deployment("web", 5, cpu="1500m"))
    made.run()
    answer = ask(made, "deployment/web")
    assert len(answer.pods) == 3
    assert str(answer).startswith("3 pods of deployment/web, pod/web-")
    less = one(answer, "request")
    assert less.new == "500m"
    assert (less.lets_in, less.pods) == (2, 3)
    assert one(answer, "node").lets_in == 1
    # A priority would evict the Deployment's own pods, which would have it too.
    assert "priority" not in kinds(answer)
    by_name = ask(made, f"pod/{answer.pods[1]}")
    assert set(by_name.pods) == set(answer.pods)
    assert by_name.owner == "deployment/web"


def test_the_template_of_the_workload_is_where_people_change_it() -> None:
    made = cluster(small("n"), small("gpu", count=2, cpu="4", taints=["gpu:NoSchedule"]))
    made.create(deployment("web", 2, cpu="2500m"))
    made.run()
    answer = ask(made, "deployment/web")
    assert kinds(answer)[:2] == ["request", "toleration"]
    for change, running in zip(answer.changes[:2], (1, 2), strict=True):
        patch = change.workload
        assert patch is not None
        assert (patch.target, patch.namespace) == ("deployment/web", "default")
        assert change.command.startswith(
            "kubectl patch deployment/web -n default --type=json -p '["
        )
        branch = made.fork()
        branch.patch(patch.target, None, patch.operations, type="json")
        branch.run(until="10m")
        bound = branch.get("pods", field_selector="spec.nodeName!=")
        assert len(bound) == running


def test_many_pods_in_the_same_position() -> None:
    made = cluster(small())
    made.create(deployment("web", 1200, cpu="3"))
    made.run()
    answer = ask(made, "deployment/web")
    assert len(answer.pods) == 1200
    assert str(answer).startswith("1,200 pods of deployment/web")


def test_a_deployment_without_pending_pods() -> None:
    made = cluster(small(count=2))
    made.create(deployment("web", 2))
    made.run()
    answer = ask(made, "deploy/web")
    assert answer.state == "bound"
    assert "no pod of deployment/web is pending; this is one of 2" in str(answer)


@pytest.mark.parametrize("write", [dict, lambda given: json.dumps(given) + "\n"])
def test_a_manifest_of_a_pod_that_is_not_there_yet(write: Any) -> None:
    made = cluster(small())
    answer = made.explain(write(pod("new", cpu="3")))
    assert answer.state == "new"
    assert str(answer).startswith("pod/new would be pending: no node takes it")
    assert made.find("pods", "new") is None
    made.create(pod("new", cpu="3"))
    assert [change.text for change in ask(made, "new").changes] == [
        change.text for change in answer.changes
    ]


def test_a_manifest_that_would_fit() -> None:
    made = cluster(small())
    assert str(made.explain(deployment("web", 3))).startswith("pod/web-")
    assert made.explain(deployment("web", 3)).node == "n-0"


def test_a_workload_whose_pods_are_not_there_yet() -> None:
    made = cluster(small())
    made.create(deployment("web", 1, cpu="3"))
    answer = made.explain("deployment/web")
    assert answer.groups[0].why == "asks 3 cpu, 2 of 2 free: 1 too little"


def test_an_object_of_the_cluster() -> None:
    made = cluster(small())
    made.create(pod("web", cpu="3"))
    assert made.explain(made.get("pod/web")).state == "pending"


def test_preemption_that_will_happen() -> None:
    made = add(cluster(small()), pod("low", cpu="2"))
    made.create(priority_class("high", 1000))
    made.create(pod("web", cpu="1", priorityClassName="high"))
    answer = ask(made, "web")
    assert answer.evicts == ("default/low",)
    assert not answer.fits
    assert "the scheduler makes room on n-0 by evicting low" in str(answer)
    assert "What would let it in without evicting" in str(answer)
    assert kinds(answer) == ["request", "node"] or kinds(answer) == ["node", "request"]


def test_room_that_is_promised_to_another_pod() -> None:
    slow = wt.Latencies(container_stop="20s")
    made = add(cluster(small(), latencies=slow), pod("low", cpu="1"))
    made.create(priority_class("high", 1000))
    add(made, pod("high", cpu="1500m", priorityClassName="high"))
    made.run(until="1s")
    assert made.get("pod/high")["status"]["nominatedNodeName"] == "n-0"
    assert "n-0 is promised to it once the pods it preempts are gone" in str(made.explain("high"))
    made.create(pod("web", cpu="1"))
    answer = made.explain("web")
    assert answer.node == ""
    assert answer.groups[0].why == "asks 1 cpu, 0 of 2 free: 1 too little"


def priority_class(name: str, value: int) -> dict[str, Any]:
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    return {**kind, "metadata": {"name": name}, "value": value}


def test_the_lowest_priority_that_is_enough() -> None:
    made = cluster(small())
    for value in (10, 20, 30):
        made.create(priority_class(f"p{value}", value))
    add(made, *(pod(f"a{n}", cpu="600m", priorityClassName=f"p{n}") for n in (10, 20, 30)))
    made.create(priority_class("exact", 21))
    made.create(pod("web", cpu="1"))
    answer = ask(made, "web")
    higher = one(answer, "priority")
    assert higher.text == "a priority of 21 (class exact), not 0"
    assert set(higher.evicts) == {"default/a10", "default/a20"}
    assert not higher.creates


def test_a_pod_that_never_preempts() -> None:
    made = add(cluster(small()), pod("low", cpu="2"))
    made.create({**priority_class("polite", 5), "preemptionPolicy": "Never"})
    made.create(pod("web", cpu="1", priorityClassName="polite"))
    answer = ask(made, "web")
    assert answer.evicts == ()
    assert "priority" not in kinds(answer)


def test_a_cluster_without_nodes() -> None:
    made = wt.Cluster()
    made.create(pod("web", cpu="3", memory="10Gi"))
    answer = ask(made, "web")
    assert answer.message == "no nodes available to schedule pods"
    (machine,) = answer.changes
    assert machine.kind == "node"
    assert "an hour" in machine.text


def test_the_cheapest_machine_of_the_providers_there_are() -> None:
    made = wt.Cluster()
    made.add_nodes("m5.large", count=2, zones=2)
    made.create(pod("web", cpu="5", memory="10Gi"))
    machine = one(ask(made, "web"), "node")
    table = wt.catalogue.catalogue()
    aws = [item for item in table if item.provider == "aws" and item.arch == "amd64"]
    fitting = [
        item.price_usd_hour
        for item in aws
        if item.cpu_milli >= 6000 and item.memory_bytes >= 12 * 2**30
    ]
    assert table[machine.new].price_usd_hour == min(fitting)


def test_a_machine_of_ones_own() -> None:
    made = wt.Cluster()
    own = wt.catalogue.Machine("huge", 128_000, 2**40, provider="mine", price_usd_hour=0.001)
    made.create(pod("web", cpu="100"))
    answer = made.explain("web", catalogue=wt.catalogue.Catalogue({"huge": own}))
    assert one(answer, "node").new == "huge"


def test_two_changes_where_no_single_one_helps() -> None:
    made = add(
        cluster(small(taints=["gpu:NoSchedule"])),
        pod("a", cpu="1", tolerations=[{"operator": "Exists"}]),
    )
    made.create(pod("web", cpu="3"))
    answer = ask(made, "web")
    assert kinds(answer)[0] == "toleration+request"
    assert answer.changes[0].text == (
        "tolerate gpu:NoSchedule, and ask for 2 less cpu: 1 instead of 3"
    )


def test_where_nothing_helps() -> None:
    made = cluster(small())
    made.restore([volume("pv-1", "a", {"x": "y"}), claim(mode="ReadWriteOncePod")])
    add(made, pod("a", volumes=DATA))
    made.create({**priority_class("polite", 5), "preemptionPolicy": "Never"})
    made.create(pod("web", volumes=DATA, priorityClassName="polite"))
    answer = ask(made, "web")
    assert answer.changes == []
    assert (
        "no single change and no two that were tried let it in; "
        "VolumeRestrictions refuses most nodes, 1 of 1"
    ) in str(answer)


def test_the_table_of_nodes_names_every_reason() -> None:
    made = cluster(small(count=2), small("t", taints=["x:NoSchedule"]))
    made.create(pod("web", cpu="3"))
    nodes = ask(made, "web").nodes.to_pandas()
    assert len(nodes) == 4
    tainted = nodes[nodes.node == "t-0"]
    assert tainted.plugin.tolist() == ["TaintToleration", "NodeResourcesFit"]
    assert tainted["first"].tolist() == [True, False]
    assert tainted.lacking.tolist() == [-1, 1000]


def test_plain_data_and_html() -> None:
    made = cluster(small())
    made.create(pod("web", cpu="3", labels={"a": "b"}))
    answer = ask(made, "web")
    told = json.loads(json.dumps(answer.to_dict()))
    assert told["changes"][0]["kind"] == "request"
    assert told["groups"][0]["why"] == answer.groups[0].why
    page = answer._repr_html_()
    assert "<table>" in page
    assert "-&gt; n-0" in page
    assert set(kinds(answer)) <= set(KINDS)


def test_kubernetes_words_for_what_is_not_there() -> None:
    made = cluster(small())
    with pytest.raises(NotFoundError, match='pods "nope" not found'):
        made.explain("nope")
    with pytest.raises(NotFoundError, match='deployments.apps "web" not found'):
        made.explain("deployment/web")
    made.create(pod("web"))
    with pytest.raises(NotFoundError, match='pods "web" not found'):
        made.explain("pod/web", namespace="kube-system")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("pods", "resource name may not be empty"),
        ("pod/a pod/b", "one pod is explained at a time"),
        ("pod/a/b", "one pod is explained at a time"),
        ("namespace/default", "makes no pods"),
        (7, "not as int"),
        ([], "not as list"),
    ],
)
def test_questions_that_make_no_sense(given: Any, words: str) -> None:
    with pytest.raises(ExplainError, match=words):
        cluster(small()).explain(given)


def test_a_manifest_of_several_pods() -> None:
    text = "\n---\n".join(json.dumps(pod(name)) for name in "ab")
    with pytest.raises(ExplainError, match="makes several: pod/a, pod/b"):
        cluster(small()).explain(text)


def test_a_profile_without_a_plugin_does_not_hear_it() -> None:
    profile = {
        "schedulerName": "default-scheduler",
        "plugins": {"multiPoint": {"disabled": [{"name": "TaintToleration"}]}},
    }
    config = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "profiles": [profile],
    }
    made = cluster(small(taints=["x:NoSchedule"]), scheduler=config)
    made.create(pod("web", cpu="3"))
    assert [group.plugin for group in ask(made, "web").groups] == ["NodeResourcesFit"]


def test_commands_for_what_is_the_nodes() -> None:
    made = cluster(
        small("a", taints=["gpu=a100:NoSchedule"]), small("b"), small("c", labels={"disk": "hdd"})
    )
    made.patch("node", "b-0", {"spec": {"unschedulable": True}})
    made.create(pod("web"))
    made.delete("node", "c-0")
    commands = {change.command for change in ask(made, "web").changes}
    assert "kubectl uncordon b-0" in commands
    assert "kubectl taint node a-0 gpu=a100:NoSchedule-" in commands
    made.create(pod("disk", nodeSelector={"disk": "ssd"}))
    made.add_nodes(**small("d", labels={"disk": "hdd"}))
    label = one(ask(made, "disk"), "node-label")
    assert label.command == "kubectl label --overwrite node d-0 disk=ssd"


def test_a_pod_of_a_daemon_set_belongs_to_its_node() -> None:
    made = add(cluster(small(count=2)), pod("a", cpu="2"), pod("b", cpu="2"))
    daemon = deployment("agent", 0, cpu="1")
    daemon["kind"] = "DaemonSet"
    del daemon["spec"]["replicas"]
    made.create(daemon)
    made = wt.plan.fit(made).cluster
    answer = ask(made, "daemonset/agent")
    assert answer.state == "pending"
    assert not {"selector", "node"} & set(kinds(answer))


def test_a_plugin_of_ones_own_as_an_expression() -> None:
    golden = Expression(
        "Golden", filter="node.labels['tier'] == 'gold'", score="node.pods", reason="not golden"
    )
    made = cluster(small("tin", labels={"tier": "tin"}), small("x"), plugins=[golden])
    made.create(pod("web", cpu="3"))
    answer = ask(made, "web")
    assert answer.message.startswith("0/2 nodes are available: 2 Insufficient cpu.")
    assert answer.on("tin-0") == [
        "NodeResourcesFit: asks 3 cpu, 2 of 2 free: 1 too little",
        "Golden: not golden",
    ]
    for number in range(2):
        made.add_nodes(**small(f"gold-{number}", labels={"tier": "gold"}))
    add(made, pod("fits", cpu="1"))
    assert "Golden" in ask(made, "fits").scores.columns


def test_a_plugin_of_ones_own_in_python_cannot_be_asked() -> None:
    mine = PerNode("Mine", filter=lambda pod, node: True)
    made = cluster(small(), plugins=[mine])
    made.create(pod("web", cpu="3"))
    with pytest.raises(BadRequestError, match='where plugin "Mine" is not'):
        made.explain("web")
