"""``wavetank bench openb``: a published comparison of policies for shared GPUs, run again."""

from __future__ import annotations

import csv
import math
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from wavetank.bench import openb
from wavetank.progress import Meter

from .common import INTERRUPTED, console, guarded, help_text, print_data, say, show

if TYPE_CHECKING:
    from collections.abc import Sequence

_HELP = """Offer a production trace to a cluster with shared GPUs, policy by policy.

DIR holds the tables of openb: openb_node_list_gpu_node.csv, openb_pod_list_NAME.csv, and
expected_allocation_NAME.csv where there are published figures (alibaba/clusterdata,
cluster-trace-gpu-v2023, and the artifacts of "Beware of Fragmentation", USENIX ATC 2023).

[bold]What is counted[/bold]

The pods of a list are shuffled and then repeated, or thinned out, until they ask for 130% of all
GPUs. They are offered one at a time, stay where they are put, and are dropped when no machine has
room. MEAN is how much of the GPUs is given away when pods that ask for 100% of them have arrived:
the mean over seeds, SPREAD its standard deviation. PUBLISHED is the mean the authors found,
DIFFERENCE ours less theirs, in points. Random numbers are our own, so single runs differ.

-o csv and -o json have the whole curve of each run: what is given away, by the per cent that has
arrived.

[bold]Examples[/bold]

  wavetank bench openb openb/ --list default --policy all --seeds 10

  wavetank bench openb openb/ --list gpuspec33,multigpu50 --policy FGD,BestFit

  wavetank bench openb openb/ --list all -o csv > curves.csv
"""
_FORMS = ("table", "json", "yaml", "csv")


def register(group: typer.Typer) -> None:
    """Add the command to the group."""
    group.command("openb", help=help_text(_HELP), short_help="Policies for shared GPUs.")(
        guarded(bench_openb)
    )


def bench_openb(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="The folder with the tables.")],
    lists: Annotated[
        str, typer.Option("--list", metavar="NAMES", help="Lists of pods, after commas, or all.")
    ] = "default",
    policies: Annotated[
        str, typer.Option("--policy", metavar="NAMES", help="Policies, after commas, or all.")
    ] = "all",
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=10_000, metavar="NUMBER", help="Runs of each.")
    ] = 10,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            max=1_024,
            metavar="NUMBER",
            help="Runs side by side; as many as there are processors unless given.",
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FORM", help="table, json, yaml or csv.")
    ] = "table",
) -> None:
    """Run the benchmark; see the help text above."""
    if output not in _FORMS:
        raise ValueError(f"--output is table, json, yaml or csv, not {output!r}")
    trace = openb.Trace(folder)
    jobs = [
        openb.Job(pods, policy, openb.FIRST_SEED + number)
        for pods in openb.select(lists, trace.lists, "list")
        for policy in openb.select(policies, openb.POLICIES, "policy")
        for number in range(seeds)
    ]
    runs, interrupted = _run(trace, jobs, workers)
    rows = openb.summary(trace, runs)
    if output == "table":
        _print_table(trace, rows, runs)
    elif output == "csv":
        _print_curves(runs)
    else:
        print_data(_data(rows, runs, interrupted), output)
    if interrupted:
        say(f"interrupted after {len(runs):,} of {len(jobs):,} runs")
        raise typer.Exit(INTERRUPTED)


def _run(
    trace: openb.Trace, jobs: Sequence[openb.Job], workers: int | None
) -> tuple[list[openb.Run], bool]:
    """Make the runs with a bar; return what is done when Ctrl-C comes, in the order of the jobs."""
    runs: list[openb.Run] = []
    interrupted = False
    with Meter(len(jobs)) as meter:
        try:
            for run in openb.run_all(trace, jobs, workers):
                runs.append(run)
                meter.begin(len(runs) - 1, f"{run.job.pods} {run.job.policy}")
        except KeyboardInterrupt:
            interrupted = True
    order = {job: at for at, job in enumerate(jobs)}
    return sorted(runs, key=lambda run: order[run.job]), interrupted


def _print_table(trace: openb.Trace, rows: Sequence[openb.Row], runs: Sequence[openb.Run]) -> None:
    if not rows:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for heading in ("LIST", "POLICY"):
        table.add_column(heading, no_wrap=True)
    for heading in ("RUNS", "MEAN", "SPREAD", "PUBLISHED", "DIFFERENCE"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.pods,
            row.policy,
            f"{row.runs}",
            _number(row.mean, ".2f", "%"),
            _number(row.spread, ".2f"),
            _number(row.published, ".2f", "%"),
            _number(row.difference, "+.2f"),
        )
    show(console(), table)
    offered = sum(run.offered for run in runs) / len(runs)
    typer.echo(
        f"\n{len(runs):,} run{'s' if len(runs) > 1 else ''} of about {offered:,.0f} pods on "
        f"{len(trace.nodes):,} machines with {trace.gpu_milli // 1000:,} GPUs"
    )


def _print_curves(runs: Sequence[openb.Run]) -> None:
    """Print a row per run, with what is given away by the per cent that has arrived."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["list", "policy", "seed", "offered", "placed", *openb.COLUMNS])
    for run in runs:
        curve = ["" if value is None else value for value in _curve(run)]
        job = run.job
        out.writerow([job.pods, job.policy, job.seed, run.offered, run.placed, *curve])


def _data(
    rows: Sequence[openb.Row], runs: Sequence[openb.Run], interrupted: bool
) -> dict[str, Any]:
    return {
        "policies": [
            {
                "list": row.pods,
                "policy": row.policy,
                "runs": row.runs,
                "mean": _rounded(row.mean),
                "spread": _rounded(row.spread),
                "published": _rounded(row.published),
                "difference": _rounded(row.difference),
            }
            for row in rows
        ],
        "runs": [
            {
                "list": run.job.pods,
                "policy": run.job.policy,
                "seed": run.job.seed,
                "offered": run.offered,
                "placed": run.placed,
                "allocation": _curve(run),
            }
            for run in runs
        ],
        "interrupted": interrupted,
    }


def _curve(run: openb.Run) -> list[float | None]:
    return [None if math.isnan(value) else value for value in run.allocation.tolist()]


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "-" if value is None else f"{value:{form}}{unit}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
