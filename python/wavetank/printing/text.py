"""Columns of text, aligned as kubectl aligns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Cells are at least this wide, and this far from the next.
WIDTH_MIN, PADDING = 6, 3

_ESCAPES = str.maketrans({"\x1b": "^[", "\r": "\\r"})
_LINE_BREAKS = "\f\n\r"


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as lines whose cells stand below each other; the last cell is not padded."""
    widths: list[int] = []
    for row in rows:
        for at, cell in enumerate(row[:-1]):
            if at == len(widths):
                widths.append(WIDTH_MIN)
            widths[at] = max(widths[at], len(cell) + PADDING)
    return [
        "".join(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)) + row[-1]
        for row in rows
    ]


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
