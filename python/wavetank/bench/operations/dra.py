"""The ops of dynamic resource allocation. They are known, and not run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wavetank.bench.errors import WorkloadError

from .base import Operation

if TYPE_CHECKING:
    from wavetank.bench.run import Run

    from .fields import Fields

#: What a workload is skipped for.
REASON = "needs dynamic resource allocation"


@dataclass(frozen=True)
class DynamicResources(Operation):
    """An op that needs DRA drivers and ResourceClaims that get allocated."""

    @classmethod
    def read(cls, fields: Fields) -> DynamicResources:
        """Take whatever fields there are."""
        for name in ("count", "maxClaimsPerNode", "repeats"):
            fields.take(name)
            reference = fields.take(f"{name}Param")
            if isinstance(reference, str):
                fields.params.find(reference.removeprefix("$"))
        for name in ("namespace", "driverName", "nodes", "templatePath"):
            fields.take(name)
        return cls()

    def reason_to_skip(self) -> str | None:
        """Return that there is no DRA here."""
        return f"{REASON}: {self.opcode}"

    def run(self, run: Run, number: int) -> None:
        """Refuse: workloads with such an op are skipped."""
        del run, number
        raise WorkloadError(f"it {self.reason_to_skip()}")


class CreateResourceDriver(DynamicResources):
    """createResourceDriver."""

    opcode = "createResourceDriver"


class AllocResourceClaims(DynamicResources):
    """allocResourceClaims."""

    opcode = "allocResourceClaims"


class CreateResourceClaims(DynamicResources):
    """createResourceClaims."""

    opcode = "createResourceClaims"
