"""What ``dig`` and ``dns`` share: the cluster whose names are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wavetank import Cluster

from .common import WARNINGS, say_all

Nodes = Annotated[
    list[str] | None,
    typer.Option(
        "--nodes",
        metavar="POOL",
        help="Nodes, as [bold]wavetank plan[/bold] takes them: 12xm5.large or 4x2cpu,4Gi.",
    ),
]
Zones = Annotated[
    list[Path] | None,
    typer.Option(
        "--zones",
        metavar="PATH",
        envvar="WAVETANK_ZONES",
        help="The world outside: zone files, or a folder of them. May be given again.",
        show_default=False,
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", metavar="NAME", help="Where objects go that name none."),
]


def named_cluster(
    paths: list[str],
    nodes: list[str] | None,
    saved: Path | None,
    zones: list[Path] | None,
    namespace: str | None,
) -> Cluster:
    """Return the cluster of a command, at rest if anything was added to it."""
    if saved is not None and not paths and not nodes:
        cluster = Cluster.load(saved)
    elif paths or nodes or saved:
        from wavetank.plan import build  # noqa: PLC0415 - only where it is needed
        from wavetank.plan.settle import settle  # noqa: PLC0415

        inputs = build(paths, nodes=nodes or [], cluster=saved, namespace=namespace)
        say_all("Warning", inputs.warnings, "yellow", WARNINGS)
        say_all("error", inputs.refused, "red")
        cluster = settle(inputs.cluster).cluster
    else:
        cluster = Cluster()
    if zones:
        cluster.set_dns(zones=zones)
    return cluster


def is_path(word: str) -> bool:
    """Whether a word means manifests rather than a name."""
    return word == "-" or Path(word).suffix in {".yaml", ".yml", ".json"} or Path(word).exists()
