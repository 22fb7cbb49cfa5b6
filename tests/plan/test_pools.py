"""Pools of nodes: what people write, and the nodes that come of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import wavetank as wt
from wavetank.nodes import Pool, PoolError, parse


def test_a_machine_by_name_becomes_nodes_in_zones() -> None:
    cluster = wt.Cluster()
    names = cluster.add_nodes("12xm5.large,zones=3")
    labels = [node["metadata"]["labels"] for node in cluster.get("nodes")]
    zones = [label["topology.kubernetes.io/zone"] for label in labels]
    assert len(names) == 12
    assert {zone: zones.count(zone) for zone in zones} == {"a": 4, "b": 4, "c": 4}
    assert {label["node.kubernetes.io/instance-type"] for label in labels} == {"m5.large"}
    assert {label["topology.kubernetes.io/region"] for label in labels} == {"us-east-1"}
    assert {label["wavetank.dev/pool"] for label in labels} == {"m5-large"}
    assert [label["kubernetes.io/hostname"] for label in labels] == [
        node["metadata"]["name"] for node in cluster.get("nodes")
    ]


@pytest.mark.parametrize(
    ("machine", "cpu_milli", "memory_mib", "pods"),
    [
        # What a node of each service reports, by the formulas their owners publish.
        ("m5.large", 1930, 8192 - (255 + 11 * 29) - 100, 29),
        ("m5.xlarge", 3920, 16384 - (255 + 11 * 58) - 100, 58),
        ("e2-standard-4", 3920, None, 110),
        ("n2-standard-8", 7910, None, 110),
        ("Standard_D4s_v5", 3860, None, None),
    ],
)
def test_what_the_kubelet_keeps_is_not_allocatable(
    machine: str, cpu_milli: int, memory_mib: int | None, pods: int | None
) -> None:
    cluster = wt.Cluster()
    cluster.add_nodes(machine)
    nodes = cluster.nodes
    assert nodes["allocatable_cpu_milli"].tolist() == [cpu_milli]
    if memory_mib is not None:
        assert nodes["allocatable_memory_bytes"].tolist() == [memory_mib * 2**20]
    if pods is not None:
        assert nodes["allocatable_pods"].tolist() == [pods]


def test_cpu_and_memory_are_taken_as_they_are() -> None:
    cluster = wt.Cluster()
    cluster.add_nodes("2x2cpu,4Gi,pods=50,gpu=1,example.com/dongle=3,name=edge")
    node = cluster.get("nodes", "edge-1")
    assert node["status"]["allocatable"] == {
        "cpu": "2",
        "ephemeral-storage": "100Gi",
        "example.com/dongle": "3",
        "memory": "4Gi",
        "nvidia.com/gpu": "1",
        "pods": "50",
    }
    assert node["status"]["allocatable"] == node["status"]["capacity"]


@pytest.mark.parametrize("reserved", ["none", "provider"])
def test_reservations_can_be_left_out(reserved: str) -> None:
    cluster = wt.Cluster()
    cluster.add_nodes("m5.large", reserved=reserved)
    assert cluster.nodes["allocatable_cpu_milli"].tolist() == [2000 if reserved == "none" else 1930]


def test_a_pool_grows_under_the_same_names() -> None:
    cluster = wt.Cluster()
    assert cluster.add_nodes("2xm5.large") == ["m5-large-0", "m5-large-1"]
    assert cluster.add_nodes("m5.large", count=2) == ["m5-large-2", "m5-large-3"]


def test_a_manifest_is_a_model_for_many() -> None:
    cluster = wt.Cluster()
    model = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "rack", "labels": {"kubernetes.io/hostname": "rack"}},
        "status": {"capacity": {"cpu": "8", "memory": "32Gi", "pods": "20"}},
    }
    assert cluster.add_nodes(model, count=3) == ["rack-0", "rack-1", "rack-2"]
    assert cluster.nodes["allocatable_cpu_milli"].tolist() == [8000] * 3
    hosts = [node["metadata"]["labels"]["kubernetes.io/hostname"] for node in cluster.get("nodes")]
    assert hosts == ["rack-0", "rack-1", "rack-2"]


def test_taints_and_labels_of_the_command_line() -> None:
    pool = parse("4xcpu=2,memory=4Gi,zones=x|y,taint=team=db:NoSchedule,label=tier=data,label=b=")
    assert pool.zone_names() == ["x", "y"]
    assert pool.labels == {"tier": "data", "b": ""}
    assert pool.taint_objects() == [{"key": "team", "value": "db", "effect": "NoSchedule"}]


def test_a_node_without_cpu_is_legal_and_warned_about() -> None:
    cluster = wt.Cluster()
    with pytest.warns(UserWarning, match="have no cpu: only pods that ask for none go there"):
        cluster.add_nodes(cpu="0", memory="4Gi")
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "free"},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        }
    )
    assert wt.plan.fit(cluster).fits


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0xm5.large", "pool '0xm5.large': a pool has from 1 to 1,000,000 nodes, not 0"),
        ("-2xm5.large", "pool '-2xm5.large': a pool has from 1 to 1,000,000 nodes, not -2"),
        ("9999999xm5.large", "a pool has from 1 to 1,000,000 nodes, not 9,999,999"),
        ("3xm5.larg", "no machine is called 'm5.larg'; did you mean m5.large or"),
        ("3xwatermelon", "no machine is called 'watermelon'; say cpu=... and memory=..."),
        ("3x2cpu", "a pool needs an instance type, or both cpu and memory"),
        ("3xm5.large,cpu=4", "m5.large says cpu and memory already"),
        ("3x2cpu,4Gi,cpu=4", "cpu is there twice"),
        ("3x2cpu,4Gi,zones=27", "zones is a number up to 26, or names"),
        ("3x2cpu,4Gi,zones=-1", "zones is a number up to 26, or names"),
        ("3x2cpu,4Gi,pods=lots", "pods=lots is not a number"),
        ("3x2cpu,4Gi,pods=-1", "pods cannot be negative: -1"),
        ("3x2cpu,4Gi,color=red", "there is no key 'color'; keys are cpu, memory,"),
        ("3x2cpu,4Gi,zones=", "zones= has no value"),
        ("3x2cpu,4Gi,taint=x", "a taint is key=value:Effect with the effect NoSchedule,"),
        ("3x2cpu,4Gi,hm", "'hm' is neither key=value nor an amount"),
        ("3xcpu=2,memory=1Gb", "memory '1Gb': quantities must match the regular expression"),
        ("3xcpu=-2,memory=1Gi", "cpu cannot be negative: -2"),
    ],
)
def test_a_pool_that_makes_no_sense_is_refused_in_one_sentence(text: str, message: str) -> None:
    cluster = wt.Cluster()
    with pytest.raises(wt.WavetankError) as caught:
        cluster.add_nodes(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(cluster.nodes) == 0


def test_a_pool_says_everything_itself() -> None:
    with pytest.raises(PoolError, match="zones is too much"):
        wt.Cluster().add_nodes(Pool("m5.large"), zones=3)


def test_a_manifest_of_nodes_has_nodes_only(tmp_path: Path) -> None:
    file = tmp_path / "nodes.yaml"
    file.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")
    with pytest.raises(PoolError, match="has Nodes only, not Pod"):
        wt.Cluster().add_nodes(file)
