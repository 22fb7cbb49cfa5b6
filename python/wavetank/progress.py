"""A line that shows how far a run is, once it takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from . import _core, clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.progress import TaskID

T = TypeVar("T")

#: Seconds of wall clock before anything is shown.
QUIET_S = 2.0


class Progress:
    """Virtual time on standard error; a bar when it is known where it ends."""

    def __init__(self, started_ns: int, limit_ns: int) -> None:
        self._began = time.perf_counter()
        self._started_ns = started_ns
        self._span_ns = None if limit_ns == clock.FOREVER_NS else limit_ns - started_ns
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def update(self, world: _core.World) -> None:
        """Show where the world is."""
        if time.perf_counter() - self._began < QUIET_S:
            return
        if self._bar is None:
            self._open()
        assert self._bar is not None  # noqa: S101 - just opened
        assert self._task is not None  # noqa: S101
        done = world.now_ns - self._started_ns
        text = f"virtual time +{_core.format_duration(done // 1_000_000_000 * 1_000_000_000)}"
        self._bar.update(self._task, completed=done, description=text)

    def close(self) -> None:
        """Take the line away."""
        if self._bar is not None:
            self._bar.stop()

    def _open(self) -> None:
        columns = [SpinnerColumn(), TextColumn("{task.description}")]
        if self._span_ns:
            columns.append(BarColumn())
        self._bar = Bar(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=self._span_ns)
        self._bar.start()


def steps(items: Sequence[T], text: str, wanted: bool | None = None) -> Iterator[T]:
    """Yield items, with a bar on standard error once it takes long; see :class:`Progress`."""
    if wanted is False or (wanted is None and not sys.stderr.isatty()):
        yield from items
        return
    began = time.perf_counter()
    bar = Bar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(text, total=len(items))
    shown = False
    try:
        for item in items:
            yield item
            bar.advance(task)
            if not shown and time.perf_counter() - began > QUIET_S:
                bar.start()
                shown = True
    finally:
        if shown:
            bar.stop()


class Meter:
    """How many of some long jobs are done and how far the present one is, after two seconds.

    Parameters
    ----------
    count
        How many jobs there are.
    wanted
        Show it; ``None`` means: when standard error is a terminal.
    """

    def __init__(self, count: int, wanted: bool | None = None) -> None:
        self._count = count
        self._wanted = sys.stderr.isatty() if wanted is None else wanted
        self._began = time.perf_counter()
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._at, self._name = 0, ""

    def __enter__(self) -> Meter:  # noqa: PYI034 - Self came with Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, at: int, name: str) -> None:
        """Say which job begins."""
        self._at, self._name = at, name
        self.inside("", 0.0)

    def inside(self, text: str, share: float | None) -> None:
        """Say what the job is at, and how much of that is done where it is known."""
        if not self._wanted or time.perf_counter() - self._began < QUIET_S:
            return
        if self._bar is None:
            self._open()
        assert self._bar is not None  # noqa: S101 - just opened
        assert self._task is not None  # noqa: S101
        told = text if share is None else f"{text} {share:.0%}"
        about = f"{self._at + 1}/{self._count} {self._name}" + (f": {told}" if text else "")
        self._bar.update(self._task, completed=self._at, description=about)

    def _open(self) -> None:
        self._bar = Bar(
            SpinnerColumn(),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=self._count)
        self._bar.start()
