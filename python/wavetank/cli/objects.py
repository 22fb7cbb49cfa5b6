"""What ``get`` and ``describe`` share: where the cluster comes from, and what is asked for."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from wavetank.errors import ApiError
from wavetank.printing import query

from .common import NO, say

if TYPE_CHECKING:
    from wavetank import Cluster
    from wavetank.printing.query import Answer, Query

Arguments = Annotated[
    list[str],
    typer.Argument(
        metavar="KIND [NAME]...",
        help="A kind in kubectl's words (pods, deploy, svc,ep, all) and names, or KIND/NAME.",
        show_default=False,
    ),
]
ClusterFile = Annotated[
    Path,
    typer.Option(
        "--cluster",
        metavar="FILE",
        envvar="WAVETANK_CLUSTER",
        help="A cluster saved by [bold]wavetank run --save[/bold], or a kubectl dump.",
        show_default=False,
    ),
]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Where to look.")]
AllNamespaces = Annotated[bool, typer.Option("--all-namespaces", "-A", help="Look everywhere.")]
Labels = Annotated[
    str | None,
    typer.Option(
        "--selector", "-l", metavar="LABELS", help="Only objects with labels: app=web,tier!=db."
    ),
]


def look(cluster: Cluster, asked: Query) -> Answer:
    """Answer a query; what the API server refuses ends the command as it ends kubectl."""
    # The process ends when all is printed; until then nothing of this is garbage.
    gc.disable()
    try:
        return query.answer(cluster, asked)
    except ApiError as error:
        fail(query.server_error(error))


def fail(*sentences: str) -> NoReturn:
    """Say what was not found and end."""
    for sentence in sentences:
        say(sentence, "red")
    raise typer.Exit(NO)


def say_nothing_found(namespace: str | None, *, namespaced: bool) -> None:
    """Say that there is nothing of what was asked for."""
    place = f" in {namespace} namespace." if namespace and namespaced else ""
    say(f"No resources found{place}")
