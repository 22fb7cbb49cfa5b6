"""startCollectingMetrics and stopCollectingMetrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .base import Operation

if TYPE_CHECKING:
    from wavetank.bench.run import Run

    from .fields import Fields


@dataclass(frozen=True)
class StartCollectingMetrics(Operation):
    """Measure decisions from here on; bound pods of these namespaces and labels count."""

    opcode = "startCollectingMetrics"
    name: str
    namespaces: tuple[str, ...]
    labels: dict[str, str]

    @classmethod
    def read(cls, fields: Fields) -> StartCollectingMetrics:
        """Take the op's fields."""
        name = fields.text("name", "") or ""
        operation = cls(name, fields.texts("namespaces"), fields.labels("labelSelector"))
        if not operation.namespaces:
            raise fields.fault("namespaces cannot be empty")
        return operation

    def run(self, run: Run, number: int) -> None:
        """Begin."""
        del number
        run.start_collecting(self.name, self.namespaces, self.labels)


@dataclass(frozen=True)
class StopCollectingMetrics(Operation):
    """Measure no longer."""

    opcode = "stopCollectingMetrics"

    @classmethod
    def read(cls, fields: Fields) -> StopCollectingMetrics:
        """Take no field."""
        del fields
        return cls()

    @property
    def collects(self) -> bool:
        """Whether something is measured: what was started."""
        return True

    def run(self, run: Run, number: int) -> None:
        """End."""
        del number
        run.stop_collecting()
