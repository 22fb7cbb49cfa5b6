"""What an apply came to, object by object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import fields
from .sources import OBJECTS

if TYPE_CHECKING:
    from wavetank import _core


@dataclass(frozen=True)
class Place:
    """Where something stands: a text, a document of it, a line."""

    source: str
    document: int
    line: int

    @classmethod
    def of(cls, document: _core.Document, field: str = "") -> Place:
        """Return the place of a field of a document; that of the document itself by default."""
        return cls(document.source, document.number, fields.line(document, field))

    def __str__(self) -> str:
        if self.source == OBJECTS:
            return f"object {self.document}"
        return f"{self.source}:{self.line}, document {self.document}"


@dataclass(frozen=True)
class Notice:
    """A sentence about something that was accepted all the same."""

    message: str
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


@dataclass(frozen=True)
class AppliedObject:
    """One object of an apply.

    Attributes
    ----------
    name
        Kind and name as kubectl prints them: ``deployment.apps/web``.
    namespace
        Its namespace; ``None`` for cluster-scoped kinds.
    word
        ``"created"``, ``"configured"``, ``"unchanged"`` or ``"restored"``.
    place
        Where it stands in the manifest.
    """

    name: str
    namespace: str | None
    word: str
    place: Place
    dry_run: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.word}{' (server dry run)' if self.dry_run else ''}"


class Applied(list[AppliedObject]):
    """The objects of an apply, in their order; prints one line each, as kubectl does.

    Attributes
    ----------
    warnings
        What was accepted and deserves a second look, with the place in the manifest.
    """

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[Notice] = []

    def counts(self) -> dict[str, int]:
        """Return how many objects there are per word."""
        counts: dict[str, int] = {}
        for item in self:
            counts[item.word] = counts.get(item.word, 0) + 1
        return counts

    def __str__(self) -> str:
        return "\n".join(str(item) for item in self)

    def __repr__(self) -> str:
        return str(self) or "no objects"


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong with an object."""

    field: str
    message: str
    line: int


@dataclass(frozen=True)
class Failure:
    """An object that was refused.

    Attributes
    ----------
    place
        Where the fault stands in the manifest.
    name
        Kind and name as kubectl prints them, as far as the document tells.
    error
        What was answered: an :class:`ApiError` or a :class:`ManifestError`.
    causes
        The single faults, each with its field and line.
    """

    place: Place
    name: str
    error: Exception
    causes: tuple[Cause, ...] = field(default=())

    @property
    def message(self) -> str:
        """The sentence without its place."""
        text = self.causes[0].message if len(self.causes) == 1 else ""
        text = text if str(self.error) in text else str(self.error)
        name = self.name.rsplit("/", 1)[-1]
        return text if not name or f'"{name}"' in text else f"{self.name}: {text}"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"
