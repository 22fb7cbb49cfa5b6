"""What was measured while a workload collected metrics."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

#: The outcome of a decision that bound a pod which is counted; see the compiled ``measured``.
_COUNTED = 3
#: The outcome of a decision that found no node.
_UNSCHEDULABLE = 1


@dataclass
class Window:
    """The time between beginning and end of a measurement.

    Attributes
    ----------
    name
        What the workload calls it.
    pods
        Counted pods that were bound.
    decisions, rejected
        Scheduling cycles, and those of them that found no node.
    deciding_s
        Wall seconds of all scheduling cycles, from queue to written binding or refusal.
    observing_s
        Wall seconds the scheduler spent on taking in what was written.
    p50_us, p99_us
        Of one cycle, in microseconds.
    wall_s, phases_s
        Wall seconds in all, and how much of it each phase took.
    virtual_s
        Virtual seconds that passed.
    """

    name: str
    began: float
    began_ns: int
    before: Mapping[str, float]
    pods: int = 0
    decisions: int = 0
    rejected: int = 0
    deciding_s: float = 0.0
    observing_s: float = 0.0
    p50_us: float | None = None
    p99_us: float | None = None
    wall_s: float = 0.0
    virtual_s: float = 0.0
    phases_s: dict[str, float] = field(default_factory=dict)

    def close(
        self,
        measured: tuple[NDArray[np.int64], NDArray[np.uint8], int],
        now_ns: int,
        phases: Mapping[str, float],
    ) -> None:
        """Take what was measured."""
        import numpy as np  # noqa: PLC0415 - slow to import

        durations, outcomes, observing_ns = measured
        self.wall_s = time.perf_counter() - self.began
        self.virtual_s = (now_ns - self.began_ns) / 1e9
        self.phases_s = {name: took - self.before.get(name, 0.0) for name, took in phases.items()}
        self.pods = int((outcomes == _COUNTED).sum())
        self.decisions = len(outcomes)
        self.rejected = int((outcomes == _UNSCHEDULABLE).sum())
        self.deciding_s = float(durations.sum()) / 1e9
        self.observing_s = observing_ns / 1e9
        if len(durations):
            p50, p99 = np.percentile(durations, [50, 99])
            self.p50_us, self.p99_us = float(p50) / 1e3, float(p99) / 1e3
