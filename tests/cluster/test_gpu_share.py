"""Shared GPUs from outside: a configuration, annotations, messages, forks, saved clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import wavetank as wt
from wavetank.traces import openb

INDEX = "alibabacloud.com/gpu-index"


def pod(name: str, milli: str, count: str = "1", **annotations: str) -> dict[str, Any]:
    asked = {openb.GPU_MILLI: milli, openb.GPU_COUNT: count, **annotations}
    requests = {"cpu": "1", "memory": "1Gi"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "annotations": asked},
        "spec": {
            "containers": [{"name": "c", "image": "i", "resources": {"requests": requests}}],
        },
    }


def node(name: str, gpus: int) -> dict[str, Any]:
    offered = {"cpu": "32", "memory": "64Gi", "pods": "110", openb.GPU_COUNT: str(gpus)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {openb.MODEL_LABEL: "T4"}},
        "status": {"capacity": offered, "allocatable": offered},
    }


def cluster(policy: str = "FGD", nodes: int = 1, gpus: int = 2) -> wt.Cluster:
    made = wt.Cluster(seed=1, scheduler=openb.scheduler(policy), controllers=())
    for number in range(nodes):
        made.create(node(f"n{number}", gpus))
    return made


def devices(of: wt.Cluster) -> dict[str, str | None]:
    found = of.get("pods")
    return {pod["metadata"]["name"]: pod["metadata"]["annotations"].get(INDEX) for pod in found}


@pytest.mark.parametrize("policy", openb.POLICIES)
def test_pods_get_gpus_of_their_own(policy: str) -> None:
    made = cluster(policy)
    for name, milli in [("a", "600"), ("b", "600"), ("c", "400"), ("d", "400"), ("e", "300")]:
        made.create(pod(name, milli))
    made.run()
    got = devices(made)
    assert {got["a"], got["b"]} == {got["c"], got["d"]} == {"0", "1"}
    assert got["e"] is None
    assert made.get("pods", "a")["spec"]["nodeName"] == "n0"


def test_a_pod_that_does_not_fit_says_why_and_goes_when_another_leaves() -> None:
    made = cluster(gpus=1)
    made.create(pod("first", "700"))
    made.run()
    made.create(pod("second", "500"))
    made.run()
    (condition,) = made.get("pods", "second")["status"]["conditions"]
    assert condition["message"].startswith(
        "0/1 nodes are available: 1 node(s) didn't have enough left of any GPU."
    )
    made.delete("pods", "first", grace_period_seconds=0)
    made.run("1m")
    assert devices(made) == {"second": "0"}


@pytest.mark.parametrize(
    ("milli", "count", "sentence"),
    [
        ("a lot", "1", f'annotation {openb.GPU_MILLI} of the pod: "a lot": not a whole number'),
        (
            "1500",
            "2",
            f'annotation {openb.GPU_MILLI} of the pod: "1500": not in valid range [0, 1000]',
        ),
        (
            "500",
            "2",
            f'annotation {openb.GPU_MILLI} of the pod: "500": several GPUs can only be asked for '
            "whole",
        ),
        (
            "500",
            "many",
            f'annotation {openb.GPU_COUNT} of the pod: "many": not a number of GPUs in valid '
            "range [0, 1024]",
        ),
    ],
)
def test_bad_annotations_are_a_sentence_in_the_condition(
    milli: str, count: str, sentence: str
) -> None:
    made = cluster(nodes=2)
    made.create(pod("bad", milli, count))
    made.create(pod("good", "500"))
    made.run()
    (condition,) = made.get("pods", "bad")["status"]["conditions"]
    assert condition["message"].startswith(f"0/2 nodes are available: 2 {sentence}.")
    assert devices(made)["good"] == "0"


def test_no_gpu_is_asked_for_with_nothing_of_none() -> None:
    made = cluster(gpus=0)
    made.create(pod("plain", "0", "0"))
    made.run()
    assert made.get("pods", "plain")["spec"]["nodeName"] == "n0"
    assert devices(made) == {"plain": None}


def test_forks_and_saved_clusters_go_on_with_the_gpus_that_are_left(tmp_path: Path) -> None:
    made = cluster(nodes=2)
    for number in range(3):
        made.create(pod(f"first-{number}", "600"))
    made.run()
    path = tmp_path / "saved"
    made.save(path)
    answers = []
    for one in (made.fork(), wt.Cluster.load(path, controllers=()), made):
        for number in range(3):
            one.create(pod(f"then-{number}", "400"))
        one.create(pod("whole", "1000"))
        one.run()
        answers.append(devices(one))
    assert answers[0] == answers[1] == answers[2]
    assert sum(index is None for index in answers[0].values()) == 0


def test_a_dump_brings_its_gpus_back() -> None:
    made = cluster()
    made.create(pod("web", "600"))
    made.run()
    items = [*made.get("nodes"), *made.get("pods")]
    dump = {"apiVersion": "v1", "kind": "List", "items": items}
    again = wt.Cluster.from_dump(dump, scheduler=openb.scheduler("BestFit"))
    again.create(pod("next", "500"))
    again.run()
    assert devices(again) == {"web": "0", "next": "1"}


def test_without_the_plugin_nobody_chooses_gpus() -> None:
    made = wt.Cluster(controllers=())
    made.create(node("n0", 1))
    made.create(pod("web", "500"))
    made.run()
    assert made.get("pods", "web")["spec"]["nodeName"] == "n0"
    assert devices(made) == {"web": None}


def test_there_is_no_such_policy() -> None:
    with pytest.raises(ValueError, match="no policy 'Fgd'; there are Random, DotProd"):
        openb.scheduler("Fgd")


def test_ties_are_broken_as_the_configuration_says() -> None:
    def place(ties: str) -> str:
        configuration = {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "tieBreak": ties,
        }
        made = wt.Cluster(scheduler=configuration, controllers=())
        for name in ("c", "a", "b"):
            made.create(node(name, 0))
        made.create(pod("web", "0", "0"))
        made.run()
        return str(made.get("pods", "web")["spec"]["nodeName"])

    assert place("first-by-name") == "a"
    assert place("oracle") == "c"
    assert place("seeded") in {"a", "b", "c"}
    with pytest.raises(ValueError, match='tieBreak: Unsupported value: "coin"'):
        place("coin")
