"""Templates of objects: files that become documents, one for each index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank import _core
from wavetank.errors import ManifestError

from .errors import WorkloadError
from .templates import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

#: Documents that differ by index are kept up to this many.
_KEPT = 10_000


class ObjectFile:
    """One object, perhaps another for each index.

    Parameters
    ----------
    text, source
        The text and the name of its file.
    literal
        Take ``{{`` as it is.
    finish
        What is done with each object read, such as spelling its fields right.
    """

    def __init__(
        self,
        text: str,
        source: str,
        *,
        literal: bool = False,
        finish: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        self._source = source
        self._finish = finish
        self._text = text
        self._template = None if literal else Template(text, source)
        self._documents: dict[str, _core.Document] = {}

    @property
    def varies(self) -> bool:
        """Whether objects of different index differ."""
        return self._template is not None and self._template.varies

    def document(self, index: int, count: int) -> _core.Document:
        """Return the object for one index of ``count``.

        Raises
        ------
        WorkloadError
            When the file makes no object.
        """
        text = self._text if self._template is None else self._template.render(index, count)
        known = self._documents.get(text)
        if known is None:
            known = self._read(text)
            if len(self._documents) < _KEPT:
                self._documents[text] = known
        return known

    def _read(self, text: str) -> _core.Document:
        try:
            documents = _core.read_manifest(text, self._source)
        except ManifestError as error:
            raise WorkloadError(str(error)) from None
        if len(documents) != 1:
            raise WorkloadError(f"{self._source}: one object is wanted, not {len(documents)}")
        document = documents[0]
        given = document.object()
        if not isinstance(given, dict):
            raise WorkloadError(f"{self._source}: an object is wanted")
        finished = given if self._finish is None else self._finish(given)
        if finished != given:
            document = _core.read_manifest(_core.to_json(finished), self._source)[0]
        return document


def read(
    path: Path,
    world: _core.World,
    api_version: str | None = None,
    kind: str | None = None,
    *,
    literal: bool = False,
) -> ObjectFile:
    """Read a template.

    Parameters
    ----------
    api_version, kind
        What it is a template of, when the op says so: it need not say it itself then, and its
        fields may be written with other capitals, as Go's JSON decoder takes them.
    """

    def finish(given: dict[str, Any]) -> dict[str, Any]:
        if kind is None:
            return given
        named = {**given, "apiVersion": api_version, "kind": kind}
        spelled: dict[str, Any] = world.field_names(named)
        return spelled

    return ObjectFile(path.read_text(encoding="utf-8"), str(path), literal=literal, finish=finish)


def fixed(given: Mapping[str, Any]) -> ObjectFile:
    """Return an object that is the same for every index."""
    return ObjectFile(_core.to_json(given), "built in", literal=True)
