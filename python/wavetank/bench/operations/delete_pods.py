"""deletePods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wavetank.bench.agenda import SECOND_NS

from .base import Operation

if TYPE_CHECKING:
    from wavetank.bench.run import Run

    from .fields import Fields


@dataclass(frozen=True)
class DeletePods(Operation):
    """Delete the pods a namespace has now, at once or so many a second of virtual time."""

    opcode = "deletePods"
    namespace: str
    labels: dict[str, str]
    per_second: int
    skip_wait: bool

    @classmethod
    def read(cls, fields: Fields) -> DeletePods:
        """Take the op's fields."""
        namespace = fields.text("namespace")
        if not namespace:
            raise fields.fault("namespace must be set")
        return cls(
            namespace,
            fields.labels("labelSelector"),
            fields.whole("deletePodsPerSecond"),
            fields.flag("skipWaitToCompletion"),
        )

    def run(self, run: Run, number: int) -> None:
        """Delete, or begin to."""
        del number
        keys = run.pods(self.namespace, self.labels)
        if self.per_second == 0:
            with run.phase("churning"):
                run.cluster.delete_many(keys)
            return
        remaining = iter(range(len(keys)))

        def delete_next() -> bool:
            at = next(remaining, None)
            if at is None:
                return False
            run.cluster.delete_many(keys[at : at + 1])
            return at + 1 < len(keys)

        if len(keys):
            background = run.every(SECOND_NS // self.per_second, delete_next)
            if not self.skip_wait:
                run.finish(background, "deleting pods")
