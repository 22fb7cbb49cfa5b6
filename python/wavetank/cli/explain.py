"""``wavetank explain``: why a pod is where it is, or nowhere, and what would let it in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from wavetank import Cluster
from wavetank.errors import ApiError
from wavetank.explain import page
from wavetank.printing.query import server_error

from .common import guarded, help_text, print_data
from .objects import ClusterFile, Namespace, fail

_HELP = """Tell why a pod is where it is, or nowhere, and the smallest change that would let it in.

Every filter of the scheduler is asked of every node. Each change was tried on a fork of the
cluster, where the scheduler really bound the pod, before any other pending pod.

[bold]Examples[/bold]

  wavetank explain pod/web-5d4f8-x2x4l --cluster after.wavetank

  wavetank explain deployment/web --cluster dump.yaml -n shop

  wavetank explain new.yaml --cluster after.wavetank

  wavetank explain pod/web-0 --cluster after.wavetank -o json
"""

Pod = Annotated[
    list[str],
    typer.Argument(
        metavar="POD",
        help="pod/NAME, or KIND/NAME of a workload, or a manifest of one that is not there yet.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    command = app.command("explain", help=help_text(_HELP), short_help="Why is a pod pending?")
    command(guarded(explain))


def explain(
    pod: Pod,
    cluster: ClusterFile,
    namespace: Namespace = "default",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FORM", help="table, json or yaml.")
    ] = "table",
    catalogue: Annotated[
        Path | None,
        typer.Option("--catalogue", metavar="FILE", help="A CSV table of machines of your own."),
    ] = None,
) -> None:
    """Explain; see the help text above."""
    if output not in {"table", "json", "yaml"}:
        raise ValueError(f"--output is table, json or yaml, not {output!r}")
    loaded = Cluster.load(cluster)
    try:
        answer = loaded.explain(_one(pod), namespace=namespace, catalogue=catalogue)
    except ApiError as error:
        fail(server_error(error))
    if output != "table":
        print_data(answer.to_dict(), output)
        return
    sys.stdout.write(_painted(page.text(answer)) + "\n")
    sys.stdout.flush()


def _one(words: list[str]) -> str:
    """Return the pod of ``pod/web-0`` or ``pod web-0``."""
    if len(words) == 2 and not any("/" in word for word in words):
        return "/".join(words)
    if len(words) > 1:
        raise ValueError(f"one pod is explained at a time, not {' '.join(words)}")
    return words[0]


def _painted(text: str) -> str:
    """Return the text with bold headings on a terminal."""
    if not sys.stdout.isatty():
        return text
    lines = text.split("\n")
    bold = {0, *(at for at, line in enumerate(lines) if line.startswith(("NODE", "What would")))}
    return "\n".join(
        typer.style(line, bold=True) if at in bold else line for at, line in enumerate(lines)
    )
