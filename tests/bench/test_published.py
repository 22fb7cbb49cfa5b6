"""The benchmark files of Kubernetes 1.36 themselves."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from wavetank.bench.operations import Operation
from wavetank.bench.operations.pods import CreatePods
from wavetank.bench.runner import check, execute
from wavetank.bench.templates import Template
from wavetank.bench.workloads import Workload, read


@pytest.fixture(scope="module")
def folder(data: Path) -> Path:
    """The folder of the files."""
    return data / "scheduler_perf"


@pytest.fixture(scope="module")
def workloads(folder: Path) -> list[Workload]:
    """Every workload of every file."""
    return read(folder)


def test_every_workload_is_run_or_skipped_with_its_reason(workloads: list[Workload]) -> None:
    check(workloads)
    skipped = [workload for workload in workloads if workload.reason_to_skip()]
    assert (len(workloads), len(skipped)) == (242, 47)
    assert {workload.topic.split("/")[0] for workload in skipped} == {"dra"}
    assert len({(workload.topic, workload.case) for workload in workloads}) == 50


def test_thresholds_are_those_of_the_topic(workloads: list[Workload]) -> None:
    found = {workload.full_name: workload.threshold for workload in workloads}
    assert found["SchedulingBasic/5000Nodes_10000Pods"] == 270
    assert found["SchedulingBasic/500Nodes"] is None
    assert found["SchedulingWithResourceClaimTemplate/5000pods_500nodes"] == 40


def test_every_template_is_rendered(folder: Path) -> None:
    files = [path for path in folder.rglob("*.yaml") if path.parent.name != "scheduler_perf"]
    rendered = 0
    for path in files:
        text = path.read_text()
        if "{{" in text:
            out = Template(text, path.name).render(7, 100)
            assert "{{" not in out
            assert out != text
            rendered += 1
    assert rendered == 44


def measured(operations: list[Operation]) -> int:
    """How many pods the ops of a workload say are measured, where they say it themselves."""
    return sum(op.count for op in operations if isinstance(op, CreatePods) and op.collect)


def smallest(workloads: list[Workload]) -> list[Workload]:
    """The first workload of each test case, which is the smallest, and only those that run."""
    first: dict[tuple[str, str], Workload] = {}
    for workload in workloads:
        first.setdefault((workload.topic, workload.case), workload)
    return [workload for workload in first.values() if workload.reason_to_skip() is None]


#: Measured between two ops: what is counted is not one op's pods.
COUNTED = {
    "EventHandlingPodDelete": 110,
    "EventHandlingPodUpdate": 60,
    "EventHandlingNodeAdd": 120,
    "EventHandlingPodAdd": 20,
    "EventHandlingNodeUpdate": 120,
}


def test_the_smallest_workload_of_each_test_case_does_what_its_file_says(
    workloads: list[Workload],
) -> None:
    chosen = smallest(workloads)
    assert len(chosen) == 36
    for workload in chosen:
        run = execute(workload)
        (window,) = run.windows
        expected = COUNTED.get(workload.case, measured(workload.operations()))
        assert window.pods == expected, workload.full_name
        assert window.decisions >= window.pods


def placements(workload: Workload) -> Counter[tuple[str, str, str | None]]:
    pods = execute(workload).cluster.pods
    return Counter(zip(pods["namespace"], pods["name"], pods["node"], strict=True))


@pytest.mark.parametrize(
    "name",
    [
        "SchedulingWithMixedChurn/10Nodes",
        "PreemptionAsync/5Nodes",
        "EventHandlingPodDelete/2Nodes_20Pods",
        "MixedSchedulingBasePod/5Nodes",
        "SchedulingCSIPVs/5Nodes",
    ],
)
def test_two_runs_place_pods_alike(workloads: list[Workload], name: str) -> None:
    (workload,) = [item for item in workloads if item.full_name == name]
    assert placements(workload) == placements(workload)
