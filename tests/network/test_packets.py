"""Real packets through a real kernel that has our rules, and what we say becomes of them."""

from __future__ import annotations

import ipaddress
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from wavetank.network import JUMPS, JUMPS_IPV6
from wavetank.replay import replay_proxy

from . import kernel
from .recorded import cases_module

CLUSTERS = 100
PACKETS = 6
#: The addresses of the node.
ADDRESSES = {
    "IPv4": ["192.168.0.2", "192.168.1.2", "192.168.99.11"],
    "IPv6": ["2001:db8::1", "2001:db8:1::2"],
}
LOOPBACK = {"127.0.0.1", "::1"}
#: Connections per endpoint that can be reached: one is missed once in a hundred million times.
TIMES = 20


def cases(root: Path, family: str) -> list[dict[str, Any]]:
    """Return random small clusters with packets a kernel can be sent."""
    made = cases_module(root)
    found: list[dict[str, Any]] = []
    number = 0
    while len(found) < CLUSTERS:
        number += 1
        case = made.case(random.Random(f"kernel/{number}"))
        if case.get("family", "IPv4") != family or not 0 < len(case["services"]) < 9:
            continue
        every = [short(packet) for packet in case["packets"]]
        sources = {packet["src"] for packet in every}
        packets = [p for p in every if can_be_sent(p, sources, family)]
        packets = packets[:PACKETS]
        if packets:
            options = {"randomFully": True, "noCounters": True}
            case.pop("steps", None)
            found.append({**case, "packets": packets, "options": options, "hooks": "kernel"})
    return found


def short(packet: dict[str, Any]) -> dict[str, Any]:
    """Return a packet with addresses as the kernel writes them."""
    return packet | {end: str(ipaddress.ip_address(packet[end])) for end in ("src", "dst")}


def can_be_sent(packet: dict[str, Any], sources: set[str], family: str) -> bool:
    """Whether a packet reaches the node: the world keeps those to its own addresses."""
    loopback = [packet[end] in LOOPBACK for end in ("src", "dst")]
    mine = packet["dst"] in ADDRESSES[family]
    return (
        packet["proto"] in ("TCP", "UDP")
        and loopback[0] == loopback[1]
        and (mine or packet["dst"] not in sources)
    )


def is_own(packet: dict[str, Any]) -> bool:
    """Whether a packet goes from the node to itself."""
    own = {*ADDRESSES["IPv4"], *ADDRESSES["IPv6"], *LOOPBACK}
    return all(packet[end] in own for end in ("src", "dst"))


def sticks(case: dict[str, Any]) -> bool:
    """Whether clients of a Service stay with an endpoint: they do not see the others then."""
    return any(s["spec"].get("sessionAffinity") == "ClientIP" for s in case["services"])


def host(end: str) -> str:
    """Return the address of an endpoint's address and port."""
    return end.rpartition(":")[0].strip("[]")


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
            own = host(end) == packet["src"]
            among = any(host(e) == packet["src"] for e in expected)
            if moved != (own or flow["masq"]) and not (among and not own):
                wrong.append(f"{packet}: to {end} masqueraded {moved}, not {flow['masq']}")
    return wrong


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize("backend", kernel.BACKENDS)
def test_the_kernel_sends_packets_where_we_say(backend: str, family: str, root: Path) -> None:
    kernel.need(backend, family)
    every = cases(root, family)
    answers = [replay_proxy(case) for case in every]
    asked = {
        "backend": backend,
        "family": family,
        "addresses": ADDRESSES[family],
        "jumps": JUMPS if family == "IPv4" else JUMPS_IPV6,
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
    by_table = [replay_proxy({**case, "by": "table"}) for case in every]
    for said_so in (answers, by_table):
        wrong = {
            number: faults
            for number, outcomes in enumerate(json.loads(done.stdout))
            if (faults := disagreements(every[number], said_so[number]["flows"], outcomes))
        }
        assert wrong == {}
