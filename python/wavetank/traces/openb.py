"""openb: a production cluster of GPU machines and the pods offered to it, from Alibaba.

The trace is two tables: machines (``sn,cpu_milli,memory_mib,gpu,model``) and pods
(``name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,...``). Published with "Beware of
Fragmentation" (Weng, Yang et al., USENIX ATC 2023); fetch it from alibaba/clusterdata,
``cluster-trace-gpu-v2023``.

How it maps:

* a machine offers its GPUs as ``alibabacloud.com/gpu-count`` and a thousand units of
  ``alibabacloud.com/gpu-milli`` for each;
* what a pod asks for, ``num_gpu`` times ``gpu_milli``, is in its annotations, as the trace's own
  simulator reads them. The scheduler plugin ``Open-Gpu-Share`` goes by them, GPU by GPU; see
  :func:`scheduler`. A pod also asks for the product as a resource, so that any scheduler counts
  it: for the default one a machine with two GPUs half free each takes a pod with one whole GPU;
* ``gpu_spec`` (``V100M16|V100M32``) is an annotation and a required node affinity;
* pods come in the order of the table and stay: the times of the trace are left out, as in the
  published runs.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wavetank.errors import WavetankError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wavetank.cluster import Cluster

#: Thousandths of GPUs, as the trace's own simulator calls them.
GPU_MILLI = "alibabacloud.com/gpu-milli"
#: The number of GPUs, of a machine and in a pod's annotations.
GPU_COUNT = "alibabacloud.com/gpu-count"
#: The annotation with the numbers of the GPUs a pod got: ``0-3``.
GPU_INDEX = "alibabacloud.com/gpu-index"
#: The label with the model of a machine's GPUs.
MODEL_LABEL = "alibabacloud.com/gpu-card-model"
#: Pods a machine takes, as the trace's own node manifests have it.
PODS_PER_NODE = 1001

#: The published policies: the score plugin of each, and how it selects one of a machine's GPUs.
POLICIES = {
    "Random": ("RandomScore", "random"),
    "DotProd": ("DotProductScore", "best"),
    "GpuClustering": ("GpuClusteringScore", "best"),
    "GpuPacking": ("GpuPackingScore", "best"),
    "BestFit": ("BestFitScore", "best"),
    "FGD": ("FGDScore", "FGDScore"),
}

_NODE_COLUMNS = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
_POD_COLUMNS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")


class TraceError(WavetankError, ValueError):
    """A table that is not what the trace has; the message names file, line and column."""


@dataclass(frozen=True)
class Node:
    """A machine: its name, what it offers and the model of its GPUs."""

    name: str
    cpu_milli: int
    memory_mib: int
    gpus: int
    model: str


@dataclass(frozen=True)
class Pod:
    """A pod: its name and what it asks for.

    Attributes
    ----------
    gpu_milli
        Thousandths asked of each of ``gpus`` GPUs.
    models
        Models it can use, sorted; any when empty.
    """

    name: str
    cpu_milli: int
    memory_mib: int
    gpus: int
    gpu_milli: int
    models: tuple[str, ...]
    qos: str


@dataclass(frozen=True)
class Loaded:
    """What was put into a cluster."""

    nodes: int
    pods: int
    gpu_milli_offered: int
    gpu_milli_asked: int


def load(
    cluster: Cluster, nodes: str | Path, pods: str | Path, *, namespace: str = "default"
) -> Loaded:
    """Add the machines and pods of a trace to a cluster.

    Parameters
    ----------
    nodes, pods
        The two tables, CSV files.
    namespace
        Where the pods go; it must exist.

    Raises
    ------
    FileNotFoundError
        When a table does not exist.
    TraceError
        When a table is not one of the trace; nothing is added then.
    """
    machines, offered = read_nodes(nodes), read_pods(pods)
    add_nodes(cluster, machines)
    add_pods(cluster, offered, namespace=namespace)
    return Loaded(
        nodes=len(machines),
        pods=len(offered),
        gpu_milli_offered=sum(1000 * machine.gpus for machine in machines),
        gpu_milli_asked=sum(pod.gpus * pod.gpu_milli for pod in offered),
    )


def read_nodes(path: str | Path) -> list[Node]:
    """Read the table of machines."""
    return [
        Node(row["sn"], number("cpu_milli"), number("memory_mib"), number("gpu"), row["model"])
        for row, number in _rows(Path(path), _NODE_COLUMNS)
    ]


def read_pods(path: str | Path) -> list[Pod]:
    """Read a table of pods; some of the trace's tables lack the columns after ``gpu_milli``."""
    return [
        Pod(
            name=row["name"],
            cpu_milli=number("cpu_milli"),
            memory_mib=number("memory_mib"),
            gpus=number("num_gpu"),
            gpu_milli=number("gpu_milli"),
            models=tuple(sorted(set(filter(None, row.get("gpu_spec", "").split("|"))))),
            qos=row.get("qos", ""),
        )
        for row, number in _rows(Path(path), _POD_COLUMNS)
    ]


def add_nodes(cluster: Cluster, nodes: list[Node]) -> None:
    """Add machines, in their order."""
    for shape, members in groupby(nodes, key=_shape):
        cluster.world.add_pool({"names": [node.name for node in members], **_pool(*shape)})


def add_pods(cluster: Cluster, pods: list[Pod], *, namespace: str = "default") -> None:
    """Create pods, in their order; equal neighbours share a template."""
    for wants, members in groupby(pods, key=_wants):
        names = [pod.name for pod in members]
        cluster.create_many(_template(*wants), names=names, namespace=namespace)


