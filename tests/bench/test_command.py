"""``wavetank bench scheduler-perf``, as a person types it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner
from wavetank.bench import run as running
from wavetank.cli import application

from .conftest import Files

OPS = """
- {opcode: createNodes, count: 2}
- {opcode: createPods, count: 3, collectMetrics: true}
"""
SKIPPED = "- {opcode: createResourceDriver, driverName: a, nodes: b}\n" + OPS


def command(*arguments: object) -> tuple[int, str, str]:
    words = ["bench", "scheduler-perf", *map(str, arguments)]
    result = CliRunner().invoke(application(words), words, prog_name="wavetank")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_table_of_what_ran(files: Files) -> None:
    code, out, err = command(files(OPS, case="featureGates: {Some: true, Another: false}"))
    heading, row, *notes = out.splitlines()
    names = ["WORKLOAD", "PODS", "DECIDING", "PODS/S", "P50", "P99", "MEMORY", "MIN", "RATIO"]
    assert heading.split() == names
    cells = r"Case/work +3 +0\.\d{3} s +[\d,]+ +[\d,.]+ us +[\d,.]+ us +\d+ MiB +- +-"
    assert re.fullmatch(cells, row)
    assert len(row) == len(heading)
    assert notes == [
        "note: feature gates are ignored, the scheduler is that of 1.36 as it comes: Another, Some"
    ]
    assert (code, err) == (0, "")


def test_json_has_all_figures(files: Files) -> None:
    path = files(OPS)
    path.write_text(path.read_text().replace("params: {}", "params: {}\n    threshold: 20"))
    code, out, _ = command(path, "-o", "json")
    data = json.loads(out)
    (row,) = data["workloads"]
    assert code == 0
    assert data["interrupted"] is False
    assert (row["topic"], row["workload"], row["status"]) == ("topic", "Case/work", "ran")
    assert (row["pods"], row["decisions"], row["rejected"]) == (3, 3, 0)
    assert row["pods_per_second"] == pytest.approx(3 / row["deciding_s"])
    assert row["ratio"] == pytest.approx(row["pods_per_second"] / 20)
    assert 0 < row["p50_us"] <= row["p99_us"]
    assert row["peak_memory_bytes"] > 10_000_000
    assert row["virtual_s"] == 1
    assert 0 < row["deciding_s"] < row["phases_s"]["advancing"] < row["wall_s"] < row["total_s"]
    assert row["phases_s"]["creating"] <= row["total_phases_s"]["creating"]


def test_what_is_skipped_is_listed_with_its_reason(files: Files) -> None:
    code, out, _ = command(files(SKIPPED))
    assert code == 0
    assert out.splitlines() == [
        "",
        "skipped: 1 workload",
        "  Case/work  needs dynamic resource allocation: createResourceDriver",
    ]


def test_a_workload_that_fails_does_not_stop_the_others(files: Files, tmp_path: Path) -> None:
    path = files("- {opcode: createPods, count: 1, collectMetrics: true}\n")
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / path.name).write_text(files(OPS).read_text())
    path = files("- {opcode: createPods, count: 1, collectMetrics: true}\n")
    code, out, _ = command(tmp_path)
    assert code == 1
    assert re.search(r"^Case/work +3 ", out, re.MULTILINE)
    assert "failed: 1 workload\n  Case/work  " in out
    assert "0 of 1 pods of namespace namespace-0 were scheduled in ten minutes of virtual" in out


def test_workloads_are_listed_without_running_them(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running.Run, "__init__", None)
    code, out, _ = command(files(SKIPPED), "--list")
    assert code == 0
    heading, row = out.splitlines()
    assert heading.split() == ["TOPIC", "WORKLOAD", "LABELS", "MIN", "SKIPPED"]
    assert row.split()[:3] == ["topic", "Case/work", "-"]
    _, out, _ = command(files(SKIPPED), "--list", "-o", "json")
    (item,) = json.loads(out)
    assert item["workload"] == "Case/work"
    assert item["skipped"] == "needs dynamic resource allocation: createResourceDriver"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["/nowhere"], 'the path "/nowhere" does not exist'),
        (["PATH", "--filter", "Nope"], "no workload matches 'Nope'; there are Case/work"),
        (["PATH", "--label", "fast"], "no workload has the label fast; there are no labels"),
        (["PATH", "-o", "csv"], "--output is table, json or yaml, not 'csv'"),
        (["PATH", "--cycle", "soon"], "soon"),
        (["PATH", "--tie-break", "dice"], "a tie-break is one of seeded, oracle, first-by-name"),
        (["PATH", "--cycle", "-1s"], "the time of a scheduling cycle is 0 or more"),
    ],
)
def test_bad_input_is_one_sentence(files: Files, arguments: list[str], told: str) -> None:
    path = files(OPS)
    code, out, err = command(*[path if word == "PATH" else word for word in arguments])
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_ctrl_c_shows_what_is_done(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = files(OPS)
    for name in ("a", "b", "c"):
        (tmp_path / "all" / name).mkdir(parents=True)
        text = path.read_text().replace("Case", f"Case-{name}")
        (tmp_path / "all" / name / path.name).write_text(text)
    begun: Iterator[int] = iter(range(10))
    whole = running.Run.wait_scheduled

    def interrupted(self: running.Run, *args: object) -> None:
        if next(begun) == 1:
            raise KeyboardInterrupt
        whole(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(running.Run, "wait_scheduled", interrupted)
    code, out, err = command(tmp_path / "all")
    assert code == 130
    assert [line.split()[0] for line in out.splitlines()] == ["WORKLOAD", "Case-a/work"]
    assert err == "interrupted after 1 of 3 workloads\n"


def test_the_help_says_what_is_counted() -> None:
    code, out, _ = command("--help")
    assert code == 0
    told = " ".join(out.replace("│", " ").split())
    assert "from taking a pod from the queue to having written its binding" in told
    assert "here nothing takes any time but scheduling cycles" in told


def test_the_same_from_python(files: Files) -> None:
    import wavetank as wt

    path = files(OPS)
    results = wt.bench.scheduler_perf(path.parent, filter="work", cycle="1ms")
    (row,) = results
    assert (row.workload, row.status, row.pods) == ("Case/work", "ran", 3)
    heading, line = str(results).splitlines()
    assert heading.split()[:4] == ["TOPIC", "WORKLOAD", "STATUS", "PODS"]
    assert line.split()[:4] == ["topic", "Case/work", "ran", "3"]
    assert "<td>Case/work</td>" in results._repr_html_()
    assert results.to_dicts()[0]["decisions"] == 3
    with pytest.raises(wt.bench.WorkloadError, match="no workload matches"):
        wt.bench.scheduler_perf(path, filter="other")
