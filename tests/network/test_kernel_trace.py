"""The rules a trace lists are those a real kernel says a packet met."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import wavetank as wt
from wavetank.network import JUMPS, ProxyOptions

from . import kernel
from .clusters import _deployment, _service

CLUSTERS, PACKETS, TIMES = 10, 6, 5
#: The kernel here has no counters of kube-proxy's.
OPTIONS = ProxyOptions(counters=False)
NODE = "node-0"


def random_cluster(number: int) -> wt.Cluster:
    """Return a settled cluster of three nodes with a few Services of any kind."""
    dice = random.Random(f"trace/{number}")
    cluster = wt.Cluster(seed=number)
    cluster.add_nodes(cpu="16", memory="64Gi", count=3, name="node", zones=["a", "b"])
    for at in range(4):
        name = f"web-{at}"
        spec: dict[str, Any] = {}
        kind = dice.choice(["ClusterIP", "NodePort", "LoadBalancer"])
        if kind != "ClusterIP":
            spec["externalTrafficPolicy"] = dice.choice(["Cluster", "Local"])
        if dice.random() < 0.3:
            spec["internalTrafficPolicy"] = "Local"
        if dice.random() < 0.3:
            spec["externalIPs"] = [f"192.0.2.{at + 1}"]
        if kind == "LoadBalancer" and dice.random() < 0.5:
            spec["loadBalancerSourceRanges"] = ["203.0.113.0/25", "172.16.0.0/24"]
        protocol = dice.choice(["TCP", "UDP"])
        ports = [{"name": "p", "port": 80, "targetPort": 8080, "protocol": protocol}]
        cluster.create(_service(name, kind, ports=ports, **spec))
        replicas = dice.choice([0, 1, 2, 4])
        if replicas:
            cluster.create(_deployment(name, replicas))
        if kind == "LoadBalancer":
            status = {"loadBalancer": {"ingress": [{"ip": f"198.51.100.{at + 11}"}]}}
            cluster.patch("service", name, {"status": status}, subresource="status")
    cluster.run(until="settled")
    return cluster


def packets(cluster: wt.Cluster, number: int) -> list[dict[str, Any]]:
    """Return packets that reach the node from its pods, from itself and from outside."""
    dice = random.Random(f"packets/{number}")
    pods = cluster.get("pods", field_selector=f"spec.nodeName={NODE}")
    own = cluster.get("node", NODE)["status"]["addresses"][0]["address"]
    sources = [pod["status"]["podIP"] for pod in pods[:2]] + [own, "203.0.113.7", "203.0.113.200"]
    every = []
    for service in cluster.get("services", namespace="default"):
        port = service["spec"]["ports"][0]
        if port["name"] != "p":
            continue
        balanced = service["status"]["loadBalancer"].get("ingress", [])
        addresses = [service["spec"]["clusterIP"], *service["spec"].get("externalIPs", ())]
        addresses += [one["ip"] for one in balanced]
        ends = [(address, port["port"]) for address in addresses]
        if port.get("nodePort"):
            ends.append((own, port["nodePort"]))
        every += [
            {"src": source, "dst": address, "port": number, "proto": port["protocol"]}
            for address, number in ends
            for source in sources
        ]
    return dice.sample(every, min(PACKETS, len(every)))


def traced(cluster: wt.Cluster, packet: dict[str, Any], own: str) -> list[list[tuple[str, ...]]]:
    """Return what we say about the rules of the node: a list per end."""
    source = packet["src"] if packet["src"] != own else f"node/{NODE}"
    trace = cluster.trace(
        source,
        f"{packet['dst']}:{packet['port']}",
        protocol=packet["proto"],
        node=NODE,
        options=OPTIONS,
    )
    return [
        [alike(f"{s.table} {s.rule}") for s in end.steps if s.node == NODE] for end in trace.ends
    ]


def alike(line: str) -> tuple[str, ...]:
    """Return table, chain and rule as both spellings have them."""
    table, rule = line.split(" ", 1)
    ((chain, rules),) = kernel.parse_rules(f"*{table}\n{rule}\n").items()
    return (chain, *rules[0])


def test_the_kernel_traces_the_rules_we_list(root: Path) -> None:
    kernel.need("nft")
    if shutil.which("xtables-monitor") is None:
        pytest.skip("needs xtables-monitor")
    clusters = [random_cluster(number) for number in range(CLUSTERS)]
    asked = [packets(cluster, number) for number, cluster in enumerate(clusters)]
    own = clusters[0].get("node", NODE)["status"]["addresses"][0]["address"]
    document = {
        "addresses": [own],
        "jumps": JUMPS,
        "cases": [
            {"rules": one.iptables(NODE, options=OPTIONS), "packets": list_, "times": TIMES}
            for one, list_ in zip(clusters, asked, strict=True)
        ],
    }
    done = subprocess.run(
        [*kernel.enter(), sys.executable, str(Path(__file__).with_name("tracer.py"))],
        input=json.dumps(document),
        env=kernel.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    wrong, compared, rules = [], 0, 0
    for cluster, list_, outcomes in zip(clusters, asked, json.loads(done.stdout), strict=True):
        for packet, seen in zip(list_, outcomes, strict=True):
            ours = traced(cluster, packet, own)
            for lines in seen:
                compared += 1
                rules += len(lines)
                real = [alike(line) for line in lines]
                if real not in ours:
                    wrong.append((packet, real, ours[0]))
    assert compared > CLUSTERS * PACKETS * TIMES / 2
    assert rules > 5 * compared
    assert wrong == []
