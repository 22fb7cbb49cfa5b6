"""Workloads of Kubernetes' own scheduler benchmark; all of them with ``wavetank bench``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from wavetank.bench.run import Run
from wavetank.bench.runner import execute
from wavetank.bench.workloads import read, select

from .conftest import DATA, Figure, is_short

#: Test cases, with the workload that is measured and the one for a quick look.
CASES = {
    "SchedulingBasic": ("5000Nodes_10000Pods", "5Nodes"),
    "TopologySpreading": ("5000Nodes_5000Pods", "5Nodes"),
    "SchedulingPodAntiAffinity": ("5000Nodes_2000Pods", "5Nodes"),
    "SchedulingPreferredPodAffinity": ("5000Nodes_5000Pods", "5Nodes"),
    "SchedulingRequiredPodAntiAffinityWithNSSelector": ("5000Nodes_2000Pods", "10Nodes"),
    "PreemptionAsync": ("5000Nodes", "5Nodes"),
    "Unschedulable": ("5kNodes/100Init/10kPods", "5Nodes/1Init/10Pods"),
    "SchedulingWithMixedChurn": ("5000Nodes_10000Pods", "10Nodes"),
    "SchedulingCSIPVs": ("5000Nodes_5000Pods", "5Nodes"),
}


@pytest.fixture
def folder() -> Path:
    """The benchmark files."""
    found = DATA / "scheduler_perf"
    if not found.is_dir():
        pytest.skip("needs ../shared/data/scheduler_perf, which is not beside this checkout")
    return found


@pytest.mark.parametrize("case", CASES)
def test_scheduler_perf(
    benchmark: Any, figure: Figure, folder: Path, case: str, request: pytest.FixtureRequest
) -> None:
    short = is_short(request.config)
    name = f"{case}/{CASES[case][short]}"
    (workload,) = [one for one in select(read(folder), name) if one.full_name == name]
    runs: list[Run] = []
    benchmark.pedantic(lambda: runs.append(execute(workload)), rounds=1 if short else 3)
    windows = [run.windows[0] for run in runs]
    assert all(window.pods > 0 for window in windows)
    best = min(windows, key=lambda window: window.deciding_s)
    figure("best", best.pods / best.deciding_s, "pods_per_second")
    if best.p50_us is not None:
        figure("middle decision", best.p50_us, "us")
