"""Connections nodes remember: they follow their first packet until their time is up."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import wavetank as wt

from .clusters import busy_cluster


@pytest.fixture(scope="module")
def settled() -> wt.Cluster:
    cluster = busy_cluster()
    cluster.patch("service", "dns", {"spec": {"sessionAffinity": "None"}})
    cluster.run(until="settled")
    return cluster


@pytest.fixture
def cluster(settled: wt.Cluster) -> wt.Cluster:
    return settled.fork()


def wait(cluster: wt.Cluster, **time: float) -> None:
    cluster.run(until=cluster.now + timedelta(**time))


def test_packets_follow_the_first_one_even_when_its_endpoint_is_gone(cluster: wt.Cluster) -> None:
    begun = cluster.send("outside", "web:80", 1000, track=True)
    assert cluster.connection_count == 1000
    assert not begun.established.any()
    again = begun.send()
    assert again.established.all()
    assert np.array_equal(again.endpoint, begun.endpoint)
    assert again.masqueraded.all()
    gone = begun["pod"][0]
    lost = begun["pod"] == gone
    address = cluster.get("pods", gone)["status"]["podIP"]
    cluster.delete("pod", gone)
    cluster.run(until="settled")
    later = begun.send()
    assert later.established.all()
    assert np.array_equal(later["pod"][~lost], begun["pod"][~lost])
    table = later.endpoints
    rows = dict(zip(table["address"], table["connections"].tolist(), strict=True))
    assert rows[address] == lost.sum()
    assert address not in cluster.send("outside", "web:80", 1000).endpoints["address"]


def test_udp_connections_to_an_endpoint_that_is_gone_are_cleared(cluster: wt.Cluster) -> None:
    begun = cluster.send("outside", "dns:dns", 500, protocol="UDP", track=True)
    gone = begun["pod"][0]
    lost = begun["pod"] == gone
    cluster.delete("pod", gone)
    cluster.run(until=cluster.now + timedelta(seconds=1))
    assert gone not in [pod["metadata"]["name"] for pod in cluster.get("pods")]
    assert np.array_equal(begun.alive, ~lost)
    later = begun.send()
    assert np.array_equal(later.established, ~lost)
    assert gone not in set(later["pod"])


def test_udp_connections_of_a_service_without_endpoints_are_left_alone(
    cluster: wt.Cluster,
) -> None:
    begun = cluster.send("outside", "dns:dns", 50, protocol="UDP", track=True)
    cluster.scale("deployment/dns", replicas=0)
    wait(cluster, seconds=5)
    assert cluster.send("outside", "dns:dns", protocol="UDP").rejected.all()
    assert begun.alive.all()


def test_a_silent_connection_is_forgotten(cluster: wt.Cluster) -> None:
    tcp = cluster.send("outside", "web:80", 5, track=True)
    udp = cluster.send("outside", "dns:dns", 5, protocol="UDP", track=True)
    wait(cluster, seconds=29)
    assert udp.send().established.all()
    wait(cluster, seconds=119)
    assert udp.alive.all()
    wait(cluster, seconds=1)
    assert not udp.alive.any()
    assert tcp.alive.all()
    wait(cluster, hours=24)
    assert not tcp.alive.any()
    assert cluster.connection_count == 0


def test_a_closed_connection_is_forgotten_sooner(cluster: wt.Cluster) -> None:
    whole, half = (cluster.send("outside", "web:80", 5, track=True) for _ in range(2))
    whole.close()
    half.close(half=True)
    wait(cluster, seconds=119)
    assert whole.alive.all()
    wait(cluster, seconds=1)
    assert not whole.alive.any()
    assert half.alive.all()
    wait(cluster, hours=1)
    assert not half.alive.any()


def test_connections_of_one_node_port_are_told_apart_by_their_ports(cluster: wt.Cluster) -> None:
    begun = cluster.send("outside", "web:80", 5000, track=True)
    ports, ends = begun.node_port, begun.endpoint
    assert ports.min() >= 1024
    assert len(set(zip(ends.tolist(), ports.tolist(), strict=True))) == 5000
    inside = cluster.send(f"pod/{begun['pod'][0]}", "api:80", 10, track=True)
    assert (inside.node_port == 0).all()


def test_a_connection_like_one_that_is_remembered_is_that_one(cluster: wt.Cluster) -> None:
    first = cluster.send("203.0.113.1", "web:80", source_port=4000)
    for _ in range(20):
        again = cluster.send("203.0.113.1", "web:80", source_port=4000)
        assert again["pod"][0] == first["pod"][0]
    many = cluster.send("203.0.113.1", "web:80", source_port=np.full(9, 5000))
    assert len(set(many["pod"])) == 1
    assert many.established.tolist() == [False] + [True] * 8
    others = cluster.send("203.0.113.1", "web:80", source_port=np.arange(4001, 4021))
    assert len(set(others["pod"])) > 1


def test_forks_and_saved_clusters_remember_too(cluster: wt.Cluster, tmp_path: Any) -> None:
    begun = cluster.send("outside", "web:80", 300, track=True)
    cluster.save(tmp_path / "c.wt")
    for branch in (
        cluster.fork(),
        pickle.loads(pickle.dumps(cluster)),
        wt.Cluster.load(tmp_path / "c.wt"),
    ):
        theirs = begun.of(branch).send()
        assert theirs.established.all()
        assert np.array_equal(theirs["pod"], begun["pod"])
        begun.of(branch).close()
        wait(branch, seconds=121)
        assert branch.connection_count == 0
    assert cluster.connection_count == 300
    first, second = cluster.fork(), wt.Cluster.load(tmp_path / "c.wt")
    first.save(tmp_path / "1.wt")
    second.save(tmp_path / "2.wt")
    assert (tmp_path / "1.wt").read_bytes() == (tmp_path / "2.wt").read_bytes()


def test_batches_remember_what_single_connections_would(cluster: wt.Cluster) -> None:
    sources = [f"203.0.113.{n % 250}" for n in range(1, 400)]
    whole = cluster.fork()
    at_once = whole.send(sources, "web:80", track=True)
    one_by_one = cluster.fork()
    ports = (1024 + (one_by_one.world.sent_count() + np.arange(399)) % 64_512).tolist()
    pods = [
        one_by_one.send(source, "web:80", source_port=port)["pod"][0]
        for source, port in zip(sources, ports, strict=True)
    ]
    assert at_once["pod"].tolist() == pods


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"source_port": 0}, "source_port: 0 is no number from 1 to 65535"),
        (
            {"track": True, "mode": "chain"},
            "mode: 'chain': only connections of mode \"table\" are remembered",
        ),
        (
            {"track": True, "count": 70_000},
            "count: 70,000: one client has 64,512 ports to connect from",
        ),
        (
            {"source_port": [1, 2], "count": 3},
            "columns have one length: count has 3, source_port 2",
        ),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(
    cluster: wt.Cluster, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole sentence is compared
        cluster.send("outside", "web:80", **arguments)
    assert str(raised.value) == sentence
