"""Connections as a person sends them: names in, columns out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wavetank as wt

Each = Callable[[int, str], None]


def cluster_of(services: int, endpoints: int) -> tuple[wt.Cluster, list[str]]:
    """Return a cluster with so many Services, and their addresses."""
    cluster = wt.Cluster(seed=1, events="none")
    cluster.add_nodes(cpu="4", memory="8Gi", count=10, name="node")
    cluster.run(until="settled")
    addresses = []
    for number in range(services):
        name = f"service-{number}"
        ports = [{"name": "http", "port": 80}]
        made = cluster.create(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": name},
                "spec": {"ports": ports},
            }
        )
        addresses.append(made["spec"]["clusterIP"])
        first = number * endpoints
        ends = [
            f"10.{at >> 16}.{at >> 8 & 255}.{at & 255}" for at in range(first, first + endpoints)
        ]
        cluster.create(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
                "addressType": "IPv4",
                "ports": ports,
                "endpoints": [{"addresses": [end]} for end in ends],
            }
        )
    cluster.send("outside", f"{addresses[0]}:80")
    return cluster, addresses


@pytest.fixture(scope="module")
def many(services: int) -> tuple[wt.Cluster, list[str]]:
    return cluster_of(services, 10)


@pytest.mark.sizes(services=(10_000, 100))
def test_send_a_million_connections_to_one_service(
    benchmark: Any, each: Each, many: tuple[wt.Cluster, list[str]]
) -> None:
    cluster, addresses = many
    sent = benchmark(cluster.send, "node/node-0", f"{addresses[7]}:80", 1_000_000)
    assert sent.totals["endpoint"] == 1_000_000
    each(1_000_000, "connection")


@pytest.mark.sizes(services=(10_000, 100))
def test_send_a_million_connections_to_all_services(
    benchmark: Any, each: Each, many: tuple[wt.Cluster, list[str]]
) -> None:
    cluster, addresses = many
    numbers = [int.from_bytes(map(int, address.split("."))) for address in addresses]
    to = np.random.default_rng(1).choice(np.array(numbers, np.uint32), 1_000_000)
    sent = benchmark(cluster.send, "node/node-0", to, port=80)
    assert sent.totals["endpoint"] == 1_000_000
    each(1_000_000, "connection")


@pytest.mark.sizes(services=(10_000, 100))
def test_count_connections_to_one_service(
    benchmark: Any, many: tuple[wt.Cluster, list[str]]
) -> None:
    cluster, addresses = many
    sent = benchmark(cluster.send, "node/node-0", f"{addresses[7]}:80", 10**12, mode="aggregate")
    assert sent.totals["endpoint"] == 10**12


@pytest.mark.sizes(services=(10_000, 100))
def test_count_connections_to_all_services(
    benchmark: Any, each: Each, many: tuple[wt.Cluster, list[str]]
) -> None:
    cluster, addresses = many
    numbers = [int.from_bytes(map(int, address.split("."))) for address in addresses]
    to = np.array(numbers, np.uint32)
    sent = benchmark(cluster.send, "node/node-0", to, 10**9, port=80, mode="aggregate")
    assert sent.totals["endpoint"] == 10**9 * len(addresses)
    each(len(addresses), "service")
