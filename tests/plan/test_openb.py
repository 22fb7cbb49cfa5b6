"""The openb loader on small tables of our own."""

from __future__ import annotations

from pathlib import Path

import pytest
import wavetank as wt
from wavetank.traces import openb

NODES = """sn,cpu_milli,memory_mib,gpu,model
plain-0,8000,16384,0,
big-0,16000,65536,2,V100M32
small-0,16000,65536,2,T4
"""
PODS = """name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,\
deletion_time,scheduled_time
any,1000,1024,1,500,,LS,Running,0,10,
choosy,1000,0,2,750,V100M32|V100M16|V100M32,BE,Running,0,10,5
too-choosy,1000,1024,1,1000,A100,BE,Running,0,10,5
plain,7000,1024,0,0,,LS,Running,0,10,5
"""


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    nodes, pods = tmp_path / "nodes.csv", tmp_path / "pods.csv"
    nodes.write_text(NODES)
    pods.write_text(PODS)
    return nodes, pods


def test_machines_and_pods_arrive_in_the_order_of_the_tables(tables: tuple[Path, Path]) -> None:
    cluster = wt.Cluster()
    loaded = openb.load(cluster, *tables)
    assert loaded == openb.Loaded(3, 4, gpu_milli_offered=4000, gpu_milli_asked=3000)
    assert cluster.nodes["name"].tolist() == ["plain-0", "big-0", "small-0"]
    assert cluster.pods["name"].tolist() == ["any", "choosy", "too-choosy", "plain"]


def test_models_are_required_and_gpus_are_thousandths(tables: tuple[Path, Path]) -> None:
    cluster = wt.Cluster()
    openb.load(cluster, *tables)
    answer = wt.plan.fit(cluster)
    pods = answer.cluster.pods
    places = dict(zip(pods["name"], pods["node"], strict=True))
    assert places["choosy"] == "big-0"
    assert places["any"] in {"big-0", "small-0"}
    assert places["too-choosy"] is None
    used = {node.name: node.resources[openb.GPU_MILLI].requested for node in answer.nodes}
    assert sum(used.values()) == 2000
    assert [reason.reason for reason in answer.reasons] == [
        "node(s) didn't match Pod's node affinity/selector"
    ]


def test_what_a_pod_asks_of_gpus_is_in_its_annotations(tables: tuple[Path, Path]) -> None:
    cluster = wt.Cluster(scheduler=openb.scheduler("BestFit"))
    openb.load(cluster, *tables)
    cluster.run()
    annotations = {
        pod["metadata"]["name"]: pod["metadata"].get("annotations") for pod in cluster.get("pods")
    }
    assert annotations["plain"] is None
    assert annotations["choosy"] == {
        openb.GPU_MILLI: "750",
        openb.GPU_COUNT: "2",
        openb.MODEL_LABEL: "V100M16|V100M32",
    }
    assert annotations["any"] == {
        openb.GPU_MILLI: "500",
        openb.GPU_COUNT: "1",
        "alibabacloud.com/gpu-index": "0",
    }
    (condition,) = cluster.get("pods", "choosy")["status"]["conditions"]
    assert "several GPUs can only be asked for whole" in condition["message"]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ("sn,cpu_milli\n", ":1: no column 'memory_mib'"),
        ("", ":1: no column 'sn'"),
        (NODES + "x,many,1,0,\n", ":5: column cpu_milli: 'many' is not a whole number"),
        (NODES + "x,-5,1,0,\n", ":5: column cpu_milli: '-5' is not a whole number"),
        (NODES + ",1,1,0,\n", ":5: column sn: every row has a name"),
    ],
    ids=["columns", "empty", "word", "negative", "nameless"],
)
def test_a_bad_table_is_named_with_its_line_and_nothing_is_added(
    tables: tuple[Path, Path], nodes: str, message: str
) -> None:
    tables[0].write_text(nodes)
    cluster = wt.Cluster()
    with pytest.raises(openb.TraceError) as caught:
        openb.load(cluster, *tables)
    assert str(caught.value).startswith(f"{tables[0]}{message}")
    assert len(cluster.nodes) == 0


def test_a_missing_table_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        openb.read_nodes(tmp_path / "nope.csv")
