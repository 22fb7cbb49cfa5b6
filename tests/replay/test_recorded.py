"""Recorded answers of the real controller and scheduler, replayed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from wavetank.replay import KINDS, read_case

#: The families of scheduler cases, with the recorded number of cases.
FAMILIES = {
    "config": 14,
    "defaultspread": 14,
    "fit": 14,
    "images": 14,
    "large": 3,
    "mixed": 14,
    "nodeaffinity": 14,
    "podaffinity": 14,
    "ports": 14,
    "preemption": 14,
    "softspread": 14,
    "spread": 14,
    "taints": 14,
    "volumes": 14,
}


def differing(kind: str, files: list[Path]) -> list[str]:
    return [
        file.name
        for file in files
        if KINDS[kind]((case := read_case(str(file)))["input"]) != case["expected"]
    ]


def test_the_scheduler_decides_as_recorded_in_the_sample_that_ships(root: Path) -> None:
    lines = (root / "tests/golden/scheduler/cases.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]
    assert sum(len(case["expected"]) for case in cases) > 200
    wrong = [c["file"] for c in cases if KINDS["scheduler"](c["input"]) != c["expected"]]
    assert wrong == []


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_the_scheduler_decides_as_recorded(golden: Path, family: str) -> None:
    files = sorted((golden / "scheduler").glob(f"{family}-*"))
    assert len(files) == FAMILIES[family]
    assert differing("scheduler", files) == []


def test_the_deployment_controller_acts_as_recorded(golden: Path) -> None:
    files = sorted((golden / "deployment").iterdir())
    assert len(files) == 40
    assert differing("deployment", files) == []


def test_the_command_prints_one_line_per_file(golden: Path) -> None:
    files = sorted(map(str, (golden / "scheduler").glob("fit-*")))[:2]
    command = [sys.executable, "-m", "wavetank.replay", "scheduler", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["file"] for line in lines] == files
    assert lines[0]["results"] == read_case(files[0])["expected"]


@pytest.mark.parametrize("arguments", [[], ["scheduler"], ["weather", "x.json"]])
def test_the_command_says_how_it_is_used(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "wavetank.replay", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
