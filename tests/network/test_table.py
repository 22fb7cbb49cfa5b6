"""The table of routes answers what a walk through the rules answers, packet by packet."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from wavetank.replay import read_case, replay_proxy

from .recorded import cases_module, plain

#: Ten times as many random clusters with WAVETANK_EXPLORE=10.
CLUSTERS = 300 * int(os.environ.get("WAVETANK_EXPLORE", "1"))


def twist(case: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Return a case in which Services claim what others have, and endpoints have their addresses.

    kube-proxy's order between Services is random, so no recorded case has this.
    """
    six = case.get("family") == "IPv6"
    addresses = [service["spec"].get("clusterIP", "") for service in case["services"]]
    addresses += ["2001:db8::1", "2001:db8:5::1"] if six else ["192.168.0.2", "192.168.99.21"]
    addresses = [plain(one) for one in addresses if one[:1].isalnum() and one != "None"]
    addresses = [one for one in addresses if (":" in one) == six]
    for service in case["services"]:
        twist_service(service, addresses, rng)
    for part in case["endpointslices"]:
        for endpoint in part["endpoints"]:
            if rng.random() < 0.1 and part["addressType"] == case.get("family", "IPv4"):
                endpoint["addresses"] = [rng.choice(addresses)]
        for port in part["ports"]:
            if rng.random() < 0.2 and "port" in port:
                port["port"] = rng.choice([80, 30000, 30001])
    for packet in case["packets"]:
        if rng.random() < 0.3 and (":" in packet["dst"]) == six:
            packet["dst"] = rng.choice(addresses)
        if rng.random() < 0.2:
            packet["port"] = rng.choice([80, 30000, 30001])
    return case


def twist_service(service: dict[str, Any], addresses: list[str], rng: random.Random) -> None:
    spec = service["spec"]
    if rng.random() < 0.3:
        spec["externalIPs"] = rng.sample(addresses, min(2, len(addresses)))
        spec["externalTrafficPolicy"] = rng.choice(["Cluster", "Local"])
    for port in spec["ports"]:
        if "nodePort" in port and rng.random() < 0.4:
            port["nodePort"] = rng.choice([30000, 30001, 80])
    if rng.random() < 0.2 and "loadBalancer" in service.get("status", {}):
        service["status"]["loadBalancer"]["ingress"] += [{"ip": rng.choice(addresses)}]


def differing(case: dict[str, Any]) -> list[Any]:
    """Return the packets of which table and rules do not say the same."""
    for step in case.get("steps", ()):
        step["flows"] = True
    case["hooks"] = "kernel"
    by_rules = replay_proxy(case)
    by_table = replay_proxy({**case, "by": "table"})
    wrong = []
    rounds = [(by_rules["flows"], by_table["flows"])]
    rounds += zip(by_rules.get("later", ()), by_table.get("later", ()), strict=True)
    for number, (rules, table) in enumerate(rounds):
        for packet, one, other in zip(case["packets"], rules, table, strict=True):
            if told(one) != told(other):
                wrong.append((number, packet, one, other))
    return wrong


def told(flow: dict[str, Any]) -> tuple[list[str], bool]:
    """Return what counts: a list without order; only what arrives is masqueraded."""
    ends = flow["output"].split(", ")
    # The list of endpoints is ordered by its text in rules; others come first in the table.
    return sorted(ends), flow["masq"] and any(":" in end for end in ends)


@pytest.mark.parametrize("twisted", [False, True])
def test_table_and_rules_say_the_same_of_random_clusters(root: Path, twisted: bool) -> None:
    made = cases_module(root)
    seen: Counter[str] = Counter()
    wrong = {}
    for number in range(CLUSTERS):
        case = made.case(random.Random(f"table/{number}"))
        if twisted:
            case = twist(case, random.Random(f"twist/{number}"))
        if faults := differing(case):
            wrong[number] = faults[:3]
        for flow in replay_proxy({**case, "by": "table"})["flows"]:
            seen["endpoint" if ":" in flow["output"] else flow["output"]] += 1
    assert wrong == {}
    assert min(seen[end] for end in ("endpoint", "REJECT", "DROP", "ACCEPT", "")) > 20, seen


def test_table_and_rules_say_the_same_of_recorded_clusters(root: Path) -> None:
    lines = (root / "tests/golden/proxy/cases.jsonl").read_text().splitlines()
    assert [wrong for line in lines if (wrong := differing(json.loads(line)["input"]))] == []


def test_the_recorded_cases_of_kube_proxy_too(golden: Path) -> None:
    files = sorted((golden / "proxy").iterdir())
    cases = [read_case(file)["input"] for file in files]
    assert [wrong for case in cases if (wrong := differing(case))] == []
