"""Columns of text, aligned as kubectl aligns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank.show import align

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ESCAPES = str.maketrans({"\x1b": "^[", "\r": "\\r"})
_LINE_BREAKS = "\f\n\r"


def cell(value: object) -> str:
    """Return the text of a cell: one line, without terminal escapes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    cut = min((at for mark in _LINE_BREAKS if (at := text.find(mark)) >= 0), default=-1)
    if cut >= 0:
        text = text[:cut] + "..."
    return text.translate(_ESCAPES)


def joined(items: Iterable[object], separator: str = ",", otherwise: str = "<none>") -> str:
    """Return items in one text, or what stands for none at all."""
    return separator.join(str(item) for item in items) or otherwise


def at_most(items: Sequence[str], most: int, separator: str = ",") -> str:
    """Return the first items and how many more there are."""
    text = separator.join(items[:most])
    return f"{text} + {len(items) - most} more..." if len(items) > most else text


__all__ = ["align", "at_most", "cell", "joined"]
