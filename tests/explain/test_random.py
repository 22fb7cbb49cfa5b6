"""On random clusters: what is suggested is true, and no smaller amount is."""

from __future__ import annotations

from typing import Any

import wavetank as wt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wavetank.explain import Change, Explanation

from .clusters import HOST, LIST, ZONE, Object, add, ask, cluster, edit, pod

CPU = st.sampled_from(["100m", "333m", "500m", "1", "1500m", "2"])
MEMORY = st.sampled_from(["100Mi", "1Gi", "1500M", "3Gi"])
APPS = st.sampled_from(["a", "b"])
MAYBE = st.booleans()


@st.composite
def pools(draw: Any) -> list[Object]:
    def one(number: int) -> Object:
        return {
            "name": f"n{number}",
            "cpu": draw(st.sampled_from(["1", "2", "3"])),
            "memory": draw(st.sampled_from(["1Gi", "2Gi", "4Gi"])),
            "pods": draw(st.sampled_from([2, 110])),
            "zones": draw(st.sampled_from([(), ["x"], ["y"]])),
            "labels": draw(st.sampled_from([{}, {"disk": "ssd"}, {"disk": "hdd"}])),
            "taints": draw(st.sampled_from([[], [], ["gpu:NoSchedule"], ["t=1:NoExecute"]])),
            "count": draw(st.integers(1, 2)),
        }

    return [one(number) for number in range(draw(st.integers(1, 3)))]


def term(app: str, key: str) -> Object:
    return {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key}


def priority_class(value: int) -> Object:
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    return {**kind, "metadata": {"name": f"p{value}"}, "value": value}


@st.composite
def pods(draw: Any, name: str) -> Object:
    spec: Object = {}
    app = draw(APPS)
    if draw(st.integers(0, 3)) == 0:
        spec["priorityClassName"] = draw(st.sampled_from(["p5", "p10"]))
    if draw(MAYBE):
        spec["nodeSelector"] = {"disk": draw(st.sampled_from(["ssd", "nvme"]))}
    if draw(MAYBE):
        spec["tolerations"] = [{"key": draw(st.sampled_from(["gpu", "t"])), "operator": "Exists"}]
    if draw(MAYBE):
        spec["topologySpreadConstraints"] = [
            {
                "maxSkew": draw(st.integers(1, 2)),
                "topologyKey": draw(st.sampled_from([ZONE, HOST])),
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"app": app}},
            }
        ]
    if draw(MAYBE):
        which = draw(st.sampled_from(["podAffinity", "podAntiAffinity"]))
        spec["affinity"] = {which: {LIST: [term(draw(APPS), draw(st.sampled_from([ZONE, HOST])))]}}
    made = pod(name, cpu=draw(CPU), memory=draw(MEMORY), labels={"app": app}, **spec)
    if draw(MAYBE):
        made["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 80}]
    return made


@st.composite
def cases(draw: Any) -> wt.Cluster:
    made = cluster(*draw(pools()))
    for value in (5, 10):
        made.create(priority_class(value))
    add(made, *(draw(pods(f"p{number}")) for number in range(draw(st.integers(0, 5)))))
    # Only the one that is asked about waits: others could take its room.
    waiting = [one["metadata"]["name"] for one in made.get("pods", field_selector="spec.nodeName=")]
    for name in waiting:
        made.delete("pod", name, grace_period_seconds=0)
    made.create(draw(pods("web")))
    made.run(until=0)
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=cases())
def test_suggestions_are_true_and_the_smallest(made: wt.Cluster) -> None:
    answer = ask(made, "web")
    bound = made.get("pod/web")["spec"].get("nodeName")
    assert bool(bound) == (answer.state == "bound")
    if bound or answer.evicts or answer.node:
        return
    assert answer.message == made.get("pod/web")["status"]["conditions"][0]["message"]
    for change in answer.changes:
        if change.kind == "priority":
            assert not _goes_in_with(made, answer, int(change.new.removeprefix("priority-")) - 1)
        for smaller in _smaller(made, change):
            assert not _goes_in(made, answer, smaller), change.text


def _smaller(made: wt.Cluster, change: Change) -> list[list[Object]]:
    """Return the pod's operations with the next smaller amount, if the change has an amount."""
    found = []
    for patch in change.patches:
        for at, operation in enumerate(patch.operations):
            value = _less(operation)
            if value is not None and "+" not in change.kind:
                operations = [dict(one) for one in patch.operations]
                operations[at]["value"] = value
                found.append(operations)
    return found


