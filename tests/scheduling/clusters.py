"""Clusters and one policy in every tier, for the tests of scheduling plugins."""

from __future__ import annotations

from typing import Any

import numpy as np
import wavetank as wt
from wavetank.scheduling import Batch, Expression, PerNode

#: Score: what is left of a node's cpu once the pod is there, in percent and whole.
SCORE = (
    "100 * max(0, node.allocatable.cpu_milli - node.requested.cpu_milli - pod.request.cpu_milli)"
    " // node.allocatable.cpu_milli"
)
#: Filter: golden nodes for everybody, others for important pods, and at most 6 pods each.
FILTER = "(node.labels['tier'] == 'gold' or pod.priority > 10) and node.pods < 6"
WHY = "node(s) not golden or full"


def filter_columns(pod: Any, nodes: Any) -> Any:
    return ((nodes.label("tier") == "gold") | (pod.priority > 10)) & (nodes.requested_pods < 6)


def score_columns(pod: Any, nodes: Any) -> Any:
    left = nodes.allocatable_cpu_milli - nodes.requested_cpu_milli - pod.cpu_milli
    return 100 * np.maximum(left, 0) // nodes.allocatable_cpu_milli


def filter_node(pod: Any, node: Any) -> bool:
    return (node.labels.get("tier") == "gold" or pod.priority > 10) and node.requested_pods < 6


def score_node(pod: Any, node: Any) -> int:
    left = node.allocatable_cpu_milli - node.requested_cpu_milli - pod.cpu_milli
    return 100 * max(left, 0) // node.allocatable_cpu_milli


def tiers(**options: Any) -> dict[str, Any]:
    """Return the policy in every tier."""
    options = {"reason": WHY, **options}
    return {
        "expression": Expression("Golden", filter=FILTER, score=SCORE, **options),
        "batch": Batch("Golden", filter=filter_columns, score=score_columns, **options),
        "per node": PerNode("Golden", filter=filter_node, score=score_node, **options),
    }


def pod(name: str, cpu_milli: int = 100, **spec: Any) -> dict[str, Any]:
    requests = {"cpu": f"{cpu_milli}m", "memory": "64Mi"}
    container = {"name": "main", "image": "web:1", "resources": {"requests": requests}}
    metadata = {"name": name, "namespace": "default", **spec.pop("metadata", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container], **spec},
    }


def priority_class(cluster: wt.Cluster, value: int = 100) -> None:
    cluster.create(
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "high"},
            "value": value,
        }
    )


def configuration(*profiles: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "profiles": list(profiles),
        **fields,
    }


def placed(cluster: wt.Cluster) -> dict[str, str]:
    """Return the node of every pod; an empty one for none."""
    names, nodes = cluster.pods["name"], cluster.pods["node"]
    return {str(name): str(node or "") for name, node in zip(names, nodes, strict=True)}


def message(cluster: wt.Cluster, name: str) -> str:
    status = cluster.get("pods", name).status
    [condition] = [c for c in status["conditions"] if c["type"] == "PodScheduled"]
    return condition.get("message", "")
