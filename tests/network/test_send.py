"""Connections in bulk: who gets them, what is the same whatever the batch, and what is refused."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wavetank as wt
from wavetank.network import ProxyOptions

from .clusters import busy_cluster


@pytest.fixture(scope="module")
def settled() -> wt.Cluster:
    return busy_cluster()


@pytest.fixture
def cluster(settled: wt.Cluster) -> wt.Cluster:
    return settled.fork()


def reached(sent: Any) -> dict[str, int]:
    """Return how many connections each endpoint got, by address."""
    table = sent.endpoints
    return dict(zip(table["address"], table["connections"].tolist(), strict=True))


def pod_of(cluster: wt.Cluster, app: str, at: int = 0) -> Any:
    return cluster.get("pods", label_selector=f"app={app}")[at]


def test_shares_are_even(cluster: wt.Cluster) -> None:
    client = f"pod/{pod_of(cluster, 'api')['metadata']['name']}"
    sent = cluster.send(client, "web:80", 100_000)
    counts = sent.endpoints["connections"]
    assert len(counts) == 5
    assert ((counts - 20_000.0) ** 2 / 20_000).sum() < 33.4  # 4 d.f., alpha 1e-6
    assert np.array_equal(np.bincount(sent.endpoint, minlength=5), counts)
    assert not sent.masqueraded.any()
    assert set(sent["pod"]) == {
        p["metadata"]["name"] for p in cluster.get("pods") if "web" in p["metadata"]["name"]
    }


def test_results_depend_on_no_batch_and_no_thread(cluster: wt.Cluster) -> None:
    whole = cluster.fork().send("outside", "web:80", 200_000)
    single = cluster.fork().send("outside", "web:80", 200_000, threads=False)
    parts = cluster.fork()
    pieces = [parts.send("outside", "web:80", n).endpoint for n in (1, 99_999, 0, 33_333, 66_667)]
    assert np.array_equal(whole.endpoint, single.endpoint)
    assert np.array_equal(whole.endpoint, np.concatenate(pieces))
    other = cluster.fork().send("outside", "web:80", 200_000, epoch=1)
    assert not np.array_equal(whole.endpoint, other.endpoint)
    assert not np.array_equal(parts.send("outside", "web:80", 9).endpoint, whole.endpoint[:9])


def test_a_branch_a_copy_and_a_saved_cluster_go_on_alike(
    cluster: wt.Cluster, tmp_path: Path
) -> None:
    clients = [f"203.0.113.{n}" for n in range(1, 60)]
    cluster.send(clients, "dns:dns", protocol="UDP")
    cluster.save(tmp_path / "c.wt")
    branches = [
        cluster.fork(),
        copy.deepcopy(cluster),
        pickle.loads(pickle.dumps(cluster)),
        wt.Cluster.load(tmp_path / "c.wt"),
    ]
    wanted = cluster.send(clients, "dns:dns", protocol="UDP")
    for branch in branches:
        again = branch.send(clients, "dns:dns", protocol="UDP")
        assert np.array_equal(again.endpoint, wanted.endpoint)
        branch.save(tmp_path / "d.wt")
        cluster.save(tmp_path / "c.wt")
        assert (tmp_path / "c.wt").read_bytes() == (tmp_path / "d.wt").read_bytes()


def test_the_same_whether_sources_are_text_or_numbers(cluster: wt.Cluster) -> None:
    pods = cluster.get("pods")
    names = [f"pod/{pod['metadata']['name']}" for pod in pods]
    texts = [pod["status"]["podIP"] for pod in pods]
    numbers = np.array([int.from_bytes(map(int, text.split("."))) for text in texts], np.uint32)
    address = cluster.get("services", "inner")["spec"]["clusterIP"]
    sent = [
        cluster.fork().send(names, "inner:80"),
        cluster.fork().send(texts, [f"{address}:80"]),
        cluster.fork().send(
            numbers,
            np.full(len(pods), int.from_bytes(map(int, address.split("."))), np.uint32),
            port=80,
        ),
    ]
    for other in sent[1:]:
        assert np.array_equal(other.endpoint, sent[0].endpoint)
        assert np.array_equal(other.verdict, sent[0].verdict)
    home = pod_of(cluster, "inner")["spec"]["nodeName"]
    stays = [pod["spec"]["nodeName"] == home for pod in pods]
    assert sent[0]["verdict"].tolist() == ["endpoint" if on else "drop" for on in stays]
    assert 0 < sum(stays) < len(pods)


def test_traffic_from_outside_comes_in_where_it_is_addressed_to(cluster: wt.Cluster) -> None:
    port = cluster.get("services", "local")["spec"]["ports"][0]["nodePort"]
    home = pod_of(cluster, "local")["spec"]["nodeName"]
    for node in cluster.get("nodes"):
        name = node["metadata"]["name"]
        sent = cluster.send("outside", f"node/{name}:{port}", 10)
        assert sent.totals == {
            "endpoint": 10 * (name == home),
            "accept": 0,
            "drop": 10 * (name != home),
            "reject": 0,
            "masqueraded": 0,
        }
    assert cluster.send("outside", "198.51.100.2:80", via=home).totals["endpoint"] == 1
    targets = [f"node/{node['metadata']['name']}:{port}" for node in cluster.get("nodes")]
    assert cluster.send("outside", targets).totals["endpoint"] == 1


def test_firewalls_let_in_whom_they_name(cluster: wt.Cluster) -> None:
    sent = cluster.send(["203.0.113.7", "203.0.113.200"], "198.51.100.1:80")
    assert sent["verdict"].tolist() == ["endpoint", "drop"]
    assert sent.dropped.tolist() == [False, True]
    assert cluster.send("outside", "empty:80", 3).rejected.all()
    nowhere = cluster.send("outside", "192.0.2.200:80", 3)
    assert (nowhere.verdict == 1).all()
    assert (
        repr(nowhere) == "3 connections from outside to 192.0.2.200:80: 3 went where no Service is"
    )


def test_a_pod_that_reaches_itself_is_masqueraded(cluster: wt.Cluster) -> None:
    web = pod_of(cluster, "web")
    sent = cluster.send(f"pod/{web['metadata']['name']}", "web:80", 500)
    itself = sent["pod"] == web["metadata"]["name"]
    assert itself.any()
    assert np.array_equal(sent.masqueraded, itself)
    everything = cluster.send(
        f"pod/{web['metadata']['name']}", "web:80", 50, options=ProxyOptions(masquerade_all=True)
    )
    assert everything.masqueraded.all()


def test_walking_the_rules_reaches_the_same_endpoints(cluster: wt.Cluster) -> None:
    for source, to in [("outside", "web:80"), ("node/node-1", "local:80"), ("outside", "empty:80")]:
        table = cluster.send(source, to, 300)
        chain = cluster.send(source, to, 300, mode="chain")
        assert {a: n > 0 for a, n in reached(table).items()} == {
            a: n > 0 for a, n in reached(chain).items()
        }
        assert np.array_equal(table.verdict, chain.verdict)
        assert np.array_equal(table.masqueraded, chain.masqueraded)


def test_counts_without_connections(cluster: wt.Cluster) -> None:
    sent = cluster.send("outside", "web:80", 10**12, mode="aggregate")
    counts = sent.endpoints["connections"]
    assert counts.sum() == 10**12
    assert ((counts - 2e11) ** 2 / 2e11).sum() < 33.4
    assert len(sent) == 0
    assert "1,000,000,000,000 masqueraded" in repr(sent)
    both = cluster.send("outside", ["web:80", "empty:80"], [7, 5], mode="aggregate")
    assert both.totals == {"endpoint": 7, "accept": 0, "drop": 0, "reject": 5, "masqueraded": 7}


def test_clients_stay_with_their_endpoint_until_the_list_is_full(cluster: wt.Cluster) -> None:
    clients = [f"203.0.{n // 250}.{n % 250 + 1}" for n in range(1000)]
    first = cluster.send(clients, "dns:dns", protocol="UDP")
    counts = first.endpoints["connections"]
    again = cluster.send(clients, "dns:dns", protocol="UDP")
    stayed = first.endpoint == again.endpoint
    # Each list knows the last hundred of its clients, and those who come first push them out.
    assert counts.min() > 100
    assert stayed.mean() < 0.5
    free = cluster.fork()
    first = free.send(clients, "dns:dns", protocol="UDP", affinity_cap=None)
    again = free.send(clients, "dns:dns", protocol="UDP", affinity_cap=None)
    assert np.array_equal(first.endpoint, again.endpoint)


def test_a_client_is_forgotten_after_its_time_and_with_its_endpoint(cluster: wt.Cluster) -> None:
    def where() -> str:
        return str(cluster.send("203.0.113.9", "dns:dns", protocol="UDP")["pod"][0])

    home = where()
    for _ in range(3):
        cluster.run(until=cluster.now + np.timedelta64(10_800, "s").item())
        assert where() == home
    cluster.delete("pod", home)
    cluster.run(until="settled")
    moved = where()
    assert moved != home
    assert len({where() for _ in range(20)}) == 1
    seen = set()
    for _ in range(12):
        cluster.run(until=cluster.now + np.timedelta64(10_801, "s").item())
        seen.add(where())
    assert len(seen) > 1


def test_columns_go_wherever_columns_go(cluster: wt.Cluster) -> None:
    sent = cluster.send("outside", ["web:80", "empty:80", "api:80"])
    frame = sent.to_pandas()
    assert list(frame.columns) == sent.columns
    assert frame["verdict"].tolist() == ["endpoint", "reject", "endpoint"]
    assert frame["pod"].isna().tolist() == [False, True, False]
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(sent)
    assert table.column("rejected").to_pylist() == [False, True, False]
    assert pyarrow.table(sent.endpoints).column("share").to_pylist().count(0.5) == 2
    assert sent.endpoints["connections"].sum() == 2
    assert sent._repr_html_().startswith("<p>3 connections from outside to 3 destinations: ")
    assert "default/web:http" in sent._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (("outside", "nope:80"), wt.NotFoundError, 'services "nope" not found'),
        (("pod/none", "web:80"), wt.NotFoundError, 'pods "none" not found'),
        (
            ("outside", "web:81"),
            ValueError,
            'Service "default/web" has no TCP port 81: it has http (80/TCP)',
        ),
        (
            ("outside", "dns:dns"),
            ValueError,
            'Service "default/dns" has no TCP port dns: it has dns (53/UDP), dns-tcp (53/TCP)',
        ),
        (("outside", "web:80", -1), ValueError, "count: -1: must be greater than or equal to 0"),
        (
            (["outside"] * 3, ["web:80"] * 2),
            ValueError,
            "columns have one length: source has 3, to 2",
        ),
        (
            (["outside"] * 3, "web:80", 4),
            ValueError,
            "columns have one length: count has 4, source 3",
        ),
        (
            ("outside", "10.0.0.1"),
            ValueError,
            "to: '10.0.0.1' has no port: write 10.0.0.1:80, or port=80",
        ),
        (
            ("outside", "10.0.0.1:http"),
            ValueError,
            "to: '10.0.0.1:http': port 'http' is no number from 1 to 65535",
        ),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(
    cluster: wt.Cluster, arguments: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error) as raised:
        cluster.send(*arguments)
    assert str(raised.value) == sentence
