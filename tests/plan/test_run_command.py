"""``wavetank run``: virtual time, events as they happen, and what Ctrl-C leaves."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import wavetank as wt

from .conftest import Command

POOL = "3xm5.large,zones=3"
_SETTLED = re.compile(r"settled at \+\S+: (\d+) pods \((.*)\), \S+ s of real time")


@pytest.fixture
def shop(root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(root)
    return "examples/shop"


def events(out: str) -> list[dict]:
    return [json.loads(line) for line in out.splitlines()]


def test_events_come_in_order_with_virtual_times(command: Command, shop: str) -> None:
    done = command("run", shop, "--nodes", POOL, "-o", "json")
    rows = events(done.out)
    times = [row["elapsed_ns"] for row in rows]
    assert done.code == 0
    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] > 10 * 10**9
    reasons = {row["reason"] for row in rows}
    assert {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Started"} <= reasons
    first = rows[0]
    assert first["object"] == "deployment/cart"
    assert first["message"].startswith("Scaled up replica set cart-")
    assert first["component"] == "deployment-controller"
    settled = _SETTLED.search(done.err)
    assert settled is not None
    assert settled[2].startswith("24 running")


def test_the_table_lines_up(command: Command, shop: str) -> None:
    header, *lines = command("run", shop, "--nodes", POOL).out.splitlines()
    assert header.split() == ["TIME", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    at = header.index("REASON")
    assert len(lines) > 100
    assert all(line.startswith("+") for line in lines)
    assert all(line[at - 1] == " " != line[at] for line in lines)


def test_the_same_seed_gives_the_same_lines_and_another_does_not(
    command: Command, shop: str
) -> None:
    first, again, other = (
        command("run", shop, "--nodes", POOL, "--seed", seed).out for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("until", "seconds"), [("10m", 600), ("90s", 90), ("2026-01-01T01:00:00Z", 3600)]
)
def test_it_ends_when_it_is_told_to(
    command: Command, shop: str, tmp_path: Path, until: str, seconds: int
) -> None:
    file = tmp_path / "shop.wavetank"
    done = command("run", shop, "--nodes", POOL, "--until", until, "--save", file, "-o", "none")
    cluster = wt.Cluster.load(file)
    assert done.out == ""
    assert "deadline at +" in done.err
    assert cluster.now_ns - wt.Cluster().now_ns == seconds * 10**9


def test_nothing_takes_any_time_with_ideal_latencies(command: Command, shop: str) -> None:
    done = command("run", shop, "--nodes", POOL, "--latencies", "ideal", "-o", "json")
    before_readiness = [row for row in events(done.out) if row["reason"] == "Started"]
    assert {row["elapsed_ns"] for row in before_readiness} == {0}


def test_a_run_goes_on_where_it_was_saved(command: Command, shop: str, tmp_path: Path) -> None:
    whole = events(command("run", shop, "--nodes", POOL, "-o", "json").out)
    file = tmp_path / "half.wavetank"
    first = command("run", shop, "--nodes", POOL, "--until", "12s", "--save", file, "-o", "json")
    second = command("run", "--cluster", file, "-o", "json")

    def told(rows: list[dict]) -> list[tuple]:
        return [(row["time"], row["object"], row["reason"], row["message"]) for row in rows]

    assert told(events(first.out)) + told(events(second.out)) == told(whole)


def test_kinds_nobody_acts_on_are_warned_about(command: Command, shop: str) -> None:
    done = command("run", shop, "--nodes", POOL, "-o", "none")
    assert (
        "Warning: wavetank has no controller for these kinds yet, they get no pods: "
        "1 DaemonSet, 2 StatefulSets, 1 CronJob" in done.err
    )


def test_ctrl_c_leaves_a_consistent_cluster_that_goes_on(tmp_path: Path) -> None:
    manifest, file = tmp_path / "big.yaml", tmp_path / "big.wavetank"
    manifest.write_text(
        """
apiVersion: apps/v1
kind: Deployment
metadata: {name: big}
spec:
  replicas: 20000
  selector: {matchLabels: {app: big}}
  template:
    metadata: {labels: {app: big}}
    spec: {containers: [{name: c, image: i, resources: {requests: {cpu: 10m}}}]}
"""
    )
    command = [sys.executable, "-m", "wavetank", "run", manifest, "--save", file]
    command += ["--nodes", "500x16cpu,64Gi,pods=100", "-o", "json"]
    said = tmp_path / "stderr"
    with (
        said.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        assert process.stdout is not None
        out = process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out += process.stdout.read()
        process.wait(timeout=60)
    err = said.read_text()
    assert process.returncode == 130, err
    assert "interrupted at +" in err
    assert all(json.loads(line) for line in out.splitlines())
    cluster = wt.Cluster.load(file)
    assert cluster.pods["ready"].sum() < 20_000
    assert cluster.run().reason == "settled"
    assert cluster.pods["ready"].sum() == 20_000
    assert cluster.nodes["requested_cpu_milli"].sum() == 200_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--until", "soon"], "--until is settled, a duration such as 10m, or a time such as"),
        (["--until", "-5m"], "--until is settled, a duration such as 10m"),
        (["--save", "/nowhere/x"], "--save /nowhere/x: there is no folder /nowhere"),
        (["--latencies", "slow"], "slow"),
        (["-o", "yaml"], "--output is table, json or none, not 'yaml'"),
    ],
)
def test_an_option_that_makes_no_sense_gets_one_sentence(
    command: Command, shop: str, arguments: list[str], message: str
) -> None:
    done = command("run", shop, "--nodes", POOL, *arguments)
    assert done.code == 2
    assert done.out == ""
    assert message in done.err
    assert done.err.count("\n") == 1


def test_a_saved_cluster_keeps_its_latencies_unless_told_otherwise(
    command: Command, shop: str, tmp_path: Path
) -> None:
    saved, pod = tmp_path / "cluster", tmp_path / "pod.yaml"
    command("run", shop, "--nodes", POOL, "-o", "none", "--save", str(saved))
    pod.write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, "
        "spec: {containers: [{name: c, image: i}]}}\n"
    )
    more = ("run", "--cluster", str(saved), str(pod), "-o", "none")
    assert "settled at +0s: 25 pods" in command(*more, "--latencies", "ideal").err
    kept = command(*more).err
    assert "settled at +" in kept
    assert "settled at +0s" not in kept


def test_ctrl_c_at_any_moment_shows_no_traceback(root: Path) -> None:
    arguments = ["plan", "examples/shop", "--nodes", "20000xm5.large"]
    # Jobs in the background ignore Ctrl-C, and so do their children unless told otherwise.
    program = (
        "import signal, wavetank.cli\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "print('begun', flush=True)\n"
        "wavetank.cli.main()"
    )
    for wait_s in (0.02, 0.1, 0.2, 0.3, 0.4):
        with subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            cwd=root,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            time.sleep(wait_s)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        assert "panicked" not in err
        assert process.returncode in (130, 0, 1)


def test_standard_output_may_be_closed(root: Path) -> None:
    program = "import sys, wavetank.cli; sys.stdout = None; wavetank.cli.main()"
    arguments = ["plan", "examples/shop", "--nodes", POOL]
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
