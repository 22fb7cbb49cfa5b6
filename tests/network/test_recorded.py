"""Rules and flows as the real kube-proxy has them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from wavetank.replay import read_case, replay_proxy

from .recorded import in_one_order


def differing(case: dict[str, Any]) -> list[str]:
    """Return what an answer says otherwise than the recording."""
    ours, real = replay_proxy(case["input"]), case["expected"]
    wrong = []
    if in_one_order(ours["rules"]) != in_one_order(real["rules"]):
        wrong.append("rules")
    if ours["flows"] != real["flows"]:
        wrong.append("flows")
    # Lines of a partial sync come in an order of their own; each line says its chain.
    for number, sync in enumerate(real.get("syncs", ())):
        if Counter(ours["syncs"][number]) != Counter(sync):
            wrong.append(f"sync {number}")
    return wrong


def test_rules_and_flows_are_as_recorded_in_the_sample_that_ships(root: Path) -> None:
    lines = (root / "tests/golden/proxy/cases.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]
    assert sum(len(case["expected"]["flows"]) for case in cases) > 900
    assert sum(len(case["expected"].get("syncs", ())) for case in cases) > 15
    assert {case["file"]: wrong for case in cases if (wrong := differing(case))} == {}


def test_rules_and_flows_are_as_recorded(golden: Path) -> None:
    files = sorted((golden / "proxy").iterdir())
    assert len(files) == 60
    cases = {file.name: read_case(file) for file in files}
    assert sum(len(case["expected"]["flows"]) for case in cases.values()) == 2400
    assert {name: wrong for name, case in cases.items() if (wrong := differing(case))} == {}


def test_the_last_rule_of_services_looks_up_node_ports(root: Path) -> None:
    line = (root / "tests/golden/proxy/cases.jsonl").read_text().splitlines()[0]
    rules = replay_proxy(json.loads(line)["input"])["rules"]
    nat = rules[rules.index("*nat") :]
    services = [rule for rule in nat if rule.startswith("-A KUBE-SERVICES ")]
    assert ["NOTE" in rule for rule in services] == [False] * (len(services) - 1) + [True]


def test_the_command_answers_plain_and_gzipped_cases(root: Path, tmp_path: Path) -> None:
    line = (root / "tests/golden/proxy/cases.jsonl").read_text().splitlines()[0]
    plain, zipped = tmp_path / "case.json", tmp_path / "case.json.gz"
    plain.write_text(line)
    zipped.write_bytes(gzip.compress(line.encode()))
    command = [sys.executable, "-m", "wavetank.replay", "proxy", str(plain), str(zipped)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answers = [json.loads(answer) for answer in done.stdout.splitlines()]
    assert [answer["file"] for answer in answers] == [str(plain), str(zipped)]
    assert answers[0]["results"] == answers[1]["results"]
    assert answers[0]["results"]["flows"] == json.loads(line)["expected"]["flows"]


@pytest.mark.parametrize(
    ("packet", "sentence"),
    [
        ({"src": "10.0.0.300", "dst": "10.0.0.1"}, 'src: not an IP address: "10.0.0.300"'),
        ({"src": "10.0.0.3"}, 'dst: not an IP address: ""'),
        ({"src": "10.0.0.3", "dst": "10.0.0.1", "port": 70000}, "port: not a port: 70000"),
    ],
)
def test_a_packet_that_is_none_is_refused(packet: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^packet: {sentence}$"):
        replay_proxy({"services": [], "endpointslices": [], "packets": [packet]})
