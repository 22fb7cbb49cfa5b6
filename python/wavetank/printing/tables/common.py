"""Cells that many kinds have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank.printing.ages import since
from wavetank.printing.objects import dig

if TYPE_CHECKING:
    from wavetank.printing.layout import Object


def age(item: Object, now_ns: int) -> str:
    """Return how long an object has existed."""
    return since(dig(item, "metadata", "creationTimestamp"), now_ns)


def containers(item: Object, *template: str) -> str:
    """Return the names of a template's containers."""
    return _of_each(item, "name", template)


def images(item: Object, *template: str) -> str:
    """Return the images of a template's containers."""
    return _of_each(item, "image", template)


def _of_each(item: Object, field: str, template: tuple[str, ...]) -> str:
    found = dig(item, *template, "spec", "containers", default=())
    return ",".join(str(container.get(field, "")) for container in found)
