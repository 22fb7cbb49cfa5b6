"""A plugin that has no answer, or a wrong one, leaves the cluster as it was."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wavetank as wt
from wavetank.scheduling import Batch, Expression, PerNode, PluginError

from .clusters import configuration, placed, pod, tiers


def cluster_of(*plugins: Any, nodes: int = 3, **options: Any) -> wt.Cluster:
    cluster = wt.Cluster(plugins=plugins, **options)
    cluster.add_nodes(cpu="4", memory="8Gi", count=nodes)
    for at in range(4):
        cluster.create(pod(f"web-{at}"))
    return cluster


def fail(*_: Any) -> Any:
    raise ZeroDivisionError("no idea")


CASES = {
    "batch filter raises": (
        Batch("Odd", filter=fail),
        'plugin "Odd": filter of pod "default/web-0" raised ZeroDivisionError: no idea',
    ),
    "batch score raises": (
        Batch("Odd", score=fail),
        'plugin "Odd": score of pod "default/web-0" raised ZeroDivisionError: no idea',
    ),
    "pre_filter raises": (
        Batch("Odd", pre_filter=fail),
        'plugin "Odd": pre_filter of pod "default/web-0" raised ZeroDivisionError: no idea',
    ),
    "pre_filter answers a number": (
        Batch("Odd", pre_filter=lambda pod: 3),
        'plugin "Odd": pre_filter of pod "default/web-0" returned 3; wanted: True, False or a '
        "reason",
    ),
    "pre_filter answers what is no text": (
        Batch("Odd", pre_filter=lambda pod: "\ud800"),
        'plugin "Odd": pre_filter of pod "default/web-0" returned the reason '
        r"'\ud800'; wanted: text that UTF-8 has",
    ),
    "batch filter answers what is no text": (
        Batch("Odd", filter=lambda pod, nodes: ["\ud800"] * len(nodes)),
        'plugin "Odd": filter of pod "default/web-0" returned the reason '
        r"'\ud800'; wanted: text that UTF-8 has",
    ),
    "a column is made writable": (
        Batch("Odd", score=lambda pod, nodes: nodes.requested_pods.setflags(write=True)),
        'plugin "Odd": score of pod "default/web-0" raised ValueError: cannot set WRITEABLE flag '
        "to True of this array",
    ),
    "per node filter raises": (
        PerNode("Odd", filter=fail),
        'plugin "Odd": filter of pod "default/web-0", node "node-0" raised ZeroDivisionError: '
        "no idea",
    ),
    "per node filter answers nothing": (
        PerNode("Odd", filter=lambda pod, node: None),
        'plugin "Odd": filter of pod "default/web-0" returned None for node "node-0"; wanted: '
        "True, False or a reason",
    ),
    "per node score is a fraction": (
        PerNode("Odd", score=lambda pod, node: 3.5 if node.name == "node-1" else 3),
        'plugin "Odd": score of pod "default/web-0" returned 3.5 for node "node-1"; wanted: a '
        "whole number",
    ),
    "wrong length": (
        Batch("Odd", filter=lambda pod, nodes: np.ones(2, dtype=bool)),
        'plugin "Odd": filter of pod "default/web-0" returned 2 for 3 nodes; wanted: one value '
        "per node",
    ),
    "one value": (
        Batch("Odd", score=lambda pod, nodes: 5),
        'plugin "Odd": score of pod "default/web-0" returned one value for 3 nodes; wanted: one '
        "value per node",
    ),
    "filter of numbers": (
        Batch("Odd", filter=lambda pod, nodes: nodes.requested_pods),
        'plugin "Odd": filter of pod "default/web-0" returned dtype int64; wanted: bool, or '
        "reasons as text",
    ),
    "score of fractions": (
        Batch("Odd", score=lambda pod, nodes: nodes.requested_pods / 3),
        'plugin "Odd": score of pod "default/web-0" returned dtype float64; wanted: whole '
        "numbers (int64)",
    ),
    "score of truth values": (
        Batch("Odd", score=lambda pod, nodes: nodes.requested_pods == 0),
        'plugin "Odd": score of pod "default/web-0" returned dtype bool; wanted: whole numbers '
        "(int64)",
    ),
    "score too high": (
        Batch("Odd", score=lambda pod, nodes: nodes.requested_pods + 101),
        'plugin "Odd" gave node "node-0" the score 101 for pod "default/web-0": scores are from '
        "0 to 100",
    ),
    "per node score below zero": (
        PerNode("Odd", score=lambda pod, node: -1 if node.name == "node-2" else 0),
        'plugin "Odd" gave node "node-2" the score -1 for pod "default/web-0": scores are from '
        "0 to 100",
    ),
    "score below zero before normalising": (
        Batch("Odd", score=lambda pod, nodes: nodes.requested_pods - 5, normalize="default"),
        'plugin "Odd" gave node "node-0" the score -5 for pod "default/web-0": scores are from '
        "0 to 100",
    ),
    "expression score too high": (
        Expression("Odd", score="node.pods + 101"),
        'plugin "Odd" gave node "node-0" the score 101 for pod "default/web-0": scores are from '
        "0 to 100",
    ),
    "expression divides by zero": (
        Expression("Odd", score="100 / node.pods"),
        'plugin "Odd": score of pod "default/web-0", node "node-0": column 5: division by zero '
        'in "100 / node.pods"',
    ),
    "expression misses a label": (
        Expression("Odd", score="node.labels['price'] * 2"),
        'plugin "Odd": score of pod "default/web-0", node "node-0": column 1: the node has no '
        'label "price" in "node.labels[\'price\'] * 2"',
    ),
    "expression reads a label as a number": (
        Expression("Odd", filter="node.labels['kubernetes.io/hostname'] < 3"),
        'plugin "Odd": filter of pod "default/web-0", node "node-0": column 1: the label '
        '"kubernetes.io/hostname" of the node is "node-0", which is no number in '
        "\"node.labels['kubernetes.io/hostname'] < 3\"",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_answer_is_one_sentence_and_changes_nothing(case: str) -> None:
    plugin, sentence = CASES[case]
    cluster = cluster_of(plugin)
    before = None
    for _ in range(3):
        with pytest.raises(PluginError) as caught:
            cluster.run()
        assert str(caught.value) == sentence
        after = [dict(one) for one in cluster.get("pods")], cluster.now_ns
        assert before in (None, after)
        before = after
    assert set(placed(cluster).values()) == {""}
    assert not [event for event in cluster.events["reason"] if event == "FailedScheduling"]


@pytest.mark.parametrize("tier", ["batch", "per node"])
@pytest.mark.parametrize("point", ["pre_filter", "filter", "score"])
def test_after_a_failure_the_run_goes_on_as_if_nothing_had_been(tier: str, point: str) -> None:
    calm, shaky = tiers()[tier], tiers()[tier]
    calls = 0

    def sometimes(work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls % 4 == 1:
                raise OSError("the disk is full")
            return work(*arguments)

        return call

    if point == "pre_filter":
        calm.pre_filter, shaky.pre_filter = lambda pod: None, sometimes(lambda pod: None)
    else:
        setattr(shaky, point, sometimes(getattr(calm, point)))
    states, causes = [], set()
    for plugin in (calm, shaky):
        cluster = wt.Cluster(plugins=[plugin])
        cluster.add_nodes(cpu="4", memory="8Gi", count=2, labels={"tier": "gold"})
        for at in range(9):
            cluster.create(pod(f"p{at}", 500))
        for _ in range(200):
            try:
                cluster.run()
                break
            except PluginError as error:
                causes.add(type(error.__cause__))
        states.append([dict(one) for one in cluster.get("pods")])
    assert calls > 9
    assert causes == {OSError}
    assert states[0] == states[1]


def test_ctrl_c_in_a_plugin_ends_the_run_and_loses_nothing() -> None:
    interrupts = 0

    def score(pod: Any, nodes: Any) -> Any:
        nonlocal interrupts
        if pod.name == "web-2" and interrupts < 2:
            interrupts += 1
            os.kill(os.getpid(), signal.SIGINT)
        return 100 - nodes.requested_pods

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        cluster = cluster_of(Batch("Slow", score=score))
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                cluster.run()
        assert cluster.run().reason == "settled"
    finally:
        signal.signal(signal.SIGINT, before)
    calm = cluster_of(Batch("Slow", score=lambda pod, nodes: 100 - nodes.requested_pods))
    calm.run()
    assert placed(cluster) == placed(calm)


def test_a_cluster_saved_after_a_failure_goes_on_as_the_original(tmp_path: Any) -> None:
    clusters = []
    broken = True

    def score(pod: Any, nodes: Any) -> Any:
        if broken and pod.name == "web-2":
            raise OSError
        return 100 - nodes.requested_pods

    plugin = Batch("Slow", score=score)
    cluster = cluster_of(plugin)
    with pytest.raises(PluginError):
        cluster.run()
    cluster.save(tmp_path / "a")
    clusters = [cluster, cluster.fork(), wt.Cluster.load(tmp_path / "a", plugins=[plugin])]
    broken = False
    for one in clusters:
        one.run()
        one.save(tmp_path / "b")
    states = [[dict(pod) for pod in one.get("pods")] for one in clusters]
    assert states[0] == states[1] == states[2]


def test_a_plugin_only_reads() -> None:
    def write(pod_: Any, nodes: Any) -> Any:
        cluster.create(pod("another"))
        return np.zeros(len(nodes), dtype=np.int64)

    cluster = cluster_of(Batch("Writing", score=write))
    with pytest.raises(PluginError, match='"Writing" changed the cluster while it was asked'):
        cluster.run()


def test_a_plugin_cannot_let_time_pass() -> None:
    cluster = cluster_of(Batch("Waiting", score=lambda pod, nodes: cluster.run()))
    with pytest.raises(PluginError, match="a scheduling plugin cannot let time pass"):
        cluster.run()


def test_what_a_plugin_reads_cannot_be_written() -> None:
    def write(pod: Any, nodes: Any) -> Any:
        nodes.requested_cpu_milli[0] = 0
        return np.zeros(len(nodes), dtype=np.int64)

    with pytest.raises(PluginError, match="read-only"):
        cluster_of(Batch("Writing", score=write)).run()


def test_headroom_and_explain_say_that_they_cannot_ask_python() -> None:
    cluster = cluster_of(tiers()["batch"])
    with pytest.raises(wt.BadRequestError, match='where plugin "Golden" is not'):
        wt.plan.headroom(cluster, "pod/web-0")
    with pytest.raises(wt.BadRequestError, match='where plugin "Golden" is not'):
        cluster.explain("pod/web-0")
    [said] = cluster._world.headroom([pod("more")])
    assert isinstance(said, wt.BadRequestError)
    assert 'headroom is counted without leaving the core, where plugin "Golden" is not' in str(said)


def test_headroom_and_explain_know_expressions() -> None:
    cluster = wt.Cluster(plugins=[tiers()["expression"]])
    cluster.add_nodes(cpu="4", memory="8Gi", count=2, labels={"tier": "gold"})
    cluster.add_nodes(cpu="4", memory="8Gi", count=2)
    more = pod("more")
    more["metadata"] = {"generateName": "more-", "namespace": "default"}
    cluster.create(pod("large", 6000))
    cluster.run(until="1s")
    text = str(cluster.explain("pod/large"))
    assert "Golden" in text
    assert "not golden or full" in text
    [found] = cluster._world.headroom([more])
    assert found["count"] == 12


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Expression("A"), ValueError, 'plugin "A" neither filters nor scores'),
        (lambda: Batch("A b", score=fail), ValueError, 'name is one word, not "A b"'),
        (lambda: Batch("NodeName", score=fail), ValueError, "Kubernetes has a plugin of this name"),
        (lambda: Batch("A", score=fail, weight=0), ValueError, "the weight 0 is not above 0"),
        (lambda: Batch("A", score=fail, weight=2**31), ValueError, "weight 2147483648 is not"),
        (lambda: Batch("A", score=fail, weight=1.5), TypeError, "a weight is a whole number"),
        (lambda: Batch("A", score=fail, wait=1), TypeError, "Batch has no option 'wait'"),
        (lambda: Batch("A", score=3), TypeError, "score is a function, not 3"),
        (lambda: Expression("A", score=3), TypeError, "score is a text, not 3"),
        (lambda: Batch("A", score=fail, normalize="up"), ValueError, 'not "up"'),
        (lambda: Batch("A", score=fail, events=["Node/Sing"]), ValueError, 'no event "Node/Sing"'),
        (lambda: Expression("A", filter="node.pods"), ValueError, "filter: column 1: a condition"),
        (lambda: Expression("A", pre_filter="node.pods < 3"), ValueError, "no node has been"),
        (lambda: fail, TypeError, "an Expression, Batch or PerNode, not fail"),
    ],
)
def test_a_plugin_that_makes_no_sense_is_refused_at_once(
    make: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as caught:
        wt.Cluster(plugins=[make()])
    assert words in str(caught.value)


def test_two_plugins_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="a plugin named Golden already exists"):
        wt.Cluster(plugins=list(tiers().values()))


def test_a_plugin_alone_is_no_list() -> None:
    with pytest.raises(TypeError, match=r"write plugins=\[\.\.\.\]"):
        wt.Cluster(plugins=tiers()["batch"])


CONFIGURATION = {"schedulerName": "default-scheduler"}


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ({"plugins": {"score": {"enabled": [{"name": "Nobody"}]}}}, '"Nobody" does not exist'),
        ({"plugins": {"multiPoint": {"enabled": [{"name": "Nobody"}]}}}, "does not exist"),
        (
            {"plugins": {"filter": {"enabled": [{"name": "Late"}]}}},
            'plugin "Late" does not extend FilterPlugin plugin',
        ),
        (
            {"plugins": {"score": {"enabled": [{"name": "Late", "weight": 2**62}]}}},
            "json: cannot unmarshal number 4611686018427387904 into Go struct field "
            "Plugin.profiles.plugins.score.enabled.weight of type int32",
        ),
    ],
)
def test_a_configuration_that_names_plugins_wrongly_is_refused(
    profile: dict[str, Any], words: str
) -> None:
    late = Expression("Late", score="1")
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are looked at
        wt.Cluster(plugins=[late], scheduler=configuration({**CONFIGURATION, **profile}))
    assert words in str(caught.value)


def by_name(pod: Any, nodes: Any) -> Any:
    return nodes.requested_pods


def test_loading_and_pickling() -> None:
    plugin, text = Batch("Named", score=by_name), Expression("Text", score="100 - node.pods")
    cluster = cluster_of(plugin, text)
    again = pickle.loads(pickle.dumps(cluster))
    cluster.run()
    again.run()
    assert placed(again) == placed(cluster)


def test_loading_needs_the_functions_again(tmp_path: Any) -> None:
    plugin, text = Batch("Named", score=by_name), Expression("Text", score="100 - node.pods")
    cluster = cluster_of(plugin, text)
    cluster.save(tmp_path / "x")
    with pytest.raises(ValueError, match=r"code is not saved: give Named again with plugins="):
        wt.Cluster.load(tmp_path / "x")
    with pytest.raises(ValueError, match="has no plugin Other"):
        wt.Cluster.load(tmp_path / "x", plugins=[plugin, Batch("Other", score=by_name)])
    with pytest.raises(ValueError, match='plugin "Named" had a score when it was saved'):
        wt.Cluster.load(tmp_path / "x", plugins=[Batch("Named", filter=by_name)])
    again = wt.Cluster.load(tmp_path / "x", plugins=[plugin])
    cluster.run()
    again.run()
    assert placed(again) == placed(cluster)
