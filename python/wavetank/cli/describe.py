"""``wavetank describe``: pages about objects of a saved cluster, as kubectl prints them."""

from __future__ import annotations

import sys

import typer

from wavetank import Cluster
from wavetank.printing import query
from wavetank.printing.describe import describe as page
from wavetank.printing.query import Answer, Query

from .common import guarded
from .objects import (
    AllNamespaces,
    Arguments,
    ClusterFile,
    Labels,
    Namespace,
    fail,
    look,
    say_nothing_found,
)

_HELP = """Print everything about objects of a cluster, as kubectl describe does.

A name may be the beginning of a name: all objects that begin with it are described.

[bold]Examples[/bold]

  wavetank describe pod web-5d4f8 --cluster after.wavetank

  wavetank describe nodes --cluster after.wavetank

  wavetank describe deploy/web svc/web --cluster after.wavetank -n shop
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    command = app.command("describe", help=_HELP, short_help="Print everything about objects.")
    command(guarded(describe))


def describe(
    arguments: Arguments,
    cluster: ClusterFile,
    namespace: Namespace = "default",
    all_namespaces: AllNamespaces = False,
    selector: Labels = None,
) -> None:
    """Print; see the help text above."""
    loaded = Cluster.load(cluster)
    place = None if all_namespaces else namespace
    asked = Query(tuple(arguments), place, selector)
    answer = look(loaded, asked)
    if answer.errors:
        answer = _begun(loaded, asked, answer)
    pages = [page(loaded, group.kind, item) for group in answer.groups for item in group.items]
    sys.stdout.write("\n\n".join(pages))
    sys.stdout.flush()
    if answer.errors:
        fail(*answer.errors)
    if not answer.items:
        namespaced = any(group.kind.namespaced for group in answer.groups)
        say_nothing_found(place, namespaced=namespaced)


def _begun(cluster: Cluster, asked: Query, answer: Answer) -> Answer:
    """Return the objects that begin with the name asked for, when a single one is missing."""
    if len(asked.arguments) > 2 or answer.items:
        return answer
    found = query.beginning_with(cluster, asked)
    return found if found.items else answer
