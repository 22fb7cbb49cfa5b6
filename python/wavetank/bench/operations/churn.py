"""churn: objects that come, or come and go, while the other ops go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wavetank.bench.agenda import MILLISECOND_NS
from wavetank.errors import ApiError

from .base import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wavetank.bench.objects import ObjectFile
    from wavetank.bench.run import Run

    from .fields import Fields

_CREATE, _RECREATE = "create", "recreate"
#: Milliseconds between two rounds unless the op says otherwise.
_INTERVAL_MS = 500


@dataclass(frozen=True)
class Churn(Operation):
    """Every interval of virtual time create one object of each template.

    ``create`` stops after ``number`` rounds, 0 meaning never. ``recreate`` creates for
    ``number`` rounds, deletes what it created for as many, and so on.
    """

    opcode = "churn"
    mode: str
    number: int
    interval_ms: int
    namespace: str | None
    paths: tuple[Path, ...]

    @classmethod
    def read(cls, fields: Fields) -> Churn:
        """Take the op's fields."""
        operation = cls(
            fields.text("mode", "") or "",
            fields.whole("number"),
            fields.whole("intervalMilliseconds") or _INTERVAL_MS,
            fields.text("namespace"),
            tuple(fields.folder / path for path in fields.texts("templatePaths")),
        )
        if operation.mode not in {_CREATE, _RECREATE}:
            raise fields.fault(f"invalid mode: {operation.mode}: it is {_RECREATE} or {_CREATE}")
        if operation.mode == _RECREATE and operation.number == 0:
            raise fields.fault(f"number cannot be 0 when mode is {_RECREATE}")
        if not operation.paths:
            raise fields.fault("at least one template spec file needs to be specified")
        return operation

    def templates(self) -> Iterator[Path]:
        """Yield what is created."""
        yield from self.paths

    def run(self, run: Run, number: int) -> None:
        """Begin to churn."""
        namespace = self.namespace or f"namespace-{number}"
        if run.cluster.find("namespaces", namespace) is None:
            run.create_namespace(namespace)
        makers = [_Maker(run, run.objects(path, literal=True), namespace) for path in self.paths]
        rounds = 0

        def create() -> bool:
            nonlocal rounds
            for maker in makers:
                maker.create()
            rounds += 1
            return self.number == 0 or rounds < self.number

        def recreate() -> bool:
            nonlocal rounds
            for maker in makers:
                maker.turn(rounds % self.number)
            rounds += 1
            return True

        tick = create if self.mode == _CREATE else recreate
        run.every(self.interval_ms * MILLISECOND_NS, tick)


class _Maker:
    """Creates and deletes objects of one template."""

    def __init__(self, run: Run, source: ObjectFile, namespace: str) -> None:
        self._run = run
        self._document = source.document(0, 1)
        self._kind = run.kind_of(self._document)
        self._namespace = namespace if self._kind.namespaced else None
        self._names: dict[int, str] = {}

    def create(self) -> str | None:
        """Create one and return its name; what the API server refuses is left out."""
        try:
            created, _ = self._run.world.create(self._document, self._namespace)
        except ApiError as error:
            self._run.note(f"churn: {error}")
            return None
        return str(created["metadata"]["name"])

    def turn(self, place: int) -> None:
        """Delete what this place has, or create something for it."""
        name = self._names.pop(place, None)
        if name is None:
            name = self.create()
            if name is not None:
                self._names[place] = name
            return
        try:
            self._run.world.delete(self._kind.id, name, self._namespace)
        except ApiError as error:
            self._run.note(f"churn: {error}")
