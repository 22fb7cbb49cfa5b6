"""Single objects, given as dicts or as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from wavetank import _core
from wavetank.errors import BadRequestError, ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def one_object(given: Any) -> Any:
    """Return what a text holds; anything but text as it is."""
    if not isinstance(given, (str, bytes)):
        return given
    documents = _core.read_manifest(given, "<text>")
    if len(documents) != 1:
        raise ManifestError(f"one object is wanted, the text holds {len(documents)}")
    return documents[0]


def with_current(world: _core.World, given: Any, write: Callable[[Any], T]) -> T:
    """Write an object, read as its successor if its version is one that was removed."""
    item = one_object(given)
    try:
        return write(item)
    except BadRequestError:
        upgraded = world.upgrade(item)
        if upgraded is None:
            raise
        return write(upgraded[0])
