"""createAny and updateAny: objects of any kind from Go templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wavetank.bench.agenda import SECOND_NS
from wavetank.bench.errors import WorkloadError

from .base import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wavetank import _core
    from wavetank.bench.run import Run

    from .fields import Fields


@dataclass(frozen=True)
class CreateAny(Operation):
    """Create objects from a template."""

    opcode = "createAny"
    namespace: str
    template: Path
    count: int

    @classmethod
    def read(cls, fields: Fields) -> CreateAny:
        """Take the op's fields."""
        path = fields.path("templatePath", wanted=True)
        assert path is not None  # noqa: S101 - it was wanted
        return cls(fields.text("namespace", "") or "", path, fields.whole("count", 1))

    def templates(self) -> Iterator[Path]:
        """Yield the template."""
        yield self.template

    def run(self, run: Run, number: int) -> None:
        """Create them."""
        del number
        if self.namespace:
            run.ensure_namespace(self.namespace)
        source = run.objects(self.template)
        with run.phase("creating"):
            for index in range(self.count):
                run.said(f"creating {self.template.stem}", index, self.count)
                document = source.document(index, self.count)
                _check_scope(run, document, self.namespace, self.template)
                run.world.create(document, self.namespace or None, field_validation="Strict")


@dataclass(frozen=True)
class UpdateAny(Operation):
    """Replace objects, then their status, so many a second of virtual time or all at once."""

    opcode = "updateAny"
    namespace: str
    template: Path
    count: int
    per_second: int
    subresources: tuple[str, ...]

    @classmethod
    def read(cls, fields: Fields) -> UpdateAny:
        """Take the op's fields."""
        path = fields.path("templatePath", wanted=True)
        assert path is not None  # noqa: S101 - it was wanted
        return cls(
            fields.text("namespace", "") or "",
            path,
            fields.whole("count", 1),
            fields.whole("updatePerSecond"),
            fields.texts("subresources"),
        )

    def templates(self) -> Iterator[Path]:
        """Yield the template."""
        yield self.template

    def run(self, run: Run, number: int) -> None:
        """Update them, and wait until all are."""
        del number
        if self.namespace:
            run.ensure_namespace(self.namespace)
        source = run.objects(self.template)
        indexes = iter(range(self.count))

        def update_next() -> bool:
            index = next(indexes, None)
            if index is None:
                return False
            self._update(run, source.document(index, self.count))
            return index + 1 < self.count

        if self.per_second:
            run.finish(run.every(SECOND_NS // self.per_second, update_next), "updating")
            return
        with run.phase("churning"):
            while update_next():
                pass

    def _update(self, run: Run, document: _core.Document) -> None:
        _check_scope(run, document, self.namespace, self.template)
        namespace = self.namespace or None
        part = "/".join(self.subresources)
        run.world.update(document, part, namespace, field_validation="Strict")
        run.world.update(document, "status", namespace, field_validation="Strict")


def _check_scope(run: Run, document: _core.Document, namespace: str, template: Path) -> None:
    kind = run.kind_of(document)
    if namespace and not kind.namespaced:
        raise WorkloadError(
            f"namespace {namespace} set for {template.name}, but {kind.kind} has none"
        )
    if not namespace and kind.namespaced:
        raise WorkloadError(f"namespace not set for {template.name}, but {kind.kind} needs one")