def _less(operation: Object) -> Any:
    """Return the value that changes the pod a little less."""
    path, value = operation["path"], operation.get("value")
    if path.endswith("/requests/cpu"):
        return f"{wt._core.quantity_milli_value(value) + 1}m"
    if path.endswith("/requests/memory"):
        count = wt._core.quantity_value(value)
        unit = 2**20 if count >= 2**20 else 2**10 if count >= 2**10 else 1
        return str(count + unit)
    if path.endswith("/maxSkew"):
        return value - 1
    return None


def _goes_in_with(made: wt.Cluster, answer: Explanation, priority: int) -> bool:
    """Tell whether a pod of this priority goes in, whoever has to make room."""
    branch = made.fork()
    if branch.find("priorityclasses", f"p{priority}") is None:
        branch.create(priority_class(priority))
    name = f"p{priority}"
    operations = [{"op": "add", "path": "/spec/priorityClassName", "value": name}]
    return _goes_in(branch, answer, operations)


def _goes_in(made: wt.Cluster, answer: Explanation, operations: list[Object]) -> bool:
    branch = made.fork()
    item = dict(branch.get("pod", answer.pod))
    for operation in operations:
        edit(item, operation)
    branch.delete("pod", answer.pod, grace_period_seconds=0)
    kept = {key: item["metadata"][key] for key in ("name", "labels")}
    item["spec"].pop("priority", None)
    branch.create({"apiVersion": "v1", "kind": "Pod", "metadata": kept, "spec": item["spec"]})
    branch.run(until="6m")
    return bool(branch.get("pod", answer.pod)["spec"].get("nodeName"))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=cases())
def test_the_first_reasons_are_those_of_the_scheduler(made: wt.Cluster) -> None:
    answer = made.explain("web")
    facts = answer.facts
    assert facts is not None
    feasible = [name for name, said in zip(facts.nodes, facts.said, strict=True) if said < 0]
    if not answer.node:
        assert feasible == []
    assert set(facts.feasible) <= set(feasible)
    if answer.node:
        return
    counts: dict[str, int] = {}
    for at in facts.said.tolist():
        for reason in facts.verdicts[at][0].reasons:
            counts[reason] = counts.get(reason, 0) + 1
    histogram = ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
    assert f"nodes are available: {histogram}." in answer.message


FILTERS = (
    "NodeUnschedulable",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "PodTopologySpread",
    "InterPodAffinity",
)


def with_filter(made: wt.Cluster, plugin: str) -> wt.Cluster:
    """Return a cluster of the same nodes and pods whose scheduler has one filter only."""
    points = {"filter": {"disabled": [{"name": "*"}], "enabled": [{"name": plugin}]}}
    if plugin not in {"NodeUnschedulable", "TaintToleration"}:
        points["preFilter"] = points["filter"]
    else:
        points["preFilter"] = {"disabled": [{"name": "*"}]}
    points["postFilter"] = {"disabled": [{"name": "*"}]}
    config = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "percentageOfNodesToScore": 100,
        "profiles": [{"schedulerName": "default-scheduler", "plugins": points}],
    }
    other = wt.Cluster(scheduler=config)
    for value in (5, 10):
        other.create(priority_class(value))
    for kind in ("nodes", "pods"):
        for item in made.get(kind):
            kept = {key: item["metadata"][key] for key in ("name", "labels")}
            status = {"status": item["status"]} if kind == "nodes" else {}
            start = {"apiVersion": "v1", "kind": item["kind"], "metadata": kept}
            other.create({**start, "spec": item["spec"], **status})
    other.run(until=0)
    return other


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=cases())
def test_every_filter_is_heard_as_if_it_were_alone(made: wt.Cluster) -> None:
    """A scheduler with one filter only refuses the nodes that explain says this filter refuses."""
    facts = made.explain("web").facts
    if made.get("pod/web")["spec"].get("nodeName"):
        return
    assert facts is not None
    for plugin in FILTERS:
        counts: dict[str, int] = {}
        refused = 0
        for at in facts.said.tolist():
            noes = facts.verdicts[at] if at >= 0 else ()
            mine = [reason for no in noes if no.plugin == plugin for reason in no.reasons]
            refused += bool(mine)
            for reason in mine:
                counts[reason] = counts.get(reason, 0) + 1
        alone = with_filter(made, plugin).get("pod/web")
        if refused < len(facts.nodes):
            assert alone["spec"].get("nodeName"), plugin
            continue
        histogram = ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
        message = alone["status"]["conditions"][0]["message"]
        assert message == f"0/{len(facts.nodes)} nodes are available: {histogram}."
