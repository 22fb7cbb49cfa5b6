"""Expressions mean what Python means by them."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import wavetank as wt
from hypothesis import given, settings
from hypothesis import strategies as st
from wavetank.scheduling import Expression

from .clusters import placed, pod

LABELS = {"tier": "gold", "price": "2.5"}


NODE = SimpleNamespace(
    allocatable=SimpleNamespace(cpu=4.0, cpu_milli=4000, memory=8 << 30, pods=110),
    requested=SimpleNamespace(cpu=0.5, cpu_milli=500, memory=64 << 20, pods=1),
    free=SimpleNamespace(cpu=3.5, cpu_milli=3500, memory=(8 << 30) - (64 << 20), pods=109),
    pods=1,
    name="node-0",
    unschedulable=False,
    labels=LABELS,
)
POD = SimpleNamespace(
    request=SimpleNamespace(cpu=0.25, cpu_milli=250, memory=64 << 20),
    priority=0,
    name="web",
    namespace="default",
    labels={"app": "web"},
    annotations={},
)
NAMES = {"node": NODE, "pod": POD, "min": min, "max": max, "abs": abs}
NAMES |= {"floor": math.floor, "ceil": math.ceil}

NUMBERS = st.recursive(
    st.sampled_from(
        [
            "0",
            "1",
            "2.5",
            "1e2",
            "7",
            "node.allocatable.cpu",
            "node.requested.cpu_milli",
            "node.free.memory",
            "node.pods",
            "pod.request.cpu",
            "pod.request.memory",
            "pod.priority",
        ]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner).map(" ".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-{text}"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(
            lambda t: "{}({}, {})".format(*t)
        ),
        st.tuples(st.sampled_from(["abs", "floor", "ceil"]), inner).map(
            lambda t: "{}({})".format(*t)
        ),
        st.tuples(inner, inner, inner).map(lambda t: "({} if {} > 1 else {})".format(*t)),
    ),
    max_leaves=8,
)
CONDITIONS = st.recursive(
    st.one_of(
        st.tuples(NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS).map(
            " ".join
        ),
        st.tuples(NUMBERS, NUMBERS, NUMBERS).map("{0[0]} <= {0[1]} < {0[2]}".format),
        st.sampled_from(
            [
                "True",
                "node.unschedulable",
                "node.labels['tier'] == 'gold'",
                "'price' in node.labels",
                "'gpu' not in node.labels",
                "node.labels.get('zone', 'a') != 'a'",
                "node.name in ['node-0', 'node-1']",
                "pod.namespace not in ('default', 'other')",
                "pod.labels['app'] == pod.name",
            ]
        ),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        inner.map(lambda text: f"not ({text})"),
        inner.map(lambda text: f"({text})"),
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def base() -> wt.Cluster:
    cluster = wt.Cluster(events="none")
    cluster.add_nodes(cpu="4", memory="8Gi", labels=LABELS)
    cluster.create(pod("first", 500))
    cluster.run()
    return cluster


def passes(text: str) -> bool | str:
    """Return whether a node passes an expression, or why there is no saying."""
    cluster = wt.Cluster(plugins=[Expression("Try", filter=f"pod.name == 'first' or ({text})")])
    cluster.add_nodes(cpu="4", memory="8Gi", labels=LABELS)
    cluster.create(pod("first", 500))
    cluster.run(until="1s")
    cluster.create(pod("web", 250, metadata={"labels": {"app": "web"}}))
    try:
        cluster.run(until="1s")
    except wt.scheduling.PluginError as error:
        return str(error)
    return bool(placed(cluster)["web"])


@settings(max_examples=250)
@given(CONDITIONS)
def test_a_condition_holds_where_python_says_so(text: str) -> None:
    try:
        wanted: Any = bool(eval(text, {"__builtins__": {}}, NAMES))
    except ZeroDivisionError:
        wanted = "division by zero"
    except OverflowError:
        return
    found = passes(text)
    if isinstance(wanted, str):
        assert wanted in str(found)
    else:
        assert found is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("node.labels['price'] < 3", True),
        ("node.labels['price'] * 2 == 5", True),
        ("node.labels['nothing'] < 3", False),
        ("node.labels['nothing'] != 3", True),
        ("node.labels['nothing'] == node.labels['nothing']", False),
        ("node.labels['nothing'] in ['a']", False),
        ("node.labels['nothing'] not in ['a']", True),
        ("node.labels['price'] in [1, 2.5]", True),
        ("node.labels.get('nothing', 7) > 6", True),
        ("node.free.memory > 7Gi", True),
        ("node.free.cpu > 3600m", False),
        ("node.free['ephemeral-storage'] == node.allocatable.ephemeral_storage > 1Gi", True),
        ("node.free['nvidia.com/gpu'] == 0", True),
        ("(node.pods == 1) + (node.pods == 2) == 1", True),
        ("pod.annotations['x'] == 'y'", False),
        ("not not not node.unschedulable", True),
    ],
)
def test_what_is_not_python_means_what_the_guide_says(text: str, wanted: bool) -> None:
    assert passes(text) is wanted


def test_a_score_is_cut_and_a_decimal_fraction_is_not_lost() -> None:
    """0.57 * 100 is 56.99999999999999 in binary."""
    for text, wanted in [("0.57 * 100", 57), ("2.999", 2), ("99.5", 99)]:
        table = {}
        for at, rival in enumerate((wanted - 1, wanted, wanted + 1)):
            choose = f"{text} if node.name == 'a-0' else {rival}"
            only = {"score": {"disabled": [{"name": "*"}], "enabled": [{"name": "Try"}]}}
            scheduler = {
                "apiVersion": "kubescheduler.config.k8s.io/v1",
                "kind": "KubeSchedulerConfiguration",
                "profiles": [{"plugins": only}],
            }
            cluster = wt.Cluster(plugins=[Expression("Try", score=choose)], scheduler=scheduler)
            cluster.add_nodes(cpu="4", memory="8Gi", name="b")
            cluster.add_nodes(cpu="4", memory="8Gi", name="a")
            cluster.create(pod("web"))
            cluster.run()
            table[at] = placed(cluster)["web"]
        # A tie goes to the first node, which is the rival.
        assert table == {0: "a-0", 1: "b-0", 2: "b-0"}


def test_pods_that_differ_in_what_an_expression_reads_are_judged_apart() -> None:
    """Same requests, another label, annotation, priority or name: no answer is shared."""
    plugin = Expression("Own", filter="node.name == pod.annotations['node']")
    cluster = wt.Cluster(plugins=[plugin])
    cluster.add_nodes(cpu="4", memory="8Gi", count=5)
    for at in range(20):
        cluster.create(pod(f"p{at}", metadata={"annotations": {"node": f"node-{at % 6}"}}))
    cluster.run(until="1s")
    wanted = {f"p{at}": f"node-{at % 6}" if at % 6 < 5 else "" for at in range(20)}
    assert placed(cluster) == wanted
