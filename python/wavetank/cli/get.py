"""``wavetank get``: objects of a saved cluster, as ``kubectl get`` prints them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from wavetank import Cluster
from wavetank.printing import output
from wavetank.printing.query import Query
from wavetank.printing.table import Options

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
from .paint import paint

_HELP = """Print objects of a cluster as kubectl get does.

The cluster is a file: what [bold]wavetank run --save[/bold] wrote, or a dump of a real one.
Ages count up to the virtual time the cluster stands at, or to the latest time of the dump.

[bold]Examples[/bold]

  wavetank get pods --cluster after.wavetank -A -o wide

  wavetank get deploy,rs,svc --cluster after.wavetank -n shop

  wavetank get pods --cluster after.wavetank -l app=web --show-labels

  wavetank get pods --cluster dump.yaml --field-selector status.phase=Pending

  wavetank get node/m5-large-0 --cluster after.wavetank -o yaml
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("get", help=_HELP, short_help="Print objects as kubectl get does.")(guarded(get))


def get(
    arguments: Arguments,
    cluster: ClusterFile,
    namespace: Namespace = "default",
    all_namespaces: AllNamespaces = False,
    selector: Labels = None,
    field_selector: Annotated[
        str | None,
        typer.Option(metavar="FIELDS", help="Only objects with fields: status.phase=Pending."),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FORM",
            help="wide, yaml, json, name, jsonpath=TEMPLATE or custom-columns=SPEC.",
        ),
    ] = "",
    show_labels: Annotated[
        bool, typer.Option("--show-labels", help="A column with all labels.")
    ] = False,
    label_columns: Annotated[
        list[str] | None,
        typer.Option("--label-columns", "-L", metavar="LABEL", help="A column for this label."),
    ] = None,
    show_kind: Annotated[
        bool, typer.Option("--show-kind", help="The kind before each name.")
    ] = False,
    sort_by: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Sort by a field: .metadata.creationTimestamp."),
    ] = None,
    no_headers: Annotated[bool, typer.Option("--no-headers", help="Leave headings out.")] = False,
) -> None:
    """Print; see the help text above."""
    output.check(form)
    if show_labels and form not in ("", "wide"):
        raise ValueError(f"--show-labels option cannot be used with {form} printer")
    loaded = Cluster.load(cluster)
    place = None if all_namespaces else namespace
    answer = look(loaded, Query(tuple(arguments), place, selector, field_selector))
    if sort_by:
        for group in answer.groups:
            output.sort_items(group.items, sort_by)
    options = Options(
        wide=form == "wide",
        namespaces=all_namespaces,
        kinds=show_kind or len(answer.groups) > 1 or _several(arguments),
        show_labels=show_labels,
        label_columns=tuple(word for words in label_columns or () for word in words.split(",")),
        headings=not no_headers,
    )
    single = len(arguments) == (1 if "/" in arguments[0] else 2)
    text = ""
    if answer.items or not answer.errors:
        text = output.printed(answer, form, loaded.now_ns, options, single=single)
    is_table = form in ("", "wide")
    sys.stdout.write(paint(text) if is_table and sys.stdout.isatty() else text)
    sys.stdout.flush()
    if answer.errors:
        fail(*answer.errors)
    if is_table and not answer.items:
        namespaced = any(group.kind.namespaced for group in answer.groups)
        say_nothing_found(place, namespaced=namespaced)


def _several(arguments: list[str]) -> bool:
    """Whether arguments name more than one kind, whatever there is of them."""
    kinds = {word.split("/")[0] for word in arguments if "/" in word}
    return len(kinds) > 1 or "," in arguments[0] or arguments[0] == "all"
