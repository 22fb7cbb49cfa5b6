"""Clusters that several benches measure."""

from __future__ import annotations

from typing import Any

import numpy as np
import wavetank as wt


def pod(name: str = "web", cpu: str = "100m", **more: Any) -> dict[str, Any]:
    """Return a pod of a usual size."""
    requests = {"cpu": cpu, "memory": "128Mi"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": f"{name}-", "labels": {"app": name}},
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": f"registry.example/{name}:1",
                    "ports": [{"name": "http", "containerPort": 8080}],
                    "resources": {"requests": requests},
                }
            ],
            **more,
        },
    }


def deployment(name: str, replicas: int, cpu: str = "100m") -> dict[str, Any]:
    """Return a Deployment of such pods."""
    model = pod(name, cpu)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": model["spec"]},
        },
    }


def running(pods: int, nodes: int) -> wt.Cluster:
    """Return a cluster whose pods run, spread evenly over its nodes."""
    cluster = wt.Cluster(events="none")
    names = cluster.add_nodes(cpu="64", memory="256Gi", pods=500, count=nodes, zones=3)
    shares = np.array_split(np.arange(pods), nodes)
    for number, (node, share) in enumerate(zip(names, shares, strict=True)):
        template = pod(f"app-{number % 50}", nodeName=node)
        cluster.create_many(template, len(share), prefix=f"web-{number}-")
    cluster.run(until=0)
    return cluster
