"""The cluster a command looks at: a saved one, or manifests and nodes brought to rest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wavetank import Cluster

from .common import WARNINGS, say_all

Saved = Annotated[
    Path | None,
    typer.Option(
        "--cluster",
        metavar="FILE",
        envvar="WAVETANK_CLUSTER",
        help="A cluster saved by [bold]wavetank run --save[/bold], or a kubectl dump.",
        show_default=False,
    ),
]
Pools = Annotated[
    list[str] | None,
    typer.Option(
        "--nodes",
        metavar="POOL",
        help="More nodes, as [bold]wavetank plan[/bold] takes them: 12xm5.large or 4x2cpu,4Gi.",
    ),
]


def settled_cluster(
    paths: list[str],
    nodes: list[str],
    cluster: Path | None,
    namespace: str | None,
    catalogue: Path | None = None,
) -> Cluster:
    """Return the cluster to look at, at rest if anything was added to it."""
    if cluster is None and not paths and not nodes:
        raise ValueError("nowhere to look: give --cluster, or manifests and --nodes")
    if cluster is not None and not paths and not nodes:
        return Cluster.load(cluster)
    from wavetank.plan import build  # noqa: PLC0415 - only where it is needed
    from wavetank.plan.settle import settle  # noqa: PLC0415

    inputs = build(paths, nodes=nodes, cluster=cluster, catalogue=catalogue, namespace=namespace)
    say_all("Warning", inputs.warnings, "yellow", WARNINGS)
    say_all("error", inputs.refused, "red")
    return settle(inputs.cluster).cluster
