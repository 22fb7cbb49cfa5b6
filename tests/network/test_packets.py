"""Real packets through a real kernel that has our rules, and what we say becomes of them."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from wavetank.network import JUMPS
from wavetank.replay import replay_proxy

from . import kernel
from .recorded import cases_module

CLUSTERS = 100
PACKETS = 6
ADDRESSES = ["192.168.0.2", "192.168.1.2", "192.168.99.11"]
#: Connections per endpoint that can be reached: one is missed once in a hundred million times.
TIMES = 20


def cases(root: Path) -> list[dict[str, Any]]:
    """Return random small clusters with packets a kernel can be sent."""
    made = cases_module(root)
    found: list[dict[str, Any]] = []
    number = 0
    while len(found) < CLUSTERS:
        number += 1
        case = made.case(random.Random(f"kernel/{number}"))
        if "family" in case or not 0 < len(case["services"]) < 9:
            continue
        sources = {packet["src"] for packet in case["packets"]}
        packets = [p for p in case["packets"] if can_be_sent(p, sources)][:PACKETS]
        if packets:
            options = {"randomFully": True, "noCounters": True}
            case.pop("steps", None)
            found.append({**case, "packets": packets, "options": options, "hooks": "kernel"})
    return found


def can_be_sent(packet: dict[str, Any], sources: set[str]) -> bool:
    """Whether a packet reaches the node: the world keeps those to its own addresses."""
    loopback = [packet[end].startswith("127.") for end in ("src", "dst")]
    mine = packet["dst"] in ADDRESSES
    return (
        packet["proto"] in ("TCP", "UDP")
        and loopback[0] == loopback[1]
        and (mine or packet["dst"] not in sources)
    )


def is_own(packet: dict[str, Any]) -> bool:
    """Whether a packet goes from the node to itself."""
    return all(packet[end] in {*ADDRESSES, "127.0.0.1"} for end in ("src", "dst"))


def sticks(case: dict[str, Any]) -> bool:
    """Whether clients of a Service stay with an endpoint: they do not see the others then."""
    return any(s["spec"].get("sessionAffinity") == "ClientIP" for s in case["services"])


def said(flow: dict[str, Any]) -> list[str]:
    ends: list[str] = flow["output"].split(", ")
    return [""] if ends == ["ACCEPT"] else ends


def disagreements(
    case: dict[str, Any], flows: list[dict[str, Any]], outcomes: list[list[list[Any]]]
) -> list[str]:
    """Return where the kernel did otherwise than we say."""
    wrong = []
    for packet, flow, seen in zip(case["packets"], flows, outcomes, strict=True):
        ends, expected = {end for end, _ in seen}, set(said(flow))
        if is_own(packet) and not any(":" in end for end in expected):
            # It was on its way before it was refused: the kernel knows the connection.
            ends, expected = {end for end in ends if ":" in end}, set()
        agree = ends <= expected if sticks(case) else ends == expected
        if not seen or not agree:
            wrong.append(f"{packet}: ends {sorted(ends)}, not {sorted(expected)}")
        for end, moved in {(end, moved) for end, moved in seen if ":" in end}:
            # An endpoint that reaches itself is masqueraded, whatever happens to the others.
            own = end.split(":")[0] == packet["src"]
            among = any(e.split(":")[0] == packet["src"] for e in expected)
            if moved != (own or flow["masq"]) and not (among and not own):
                wrong.append(f"{packet}: to {end} masqueraded {moved}, not {flow['masq']}")
    return wrong


@pytest.mark.parametrize("backend", kernel.BACKENDS)
def test_the_kernel_sends_packets_where_we_say(backend: str, root: Path) -> None:
    kernel.need(backend)
    every = cases(root)
    answers = [replay_proxy(case) for case in every]
    asked = {
        "backend": backend,
        "addresses": ADDRESSES,
        "jumps": JUMPS,
        "cases": [
            {
                "rules": "\n".join(answer["rules"]),
                "packets": case["packets"],
                "times": [
                    len(said(flow)) * TIMES if len(said(flow)) > 1 else 1
                    for flow in answer["flows"]
                ],
            }
            for case, answer in zip(every, answers, strict=True)
        ],
    }
    program = Path(__file__).with_name("sender.py")
    done = subprocess.run(
        [*kernel.enter(), sys.executable, str(program)],
        input=json.dumps(asked),
        env=kernel.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    sorts = Counter(
        "endpoint" if ":" in end else end
        for answer in answers
        for flow in answer["flows"]
        for end in said(flow)[:1]
    )
    assert min(sorts[sort] for sort in ("endpoint", "REJECT", "DROP", "")) >= 10, sorts
    wrong = {
        number: faults
        for number, outcomes in enumerate(json.loads(done.stdout))
        if (faults := disagreements(every[number], answers[number]["flows"], outcomes))
    }
    assert wrong == {}
