"""Kubernetes' scheduler benchmarks, run as their files say."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wavetank import clock
from wavetank.errors import WavetankError

from . import memory
from .errors import WorkloadError
from .report import FAILED, SKIPPED, Result, Results, absent, of_window
from .run import TIE_BREAKS, Options, Progress, Run
from .workloads import Workload, read, select

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta
    from pathlib import Path

    from .operations import Operation

#: Virtual time from one scheduling cycle to the next: 250 a second.
CYCLE = "4ms"
#: How ties are broken: the real test has sixteen workers, whose order is up to chance.
TIE_BREAK = TIE_BREAKS[0]


def scheduler_perf(
    path: str | Path,
    *,
    filter: str | None = None,  # noqa: A002 - the word of the command
    label: str | None = None,
    cycle: str | float | timedelta = CYCLE,
    seed: int = 0,
    tie_break: str = TIE_BREAK,
) -> Results:
    """Run the workloads of scheduler_perf, Kubernetes' scheduler benchmark.

    Parameters
    ----------
    path
        A ``performance-config.yaml``, or a folder with such files in it or below.
    filter
        Part of ``TestCase/workload``, or a pattern with ``*``.
    label
        Labels the workloads have, with commas between them; ``-label`` for one they have not.
    cycle
        Virtual time from one scheduling cycle to the next. It decides how many cycles fall
        between two rounds of churn; it is no part of any figure.
    seed
        What generated names and tie-breaks derive from.
    tie_break
        How one of several best nodes is chosen: ``"seeded"``; ``"oracle"``, as the real
        scheduler does with one worker; or ``"first-by-name"``.

    Returns
    -------
    Results
        A row for each measurement; prints as a table.

    Raises
    ------
    FileNotFoundError
        When there is no such path.
    WorkloadError
        When a file makes no sense or nothing matches.
    """
    chosen = select(read(path), filter, label)
    options = Options(clock.duration_ns(cycle), seed, tie_break)
    results = Results()
    for found in runs(chosen, options, notes=results):
        results.extend(found)
    return results


def check(workloads: Sequence[Workload]) -> None:
    """Read every op of every workload that can be run.

    Raises
    ------
    WorkloadError
        For the first that makes no sense.
    """
    for workload in workloads:
        if workload.reason_to_skip() is None:
            workload.operations()


def runs(
    workloads: Sequence[Workload],
    options: Options,
    *,
    progress: Progress | None = None,
    notes: Results | None = None,
) -> Iterator[list[Result]]:
    """Check all workloads, then run one after the other and yield the rows of each.

    Parameters
    ----------
    progress
        Told what is being done, and how much of it is done where that is known.
    notes
        Where notes go.

    Raises
    ------
    WorkloadError
        When a file makes no sense, before anything is run.
    """
    check(workloads)
    kept = Results() if notes is None else notes
    for workload in workloads:
        reason = workload.reason_to_skip()
        if reason is not None:
            yield [absent(workload, SKIPPED, reason)]
        else:
            yield _run(workload, options, progress, kept)


def _run(
    workload: Workload, options: Options, progress: Progress | None, notes: Results
) -> list[Result]:
    notes.feature_gates |= set(workload.feature_gates)
    is_own = memory.forget_peak()
    began = time.perf_counter()
    try:
        run = execute(workload, options, progress)
    except (WorkloadError, WavetankError) as error:
        return [absent(workload, FAILED, str(error))]
    for note in run.notes:
        notes.note(f"{workload.full_name}: {note}")
    named = len(run.windows) > 1
    rows = [of_window(workload, window, named=named) for window in run.windows]
    for row in rows:
        row.peak_memory_bytes = memory.peak_bytes()
        row.memory_is_own = is_own
        row.total_s = time.perf_counter() - began
        row.total_phases_s = dict(run.phases)
    return rows


def execute(
    workload: Workload, options: Options | None = None, progress: Progress | None = None
) -> Run:
    """Run one workload and return it with its cluster as it is at the end.

    Raises
    ------
    WorkloadError
        When an op makes no sense, or what it waits for does not come about.
    ApiError
        When the API server refuses what an op does.
    """
    run = Run(workload, options or Options(), progress)
    for number, operation in enumerate(workload.operations()):
        _do(run, operation, number)
    return run


def _do(run: Run, operation: Operation, number: int) -> None:
    """Run one op; what it raises says where."""
    try:
        operation.run(run, number)
    except (WorkloadError, WavetankError) as error:
        sentence = str(error).partition("\n")[0]
        place = f"{run.workload.place}: op {number} ({operation.opcode})"
        raise WorkloadError(f"{place}: {sentence}") from error
