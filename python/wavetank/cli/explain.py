"""``wavetank explain``: why a pod is where it is, or nowhere, and what would let it in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wavetank.errors import ApiError, NotFoundError
from wavetank.explain import page
from wavetank.printing.query import server_error

from .common import guarded, help_text, print_data
from .objects import fail
from .plan import CatalogueFile
from .settled import Saved, settled_cluster

if TYPE_CHECKING:
    from wavetank import Cluster

_HELP = """Tell why a pod is where it is, or nowhere, and the smallest change that would let it in.

Every filter of the scheduler is asked of every node. Each change was tried on a fork of the
cluster, where the scheduler really bound the pod, before any other pending pod. With manifests or
nodes the cluster is brought to rest first, as [bold]wavetank plan[/bold] does.

[bold]Examples[/bold]

  wavetank explain pod/web-5d4f8-x2x4l --cluster after.wavetank

  wavetank explain deployment/web --cluster dump.yaml -n shop

  wavetank explain new.yaml --cluster after.wavetank

  wavetank explain deployment/search -n shop examples/shop --nodes 3xm5.large,zones=3
"""
_NODES = "More nodes, as [bold]wavetank plan[/bold] takes them: 12xm5.large or 4x2cpu,4Gi."

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="POD [PATH]...",
        help="pod/NAME, or KIND/NAME of a workload, or a manifest of one that is not there yet; "
        "then manifests to apply first.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    command = app.command("explain", help=help_text(_HELP), short_help="Why is a pod pending?")
    command(guarded(explain))


def explain(
    words: Words,
    cluster: Saved = None,
    nodes: Annotated[list[str] | None, typer.Option("--nodes", metavar="POOL", help=_NODES)] = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace",
            "-n",
            metavar="NAME",
            help="The namespace of the pod, and of objects that name none.",
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FORM", help="table, json or yaml.")
    ] = "table",
    node: Annotated[
        str | None,
        typer.Option("--node", metavar="NAME", help="Only why not on this node, with figures."),
    ] = None,
    every_node: Annotated[
        bool, typer.Option("--every-node", help="Also each node with every reason.")
    ] = False,
    catalogue: CatalogueFile = None,
) -> None:
    """Explain; see the help text above."""
    if output not in {"table", "json", "yaml"}:
        raise ValueError(f"--output is table, json or yaml, not {output!r}")
    pod, paths = _asked(words)
    if cluster is None and not paths and not nodes:
        raise ValueError("nowhere to look: give --cluster, or manifests and --nodes")
    loaded = settled_cluster(paths, nodes or [], cluster, namespace, catalogue)
    try:
        answer = loaded.explain(pod, namespace=namespace, catalogue=catalogue)
    except NotFoundError as error:
        fail(server_error(error), *_elsewhere(loaded, pod, namespace))
    except ApiError as error:
        fail(server_error(error))
    try:
        reasons = [] if node is None else answer.on(node)
    except ApiError as error:
        fail(server_error(error))
    if output != "table":
        print_data(answer.to_dict(), output)
        return
    if node is not None:
        sys.stdout.write(
            "\n".join(reasons or [f"nothing keeps pod/{answer.pod} off {node}"]) + "\n"
        )
        return
    text = _painted(page.text(answer))
    if every_node:
        text += "\n\n" + page.every_node(answer)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _elsewhere(cluster: Cluster, pod: str, namespace: str | None) -> list[str]:
    """Return a sentence that names the namespaces with something of that kind and name."""
    kind, _, name = pod.rpartition("/")
    if namespace is not None or Path(pod).exists():
        return []
    found = cluster.get(kind or "pods", field_selector=f"metadata.name={name}")
    places = sorted({item["metadata"].get("namespace", "") for item in found})
    return [f"there is one in namespace {place}: add -n {place}" for place in places if place]


def _asked(words: list[str]) -> tuple[str, list[str]]:
    """Return the pod of ``pod/web-0`` or ``pod web-0``, and the manifests after it."""
    pod, *rest = words
    if rest and "/" not in pod and not Path(pod).exists() and not Path(rest[0]).exists():
        return f"{pod}/{rest[0]}", rest[1:]
    missing = [path for path in rest if path != "-" and not Path(path).exists()]
    if missing:
        raise ValueError(f"one pod is explained at a time; there is no manifest {missing[0]}")
    if Path(pod).suffix in {".yaml", ".yml", ".json"} and not Path(pod).exists():
        raise ValueError(f'the path "{pod}" does not exist')
    return pod, rest


def _painted(text: str) -> str:
    """Return the text with bold headings on a terminal."""
    if not sys.stdout.isatty():
        return text
    lines = text.split("\n")
    bold = {0, *(at for at, line in enumerate(lines) if line.startswith(("NODE", "What would")))}
    return "\n".join(
        typer.style(line, bold=True) if at in bold else line for at, line in enumerate(lines)
    )
