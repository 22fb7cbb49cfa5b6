"""What an op is: read from a file, then run against a cluster."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wavetank.bench.run import Run

    from .fields import Fields


class Operation(ABC):
    """One step of a workload. A subclass is one opcode."""

    #: How files call it.
    opcode: ClassVar[str]

    @classmethod
    @abstractmethod
    def read(cls, fields: Fields) -> Operation:
        """Take the op's fields.

        Raises
        ------
        WorkloadError
            When one of them makes no sense.
        """

    @abstractmethod
    def run(self, run: Run, number: int) -> None:
        """Do it; ``number`` is its place among the ops of the workload."""

    @property
    def collects(self) -> bool:
        """Whether something is measured once it is done."""
        return False

    def unrolled(self) -> Sequence[Operation]:
        """Return the ops it stands for; mostly itself."""
        return [self]

    def templates(self) -> Iterator[Path]:
        """Yield the files it reads."""
        yield from ()

    def reason_to_skip(self) -> str | None:
        """Return why it cannot be run here, if it cannot."""
        return None
