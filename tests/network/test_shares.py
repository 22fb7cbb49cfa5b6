"""Shares of endpoints: the kernel's and ours against the even ones, by chi-square."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import wavetank as wt
from wavetank.network import JUMPS, ProxyOptions

from . import kernel
from .clusters import busy_cluster, workload

#: How likely a fair draw is refused: once in a million times.
ALPHA = 1e-6
#: Endpoints of the three services; an odd number has a closed form.
SIZES = {"three": 3, "five": 5, "eleven": 11}
#: Connections to each in one round of the kernel's, and how many rounds.
TIMES, ROUNDS = 250, 6
#: Connections that are open at a time.
OPEN = 800
OPTIONS = ProxyOptions(counters=False)
CLIENT = "203.0.113.2"


def chance(counts: list[int]) -> float:
    """Return how likely counts at least as uneven are: the tail of chi-square."""
    expected, freedom = sum(counts) / len(counts), len(counts) - 1
    assert freedom % 2 == 0
    half = sum((count - expected) ** 2 / expected for count in counts) / 2
    return math.exp(-half) * sum(half**k / math.factorial(k) for k in range(freedom // 2))


@pytest.fixture(scope="module")
def cluster() -> wt.Cluster:
    """Return a settled cluster with a Service of each size."""
    cluster = wt.Cluster(seed=11)
    cluster.add_nodes(cpu="16", memory="64Gi", count=2, name="node")
    for name, replicas in SIZES.items():
        for document in workload(name, replicas):
            cluster.create(document)
    cluster.run(until="settled")
    return cluster


def sent_by_kernel(
    backend: str, cluster: wt.Cluster, packets: list[dict[str, Any]], times: list[int], rounds: int
) -> list[list[list[Any]]]:
    """Return, per packet, what a real kernel with the rules of node-0 made of it each time."""
    status = cluster.get("nodes", "node-0")["status"]
    rules = cluster.iptables("node-0", options=OPTIONS)
    # Connections of a case are open all at once: there are only so many files.
    size = OPEN // max(times)
    starts = range(0, len(packets), size)
    case = [
        {"rules": rules, "packets": packets[at : at + size], "times": times[at : at + size]}
        for at in starts
        for _ in range(rounds)
    ]
    asked = {
        "backend": backend,
        "family": "IPv4",
        "addresses": [entry["address"] for entry in status["addresses"] if "IP" in entry["type"]],
        "jumps": JUMPS,
        "cases": case,
    }
    done = subprocess.run(
        [*kernel.enter(), sys.executable, str(Path(__file__).with_name("sender.py"))],
        input=json.dumps(asked),
        env=kernel.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answered = json.loads(done.stdout)
    seen = []
    for number in range(len(starts)):
        its = answered[number * rounds : (number + 1) * rounds]
        seen += [[end for outcome in same for end in outcome] for same in zip(*its, strict=True)]
    return seen


def test_what_is_uneven_is_noticed() -> None:
    assert chance([100, 100, 100]) == 1
    assert chance([1000, 1000, 1000, 1000, 1200]) < 1e-4
    assert chance([1000, 1000, 1300]) < ALPHA
    assert chance([1010, 990, 1000]) > 0.5


@pytest.mark.parametrize("mode", ["table", "chain", "aggregate"])
def test_our_shares_are_even(cluster: wt.Cluster, mode: Any) -> None:
    for name, size in SIZES.items():
        sent = cluster.fork().send("outside", f"{name}:80", 20_000, mode=mode)
        counts = sent.endpoints["connections"].tolist()
        assert len(counts) == size
        assert chance(counts) > ALPHA, (name, counts)


@pytest.mark.parametrize("backend", kernel.BACKENDS)
def test_the_shares_of_the_kernel_are_as_even(backend: str, cluster: wt.Cluster) -> None:
    kernel.need(backend, "IPv4")
    packets = []
    for name in SIZES:
        address = cluster.get("services", name)["spec"]["clusterIP"]
        packets.append({"src": CLIENT, "dst": address, "port": 80, "proto": "TCP"})
    seen = sent_by_kernel(backend, cluster, packets, [TIMES] * len(packets), ROUNDS)
    for (name, size), ends in zip(SIZES.items(), seen, strict=True):
        counts = Counter(end for end, _ in ends)
        table = cluster.fork().send(CLIENT, f"{name}:80", 2000, via="node-0").endpoints
        ours = {f"{a}:{p}" for a, p in zip(table["address"], table["port"], strict=True)}
        assert set(counts) == ours
        assert sum(counts.values()) == TIMES * ROUNDS
        assert len(counts) == size
        assert chance(list(counts.values())) > ALPHA, (name, counts)


@pytest.mark.parametrize("backend", kernel.BACKENDS)
def test_the_kernel_sends_connections_where_send_does(backend: str) -> None:
    kernel.need(backend, "IPv4")
    cluster = busy_cluster()
    cluster.patch("service", "dns", {"spec": {"sessionAffinity": "None"}})
    cluster.run(until="settled")
    packets = list(every_packet(cluster))
    ours = [said(cluster, packet) for packet in packets]
    # Refusals are told only so many times a second.
    times = [100 if len(ends) > 1 else 3 for ends in ours]
    seen = sent_by_kernel(backend, cluster, packets, times, 1)
    assert len(packets) > 40
    wrong = [
        (packet, kernels, expected)
        for packet, ends, expected in zip(packets, seen, ours, strict=True)
        if (kernels := {(end, moved) for end, moved in ends}) != expected
    ]
    assert wrong == []


def said(cluster: wt.Cluster, packet: dict[str, Any]) -> set[tuple[str, bool]]:
    """Return where `send` sends connections, and whether they are masqueraded."""
    to = f"{packet['dst']}:{packet['port']}"
    sent = cluster.send(
        packet["src"], to, 400, protocol=packet["proto"], via="node-0", options=OPTIONS
    )
    table = sent.endpoints
    names = [f"{a}:{p}" for a, p in zip(table["address"], table["port"], strict=True)]
    words = {"accept": "", "drop": "DROP", "reject": "REJECT"}
    rows = zip(sent.endpoint.tolist(), sent["verdict"], sent.masqueraded.tolist(), strict=True)
    return {(names[row] if row >= 0 else words[word], moved) for row, word, moved in rows}


def every_packet(cluster: wt.Cluster) -> Any:
    """Yield packets from a pod of node-0, from the node and from outside to every Service."""
    on_node = [p for p in cluster.get("pods") if p["spec"]["nodeName"] == "node-0"]
    web = next(p for p in on_node if p["metadata"]["name"].startswith("web"))
    node = cluster.get("nodes", "node-0")["status"]["addresses"]
    own = next(entry["address"] for entry in node if entry["type"] == "InternalIP")
    for source in (web["status"]["podIP"], own, CLIENT, "203.0.113.200"):
        for service in cluster.get("services"):
            spec = service["spec"]
            ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
            addresses = [spec["clusterIP"], *spec.get("externalIPs", [])]
            addresses += [entry["ip"] for entry in ingress]
            for port in spec["ports"]:
                targets = [(address, port["port"]) for address in addresses]
                if "nodePort" in port:
                    targets.append((own, port["nodePort"]))
                for address, number in targets:
                    refused = source == own == address
                    if port["protocol"] in ("TCP", "UDP") and not refused:
                        yield {
                            "src": source,
                            "dst": address,
                            "port": number,
                            "proto": port["protocol"],
                        }
