"""Running a cluster: the loop between the engine and what is written in Python.

That is controllers, which get keys, and scheduling plugins, which get questions.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import clock
from .controllers.base import Answer, Context

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from . import _core
    from .controllers.base import Controller
    from .progress import Progress
    from .scheduling.asked import Asked
    from .scheduling.plugins import Plugin

#: Wall-clock milliseconds the engine runs before it comes up for air.
SLICE_MS = 200


@dataclass(frozen=True)
class Stopped:
    """Why and when a run ended.

    Attributes
    ----------
    reason
        ``"settled"``, ``"deadline"`` or ``"predicate"``.
    started_ns, now_ns
        Virtual times of beginning and end, nanoseconds since the Unix epoch.
    wall_s
        Seconds the run took by the wall clock.
    """

    reason: str
    started_ns: int
    now_ns: int
    wall_s: float

    @property
    def now(self) -> datetime:
        """The virtual time at the end."""
        return clock.to_datetime(self.now_ns)

    @property
    def elapsed_s(self) -> float:
        """Virtual seconds that passed."""
        return (self.now_ns - self.started_ns) / 1e9


class Driver:
    """Moves a world forward and lets controllers work when the engine asks."""

    def __init__(
        self,
        world: _core.World,
        controllers: Sequence[Controller],
        plugins: Sequence[Plugin] = (),
    ) -> None:
        self._world = world
        self._controllers = controllers
        self._plugins = plugins
        self._asked: Asked | None = None
        self._context = Context(world)
        # A second thread waits until the first one's run is over.
        self._lock = threading.RLock()
        #: What to say to who lets time pass meanwhile; empty when nobody works.
        self._working = ""

    def run_to(
        self, limit_ns: int, progress: bool | None, on_step: Callable[[], None] | None = None
    ) -> Stopped:
        """Run to a time."""
        return self._run("time", limit_ns, None, progress, on_step)

    def settle(
        self, limit_ns: int, progress: bool | None, on_step: Callable[[], None] | None = None
    ) -> Stopped:
        """Run until nothing is left to happen but timeouts."""
        return self._run("settled", limit_ns, None, progress, on_step)

    def run_until(
        self,
        predicate: Callable[[], bool],
        limit_ns: int,
        progress: bool | None,
        on_step: Callable[[], None] | None = None,
    ) -> Stopped:
        """Run until a predicate holds, asked after every instant."""
        return self._run("instant", limit_ns, predicate, progress, on_step)

    def _run(
        self,
        mode: str,
        limit_ns: int,
        predicate: Callable[[], bool] | None,
        progress: bool | None,
        on_step: Callable[[], None] | None,
    ) -> Stopped:
        with self._lock:
            if self._working:
                raise RuntimeError(self._working)
            return self._play(mode, limit_ns, predicate, progress, on_step)

    def _play(
        self,
        mode: str,
        limit_ns: int,
        predicate: Callable[[], bool] | None,
        progress: bool | None,
        on_step: Callable[[], None] | None,
    ) -> Stopped:
        started_ns, started = self._world.now_ns, time.perf_counter()
        shown = _progress(progress, started_ns, limit_ns)
        try:
            if predicate is not None and predicate():
                reason = "predicate"
            else:
                step = _together(shown, self._world, on_step)
                reason = self._loop(mode, limit_ns, predicate, step)
        except BaseException:
            # Ctrl-C may come anywhere, also between receiving a batch and answering it.
            self._world.put_back()
            raise
        finally:
            if shown is not None:
                shown.close()
            if on_step is not None:
                on_step()
        return Stopped(reason, started_ns, self._world.now_ns, time.perf_counter() - started)

    def _loop(
        self,
        mode: str,
        limit_ns: int,
        predicate: Callable[[], bool] | None,
        step: Callable[[], None] | None,
    ) -> str:
        stepped = time.perf_counter()
        while True:
            reason, controller, keys = self._world.advance(limit_ns, mode, SLICE_MS)
            if reason == "plugin":
                self._ask()
                if time.perf_counter() - stepped < SLICE_MS / 1000:
                    continue
            elif reason == "keys":
                assert controller is not None  # noqa: S101 - keys belong to one
                assert keys is not None  # noqa: S101
                self._work(self._controllers[controller], keys)
            elif reason == "instant":
                assert predicate is not None  # noqa: S101 - the mode asks for one
                if predicate():
                    return "predicate"
            elif reason != "slice":
                if predicate is not None and predicate():
                    return "predicate"
                return reason
            stepped = time.perf_counter()
            if step is not None:
                step()

    def _ask(self) -> None:
        """Let a scheduling plugin answer what the engine asks."""
        if self._asked is None:
            from .scheduling.asked import Asked  # noqa: PLC0415 - NumPy is slow to import

            self._asked = Asked(self._world, self._plugins)
        self._working = "a scheduling plugin cannot let time pass: it answers at once"
        try:
            self._asked.answer()
        finally:
            self._working = ""

    def _work(self, controller: Controller, keys: list[int]) -> None:
        """Let a controller answer a batch; whoever calls puts it back on an exception."""
        self._working = "a controller cannot let time pass: answer after(...) to be asked again"
        try:
            answers = controller.sync_batch(self._context, keys)
        finally:
            self._working = ""
        name = type(controller).__name__
        if not isinstance(answers, Sequence):
            raise TypeError(f"{name}.sync_batch returns a list of answers, not {answers!r}")
        if len(answers) != len(keys):
            raise ValueError(f"{name} answered {len(answers)} of {len(keys)} keys")
        for answer in answers:
            if not isinstance(answer, Answer):
                raise TypeError(
                    f"{name} answers DONE, FAILED, after() or timeout(), not {answer!r}"
                )
        self._world.answer([(answer.word, answer.delay_ns) for answer in answers])


def _together(
    shown: Progress | None, world: _core.World, on_step: Callable[[], None] | None
) -> Callable[[], None] | None:
    """Return what is done between two steps: the progress line first."""
    if shown is None:
        return on_step

    def step() -> None:
        shown.update(world)
        if on_step is not None:
            on_step()

    return step


def _progress(wanted: bool | None, started_ns: int, limit_ns: int) -> Progress | None:
    if wanted is False or (wanted is None and not sys.stderr.isatty()):
        return None
    from .progress import Progress  # noqa: PLC0415 - rich is slow to import

    return Progress(started_ns, limit_ns)
