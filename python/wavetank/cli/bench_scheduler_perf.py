"""``wavetank bench scheduler-perf``: the benchmark files of Kubernetes' own scheduler."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from wavetank import clock
from wavetank.bench.report import FAILED, RAN, SKIPPED, Result, Results
from wavetank.bench.run import Options
from wavetank.bench.runner import CYCLE, TIE_BREAK, check, runs
from wavetank.bench.workloads import Workload, read, select
from wavetank.progress import Meter

from .common import INTERRUPTED, NO, console, guarded, help_text, print_data, say, show

if TYPE_CHECKING:
    from collections.abc import Sequence

_HELP = """Run scheduler_perf, the benchmark of Kubernetes' own scheduler, as its files say.

PATH is a performance-config.yaml, or a folder with such files in it or below (in Kubernetes:
test/integration/scheduler_perf). A cluster of API server and scheduler is simulated; as in the real
test no kubelet runs the pods that are bound.

[bold]What is counted[/bold]

DECIDING is the wall time of every scheduling cycle between the beginning and the end of the
measurement that the file asks for: from taking a pod from the queue to having written its binding
or its refusal, cycles of churned and rejected pods included. Not counted: making objects, and
taking in what was written (-o json has both). PODS are the measured pods that were bound, PODS/S
is pods per second of DECIDING, P50 and P99 are of one cycle. MEMORY is the most this process had
while the workload ran, interpreter included.

MIN is the file's threshold: the least pods a second of the real scheduler, with a real API server,
in Kubernetes' continuous integration. The real test counts what informers see in samples of one
second; here nothing takes any time but scheduling cycles, so such samples would mean nothing.

Virtual time passes by --cycle from one scheduling cycle to the next, so that churn and deletions,
which happen so many times a second, meet as many cycles as they would there. Feature gates are
ignored. Workloads of dynamic resource allocation are skipped.

[bold]Examples[/bold]

  wavetank bench scheduler-perf scheduler_perf/ --label performance

  wavetank bench scheduler-perf scheduler_perf/affinity --filter NSSelector -o json

  wavetank bench scheduler-perf scheduler_perf/ --filter 'SchedulingBasic/5000Nodes_*'
"""


def register(group: typer.Typer) -> None:
    """Add the command to the group."""
    group.command(
        "scheduler-perf", help=help_text(_HELP), short_help="Kubernetes' scheduler benchmark."
    )(guarded(scheduler_perf))


def scheduler_perf(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A benchmark file or a folder.")],
    name: Annotated[
        str | None,
        typer.Option(
            "--filter",
            metavar="NAME",
            help="Workloads with this in TestCase/workload; with * a pattern for all of it.",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="LABELS",
            help="Workloads with these labels: performance, or performance,-short.",
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FORM", help="table, json or yaml.")
    ] = "table",
    cycle: Annotated[
        str,
        typer.Option(
            "--cycle", metavar="DURATION", help="Virtual time from one cycle to the next."
        ),
    ] = CYCLE,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", min=0, max=2**64 - 1, metavar="NUMBER", help="What names derive from."
        ),
    ] = 0,
    tie_break: Annotated[
        str,
        typer.Option(
            "--tie-break",
            metavar="MODE",
            help="How one of several best nodes is chosen: seeded; oracle, as the real scheduler "
            "does with one worker; or first-by-name.",
        ),
    ] = TIE_BREAK,
    listing: Annotated[
        bool, typer.Option("--list", help="Name the workloads instead of running them.")
    ] = False,
) -> None:
    """Run the benchmark; see the help text above."""
    if output not in {"table", "json", "yaml"}:
        raise ValueError(f"--output is table, json or yaml, not {output!r}")
    options = Options(clock.duration_ns(cycle), seed, tie_break)
    chosen = select(read(path), name, label)
    if listing:
        check(chosen)
        _print_list(chosen, output)
        return
    results, interrupted = _run(chosen, options)
    if output == "table":
        print_results(results)
    else:
        print_data({**results.to_dict(), "interrupted": interrupted}, output)
    if interrupted:
        done = len({row.workload for row in results})
        say(f"interrupted after {done} of {len(chosen)} workloads")
        raise typer.Exit(INTERRUPTED)
    if any(row.status == FAILED for row in results):
        raise typer.Exit(NO)


def _run(chosen: Sequence[Workload], options: Options) -> tuple[Results, bool]:
    """Run workloads with a bar; return what is done when Ctrl-C comes."""
    results = Results()
    with Meter(len(chosen)) as meter:
        try:
            rounds = runs(chosen, options, progress=meter.inside, notes=results)
            for at, workload in enumerate(chosen):
                meter.begin(at, workload.full_name)
                results.extend(next(rounds))
        except KeyboardInterrupt:
            return results, True
    return results, False


def print_results(results: Results) -> None:
    """Print the table, what was skipped and failed, and the notes."""
    out = console()
    rows = [row for row in results if row.status == RAN]
    if rows:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("WORKLOAD", overflow="fold", min_width=8)
        for heading in _HEADINGS:
            table.add_column(heading, justify="right", no_wrap=True)
        for row in rows:
            table.add_row(row.workload, *_cells(row))
        show(out, table)
    for status in (FAILED, SKIPPED):
        _print_absent(results, status)
    if any(not row.memory_is_own for row in rows):
        results.note("this system keeps the peak of memory: it is that of all workloads so far")
    for note in results.notes:
        typer.echo(f"note: {note}")


def _print_absent(results: Results, status: str) -> None:
    rows = [row for row in results if row.status == status]
    if not rows:
        return
    typer.echo(f"\n{status}: {len(rows)} workload{'s' if len(rows) > 1 else ''}")
    width = max(len(row.workload) for row in rows)
    for row in rows:
        typer.echo(f"  {row.workload:<{width}}  {row.reason}")


_HEADINGS = ("PODS", "DECIDING", "PODS/S", "P50", "P99", "MEMORY", "MIN", "RATIO")


def _cells(row: Result) -> list[str]:
    memory = row.peak_memory_bytes
    return [
        f"{row.pods:,}",
        f"{row.deciding_s:.3f} s",
        _number(row.pods_per_second),
        _micros(row.p50_us),
        _micros(row.p99_us),
        "-" if memory is None else f"{memory / 2**20:,.0f} MiB",
        _number(row.threshold),
        "-" if row.ratio is None else f"{row.ratio:,.0f}x",
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _micros(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} us"


def _print_list(chosen: Sequence[Workload], output: str) -> None:
    if output != "table":
        print_data([_described(workload) for workload in chosen], output)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("TOPIC", "WORKLOAD", "LABELS", "MIN", "SKIPPED"):
        is_number = heading == "MIN"
        justify: Literal["left", "right"] = "right" if is_number else "left"
        table.add_column(heading, overflow="fold", no_wrap=is_number, justify=justify)
    for workload in chosen:
        table.add_row(
            workload.topic,
            workload.full_name,
            ",".join(workload.labels) or "-",
            _number(workload.threshold),
            workload.reason_to_skip() or "",
        )
    show(console(), table)


def _described(workload: Workload) -> dict[str, Any]:
    kept = {"topic", "threshold", "feature_gates"}
    plain = {
        field.name: getattr(workload, field.name)
        for field in dataclasses.fields(workload)
        if field.name in kept
    }
    return {
        "workload": workload.full_name,
        "file": str(workload.path),
        "labels": list(workload.labels),
        **plain,
        "skipped": workload.reason_to_skip(),
    }
