"""``wavetank plan``: does it fit, what stays pending and why, and how many more fit."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from wavetank import plan as planning
from wavetank.plan.candidates import of_cluster

from .common import BAD_INPUT, NO, WARNINGS, guarded, help_text, print_data, say_all

_HELP = """Tell whether workloads fit on nodes, what stays pending and why, and how many more fit.

The manifests are applied to a cluster that exists only in memory, and the decisions of the
Kubernetes scheduler are made for every pod. Exit code: 0 when everything fits, 1 when something
does not, 2 when an input is wrong.

[bold]Examples[/bold]

  wavetank plan examples/shop --nodes 3xm5.large,zones=3

  wavetank plan web.yaml db.yaml --nodes 4x2cpu,4Gi --nodes 1xg5.xlarge

  kubectl get -A -o yaml nodes,pods,deploy,rs > dump.yaml

  wavetank plan --cluster dump.yaml new.yaml

  helm template ./chart | wavetank plan - --nodes 3xe2-standard-4 -o json
"""
_NODES = """Nodes: so many of a machine, or of cores and memory: 12xm5.large or 4x2cpu,4Gi. After
commas zones=3, zones=a|b, pods=50, label=k=v, taint=k=v:NoSchedule. A file with Node manifests
will do too. Repeat for more pools."""
#: Workloads whose headroom is tried unless all are asked for.
_TRIED = 100
#: Workloads of a table unless all are asked for.
_SHOWN = 40

Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATH]...", help="Manifests: files, folders, or - for standard input."),
]
Nodes = Annotated[list[str] | None, typer.Option("--nodes", metavar="POOL", help=_NODES)]
ClusterFile = Annotated[
    Path | None,
    typer.Option("--cluster", metavar="FILE", help="Start from a saved cluster or a kubectl dump."),
]
CatalogueFile = Annotated[
    Path | None,
    typer.Option("--catalogue", metavar="FILE", help="A CSV table of machines of your own."),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace", "-n", metavar="NAME", help="The namespace of objects that name none."
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed",
        min=0,
        max=2**64 - 1,
        metavar="NUMBER",
        help="What random names derive from; a saved cluster has its own.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse unknown and duplicate fields.")]
Recursive = Annotated[bool, typer.Option("--recursive", "-R", help="Read folders in folders.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("plan", help=help_text(_HELP), short_help="Does it fit, and how many more?")(
        guarded(plan)
    )


def plan(
    paths: Paths = None,
    nodes: Nodes = None,
    cluster: ClusterFile = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FORM", help="table, json or yaml.")
    ] = "table",
    catalogue: CatalogueFile = None,
    namespace: Namespace = None,
    headroom: Annotated[bool, typer.Option(help="Try how many more of each workload fit.")] = True,
    everything: Annotated[
        bool, typer.Option("--all", help="Every workload and node, however many there are.")
    ] = False,
    seed: Seed = 0,
    strict: Strict = False,
    recursive: Recursive = False,
) -> None:
    """Plan; see the help text above."""
    if output not in {"table", "json", "yaml"}:
        raise ValueError(f"--output is table, json or yaml, not {output!r}")
    if not paths and cluster is None:
        raise ValueError("nothing to plan: give manifests, or --cluster")
    inputs = planning.build(
        paths or [],
        nodes=nodes or [],
        cluster=cluster,
        catalogue=catalogue,
        namespace=namespace,
        seed=seed,
        strict=strict,
        recursive=recursive,
    )
    say_all("Warning", inputs.warnings, "yellow", None if everything else WARNINGS)
    say_all("error", inputs.refused, "red")
    answer = planning.fit(inputs.cluster, catalogue=catalogue)
    answer.notes[:0] = inputs.notes
    more = _headroom(answer, everything) if headroom else planning.Rows()
    if output == "table":
        answer.notes.extend(_pointer(answer, paths or [], nodes or [], cluster, catalogue))
        from .plan_tables import print_plan  # noqa: PLC0415 - only where it is needed

        print_plan(answer, more, len(inputs.refused), None if everything else _SHOWN)
    else:
        print_data(_data(answer, more, inputs), output)
    if inputs.refused:
        raise typer.Exit(BAD_INPUT)
    if not answer.fits:
        raise typer.Exit(NO)


def _pointer(
    answer: planning.Fit,
    paths: list[str],
    nodes: list[str],
    cluster: Path | None,
    catalogue: Path | None,
) -> list[str]:
    """Return which command says what would let pending pods in, if it can be asked again."""
    pending = [item for item in answer.workloads if item.placed < item.pods]
    if not pending or "-" in paths:
        return []
    first = pending[0]
    words = ["wavetank", "explain", str(first.ref), "-n", first.namespace, *paths]
    words += [word for pool in nodes for word in ("--nodes", pool)]
    words += [] if cluster is None else ["--cluster", str(cluster)]
    words += [] if catalogue is None else ["--catalogue", str(catalogue)]
    return [f"{shlex.join(words)} says what would let it in"]


def _headroom(answer: planning.Fit, everything: bool) -> planning.Rows[planning.Headroom]:
    candidates = of_cluster(answer.cluster)
    tried = candidates if everything else candidates[:_TRIED]
    if len(tried) < len(candidates):
        answer.notes.append(
            f"tried how many more fit for {len(tried)} of {len(candidates):,} workloads; "
            "--all tries every one"
        )
    return planning.headroom_of(answer, tried)


def _data(
    answer: planning.Fit, more: planning.Rows[planning.Headroom], inputs: planning.Inputs
) -> dict[str, Any]:
    told = {"refused": inputs.refused, "warnings": inputs.warnings}
    return {**answer.to_dict(), "headroom": more.to_dicts(), **told}
