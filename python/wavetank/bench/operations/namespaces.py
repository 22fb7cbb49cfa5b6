"""createNamespaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wavetank.bench.objects import fixed

from .base import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wavetank.bench.run import Run

    from .fields import Fields


@dataclass
class CreateNamespaces(Operation):
    """Create namespaces ``PREFIX-0``, ``PREFIX-1``, ..."""

    opcode = "createNamespaces"
    prefix: str
    count: int
    template: Path | None

    @classmethod
    def read(cls, fields: Fields) -> CreateNamespaces:
        """Take the op's fields."""
        prefix = fields.text("prefix", "") or ""
        return cls(prefix, fields.whole("count"), fields.path("namespaceTemplatePath"))

    def templates(self) -> Iterator[Path]:
        """Yield the namespace's template."""
        if self.template is not None:
            yield self.template

    def run(self, run: Run, number: int) -> None:
        """Create those that are not there."""
        del number
        source = fixed({"apiVersion": "v1", "kind": "Namespace"})
        if self.template is not None:
            source = run.objects(self.template, "v1", "Namespace", literal=True)
        with run.phase("creating"):
            for index in range(self.count):
                name = f"{self.prefix}-{index}"
                run.said("creating namespaces", index, self.count)
                if run.cluster.find("namespaces", name) is None:
                    document = source.document(index, self.count)
                    named = document.with_value(("metadata", "name"), name)
                    run.world.create(named, field_validation="Strict")
                run.waiting.setdefault(name, 0)
