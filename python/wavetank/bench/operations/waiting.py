"""barrier and sleep: ops that let virtual time pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wavetank.bench.errors import WorkloadError

from .base import Operation

if TYPE_CHECKING:
    from wavetank.bench.run import Run

    from .fields import Fields

_STAGES = ("Scheduled", "Attempted")


@dataclass(frozen=True)
class Barrier(Operation):
    """Wait until the pods that were not waited for are scheduled, or tried at least once."""

    opcode = "barrier"
    namespaces: tuple[str, ...]
    labels: dict[str, str]
    stage: str

    @classmethod
    def read(cls, fields: Fields) -> Barrier:
        """Take the op's fields."""
        stage = fields.text("stageRequirement") or _STAGES[0]
        if stage not in _STAGES:
            raise fields.fault(f"invalid StageRequirement {stage}: it is Scheduled or Attempted")
        return cls(fields.texts("namespaces"), fields.labels("labelSelector"), stage)

    def run(self, run: Run, number: int) -> None:
        """Wait, namespace by namespace."""
        del number
        for namespace in self.namespaces:
            if namespace not in run.waiting:
                raise WorkloadError(f"unknown namespace {namespace}")
        for namespace in self.namespaces or sorted(run.waiting):
            wanted = run.waiting[namespace]
            if self.stage == "Attempted":
                run.wait_attempted(namespace, wanted, self.labels)
            else:
                run.wait_scheduled(namespace, wanted, self.labels)
        if self.stage == "Scheduled":
            for namespace in self.namespaces or list(run.waiting):
                run.waiting.pop(namespace, None)


@dataclass(frozen=True)
class Sleep(Operation):
    """Let virtual time pass."""

    opcode = "sleep"
    duration_ns: int

    @classmethod
    def read(cls, fields: Fields) -> Sleep:
        """Take the op's fields."""
        return cls(fields.duration("duration"))

    def run(self, run: Run, number: int) -> None:
        """Sleep."""
        del number
        run.pass_time(run.now_ns + self.duration_ns)
