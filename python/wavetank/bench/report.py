"""What running workloads came to: one row for each measurement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wavetank.plan.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .measure import Window
    from .workloads import Workload

#: Figures from here on are printed without a fraction.
_WHOLE_FROM = 100
RAN, SKIPPED, FAILED = "ran", "skipped", "failed"


@dataclass
class Result:
    """A measurement of a workload, or why there is none.

    Attributes
    ----------
    topic, workload
        The folder of the benchmark file, and test case and workload; with the measurement's
        name behind it when the workload has several.
    status
        ``"ran"``, ``"skipped"`` or ``"failed"``.
    pods
        Measured pods that were bound.
    deciding_s
        Wall seconds of every scheduling cycle while it was measured, from taking a pod from the
        queue to having written its binding or refusal; cycles of other pods included.
    pods_per_second
        ``pods / deciding_s``.
    p50_us, p99_us
        Wall time of one cycle, in microseconds.
    peak_memory_bytes
        The most memory of this process while the workload ran; see ``memory_is_own``.
    threshold, ratio
        The least pods a second the file demands of the real scheduler, and ours to it.
    reason
        Why it was skipped or failed.
    decisions, rejected
        Cycles, and those of them that found no node.
    observing_s
        Wall seconds the scheduler spent on taking in what was written.
    virtual_s
        Virtual seconds from the beginning of the measurement to its end.
    wall_s
        Wall seconds from the beginning of the measurement to its end.
    phases_s
        Wall seconds of this measurement by what was done: ``creating`` objects, ``advancing``
        the cluster (deciding and observing are part of it), ``churning``.
    total_s, total_phases_s
        The same for the whole workload.
    memory_is_own
        False when the system cannot forget the peak of what ran before.
    """

    topic: str
    workload: str
    status: str
    pods: int = 0
    deciding_s: float = 0.0
    pods_per_second: float | None = None
    p50_us: float | None = None
    p99_us: float | None = None
    peak_memory_bytes: int | None = None
    threshold: float | None = None
    ratio: float | None = None
    reason: str | None = None
    decisions: int = field(default=0, repr=False)
    rejected: int = field(default=0, repr=False)
    observing_s: float = field(default=0.0, repr=False)
    virtual_s: float = field(default=0.0, repr=False)
    wall_s: float = field(default=0.0, repr=False)
    phases_s: dict[str, float] = field(default_factory=dict, repr=False)
    total_s: float = field(default=0.0, repr=False)
    total_phases_s: dict[str, float] = field(default_factory=dict, repr=False)
    memory_is_own: bool = field(default=True, repr=False)


class Results(Rows[Result]):
    """Results in the order they were run.

    Attributes
    ----------
    feature_gates
        The gates that the workloads set, which nobody looks at.
    """

    def __init__(self, rows: Sequence[Result] = ()) -> None:
        super().__init__(rows)
        self.feature_gates: set[str] = set()
        self._notes: list[str] = []

    @property
    def notes(self) -> list[str]:
        """What the reader should know: what of the files was ignored."""
        gates = ", ".join(sorted(self.feature_gates))
        told = f"feature gates are ignored, the scheduler is that of 1.36 as it comes: {gates}"
        return [*self._notes, told] if gates else list(self._notes)

    def note(self, text: str) -> None:
        """Add a note, once."""
        if text not in self._notes:
            self._notes.append(text)

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        names, rows = super()._cells()
        for row, result in zip(rows, self, strict=True):
            for at, name in enumerate(names):
                value = getattr(result, name)
                if isinstance(value, float):
                    row[at] = f"{value:,.0f}" if value >= _WHOLE_FROM else f"{value:.3g}"
        return names, rows

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"workloads": self.to_dicts(), "notes": self.notes}


def absent(workload: Workload, status: str, reason: str) -> Result:
    """Return the row of a workload without a measurement."""
    threshold = workload.threshold
    return Result(workload.topic, workload.full_name, status, threshold=threshold, reason=reason)


def of_window(workload: Workload, window: Window, *, named: bool) -> Result:
    """Return the row of a measurement; ``named`` puts its name behind the workload's."""
    name = workload.full_name
    rate = window.pods / window.deciding_s if window.deciding_s else None
    threshold = workload.threshold
    return Result(
        topic=workload.topic,
        workload=f"{name}/{window.name}" if named and window.name else name,
        status=RAN,
        pods=window.pods,
        deciding_s=window.deciding_s,
        pods_per_second=rate,
        p50_us=window.p50_us,
        p99_us=window.p99_us,
        threshold=threshold,
        ratio=rate / threshold if rate and threshold else None,
        decisions=window.decisions,
        rejected=window.rejected,
        observing_s=window.observing_s,
        virtual_s=window.virtual_s,
        wall_s=window.wall_s,
        phases_s=window.phases_s,
    )