def scheduler(policy: str, expected: Iterable[Pod] = ()) -> dict[str, Any]:
    """Return the scheduler configuration of a published run.

    Parameters
    ----------
    policy
        One of :data:`POLICIES`.
    expected
        Pods the policy ``FGD`` takes as typical; those in the cluster when there are none.

    Raises
    ------
    ValueError
        When there is no such policy.
    """
    if policy not in POLICIES:
        raise ValueError(f"no policy {policy!r}; there are {', '.join(POLICIES)}")
    plugin, selection = POLICIES[policy]
    share = {"name": "Open-Gpu-Share", "args": {"gpuSelMethod": selection}}
    typical = {"name": plugin, "args": {"typicalPods": _typical(expected)}} if expected else None
    points = {
        "filter": {"enabled": [{"name": "Open-Gpu-Share"}]},
        "reserve": {"enabled": [{"name": "Open-Gpu-Share"}]},
        "score": {"disabled": [{"name": "*"}], "enabled": [{"name": plugin}]},
    }
    plugins = [share, *([typical] if typical and plugin == "FGDScore" else [])]
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "percentageOfNodesToScore": 100,
        "tieBreak": "first-by-name",
        "profiles": [{"plugins": points, "pluginConfig": plugins}],
    }


def _typical(pods: Iterable[Pod]) -> list[dict[str, Any]]:
    kinds = Counter((pod.cpu_milli, pod.gpu_milli, pod.gpus, pod.models) for pod in pods)
    return [
        {
            "cpuMilli": cpu_milli,
            "gpuMilli": gpu_milli,
            "gpuCount": gpus,
            "gpuCardModel": "|".join(models),
            "pods": count,
        }
        for (cpu_milli, gpu_milli, gpus, models), count in kinds.items()
    ]


def _shape(node: Node) -> tuple[int, int, int, str]:
    return node.cpu_milli, node.memory_mib, node.gpus, node.model


def _pool(cpu_milli: int, memory_mib: int, gpus: int, model: str) -> dict[str, Any]:
    offers = {
        "cpu": f"{cpu_milli}m",
        "memory": f"{memory_mib}Mi",
        "pods": str(PODS_PER_NODE),
        **({GPU_COUNT: str(gpus), GPU_MILLI: str(1000 * gpus)} if gpus else {}),
    }
    return {
        "capacity": offers,
        "allocatable": offers,
        "labels": {MODEL_LABEL: model} if model else {},
        "taints": [],
        "zones": [],
        "region": "",
        "arch": "amd64",
        "pods": PODS_PER_NODE,
    }


def _wants(pod: Pod) -> tuple[int, int, int, int, tuple[str, ...], str]:
    return pod.cpu_milli, pod.memory_mib, pod.gpus, pod.gpu_milli, pod.models, pod.qos


def template(pod: Pod) -> dict[str, Any]:
    """Return the manifest of a pod without its name; equal pods share it, and it must not change.

    Examples
    --------
    >>> template(Pod("a", 4000, 1024, 1, 250, ("T4",), "LS"))["metadata"]["annotations"]
    {'alibabacloud.com/gpu-milli': '250', 'alibabacloud.com/gpu-count': '1', \
'alibabacloud.com/gpu-card-model': 'T4'}
    """
    return _template(*_wants(pod))


@cache
def _template(
    cpu_milli: int, memory_mib: int, gpus: int, gpu_milli: int, models: tuple[str, ...], qos: str
) -> dict[str, Any]:
    asked = {"cpu": f"{cpu_milli}m", "memory": f"{memory_mib}Mi"}
    resources: dict[str, Any] = {"requests": asked}
    annotations: dict[str, str] = {}
    if gpus * gpu_milli:
        asked[GPU_MILLI] = str(gpus * gpu_milli)
        # An extended resource is limited to what is requested.
        resources["limits"] = {GPU_MILLI: asked[GPU_MILLI]}
        annotations = {GPU_MILLI: str(gpu_milli), GPU_COUNT: str(gpus)}
        if models:
            annotations[MODEL_LABEL] = "|".join(models)
    labels = {"app": "openb", **({"qos": qos} if qos else {})}
    container = {"name": "main", "image": "openb", "resources": resources}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": labels, **({"annotations": annotations} if annotations else {})},
        "spec": {"containers": [container], **({"affinity": _affinity(models)} if models else {})},
    }


def _affinity(models: tuple[str, ...]) -> dict[str, Any]:
    match = {"key": MODEL_LABEL, "operator": "In", "values": list(models)}
    required = {"nodeSelectorTerms": [{"matchExpressions": [match]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def _rows(
    path: Path, columns: tuple[str, ...]
) -> Iterator[tuple[dict[str, str], Callable[[str], int]]]:
    """Yield the rows of a table, each with a function that reads a whole number of a column."""
    # Read at once: a generator that is left half-way would keep the file open.
    table = io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")
    reader = csv.DictReader(table, restval="")
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise TraceError(f"{path}:1: no column {missing[0]!r}; it has {', '.join(columns)}")
    for row in reader:
        line = reader.line_num

        def number(column: str, row: dict[str, str] = row, line: int = line) -> int:
            text = row[column].strip()
            if not text.isdecimal():
                raise TraceError(f"{path}:{line}: column {column}: {text!r} is not a whole number")
            return int(text)

        if not row[columns[0]]:
            raise TraceError(f"{path}:{line}: column {columns[0]}: every row has a name")
        yield row, number
