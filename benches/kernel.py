"""What the first packet of a connection costs: the kernel's iptables against our table.

``python -m benches.kernel`` (or ``make bench-kernel``) makes clusters of 1,000, 5,000 and 10,000
Services of three endpoints, loads the rules of a node into a network namespace with
``iptables-legacy-restore``, opens UDP flows to the first, middle and last Service, and sends as
many connections to the same Services with ``cluster.send``, all in one run. ``SHORT=1`` takes
small sizes. Where there is no namespace or no iptables-legacy it says so, and measures ours alone.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import wavetank as wt
from wavetank import show
from wavetank.network import JUMPS, ProxyOptions

ENDPOINTS = 3
#: Flows to each Service whose cost is measured, and the fastest of so many rounds of ours.
FLOWS, ROUNDS = 400, 5
WHERE = ("first", "middle", "last")


def cluster_of(services: int) -> wt.Cluster:
    """Return a cluster with one node and so many Services, each with its slice."""
    cluster = wt.Cluster(seed=1)
    cluster.add_nodes(cpu="4", memory="8Gi", count=1, name="node")
    cluster.run(until="settled")
    for number in range(services):
        name = f"service-{number:05}"
        port = {"name": "dns", "port": 53, "protocol": "UDP"}
        cluster.create(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": name},
                "spec": {"ports": [port]},
            }
        )
        ends = [f"10.200.{number >> 6}.{(number & 63) * 4 + at}" for at in range(ENDPOINTS)]
        cluster.create(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
                "addressType": "IPv4",
                "ports": [port],
                "endpoints": [{"addresses": [end]} for end in ends],
            }
        )
    return cluster


def chosen(cluster: wt.Cluster, services: int) -> list[str]:
    """Return the addresses of the first, middle and last Service."""
    numbers = (0, services // 2, services - 1)
    names = [f"service-{number:05}" for number in numbers]
    return [cluster.get("services", name)["spec"]["clusterIP"] for name in names]


def by_kernel(cluster: wt.Cluster, addresses: list[str]) -> tuple[list[float], float] | str:
    """Return microseconds per first packet, and the seconds rules took to load; or why not."""
    for program in ("unshare", "iptables-legacy-restore"):
        if shutil.which(program) is None:
            return f"needs {program}"
    asked = {
        "rules": cluster.iptables("node-0", options=ProxyOptions(counters=False)),
        "jumps": JUMPS,
        "addresses": addresses,
    }
    enter = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    lock = f"{tempfile.gettempdir()}/wavetank-xtables.lock"
    done = subprocess.run(
        [*enter, sys.executable, "-m", "benches.kernel", "inside"],
        input=json.dumps(asked),
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "XTABLES_LOCKFILE": lock},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    costs, seconds = json.loads(done.stdout)
    return costs, seconds


def inside() -> None:
    """Measure in a namespace of its own; reads and writes JSON."""
    asked = json.load(sys.stdin)

    def command(line: str, data: str = "") -> None:
        subprocess.run(line, shell=True, input=data, check=True, capture_output=True, text=True)

    command("ip link set lo up && ip link add v0 type veth peer name v1")
    command("ip link set v0 up && ip link set v1 up && ip address add 192.168.255.1/24 dev v0")
    command("ip neighbour replace 192.168.255.2 lladdr 02:00:00:00:00:02 dev v0 nud permanent")
    command("ip route add default via 192.168.255.2")
    began = time.perf_counter()
    command("iptables-legacy-restore --noflush", asked["rules"])
    seconds = time.perf_counter() - began
    command("iptables-legacy-restore --noflush", asked["jumps"])
    costs = [first_packets(address) for address in asked["addresses"]]
    json.dump([costs, seconds], sys.stdout)


def first_packets(address: str) -> float:
    """Return the median microseconds of the ``sendto`` that opens a flow."""
    times = []
    for _ in range(FLOWS):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.bind(("192.168.255.1", 0))
            began = time.perf_counter_ns()
            made.sendto(b"?", (address, 53))
            times.append(time.perf_counter_ns() - began)
    return statistics.median(times) / 1000


def by_table(cluster: wt.Cluster, addresses: list[str], connections: int) -> list[float]:
    """Return nanoseconds per connection on one core, the fastest of a few rounds."""
    costs = []
    for address in addresses:
        rounds = []
        for _ in range(ROUNDS):
            began = time.perf_counter_ns()
            sent = cluster.send(
                "node/node-0", f"{address}:53", connections, protocol="UDP", threads=False
            )
            rounds.append((time.perf_counter_ns() - began) / connections)
            assert sent.totals["endpoint"] == connections
        costs.append(min(rounds))
    return costs


def table(sizes: list[int], connections: int) -> list[list[str]]:
    """Return the rows of the comparison below their headings."""
    kernel, ours = ([f"{who} {at}" for at in WHERE] for who in ("KERNEL", "OURS"))
    rows = [["SERVICES", "RULES LOADED IN", *kernel, *ours, "LAST, RATIO"]]
    for services in sizes:
        cluster = cluster_of(services)
        addresses = chosen(cluster, services)
        mine = by_table(cluster, addresses, connections)
        cells = [f"{cost:.1f} ns" for cost in mine]
        found: Any = by_kernel(cluster, addresses)
        if isinstance(found, str):
            print(f"no kernel to compare with: {found}", file=sys.stderr)
            rows.append([f"{services:,}", *["-"] * 4, *cells, "-"])
            continue
        costs, seconds = found
        ratio = f"{costs[-1] * 1000 / mine[-1]:,.0f}"
        told = [f"{cost:.1f} us" for cost in costs]
        rows.append([f"{services:,}", f"{seconds:.2f} s", *told, *cells, ratio])
    return rows


def main() -> None:
    """Print the table."""
    if sys.argv[1:] == ["inside"]:
        return inside()
    short = bool(os.environ.get("SHORT"))
    sizes, connections = ([100, 500], 10_000) if short else ([1000, 5000, 10_000], 1_000_000)
    print("the first packet of a connection, one core")
    for line in show.align(table(sizes, connections)):
        print(line)
    return None


if __name__ == "__main__":
    main()
