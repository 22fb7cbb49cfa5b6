"""Tables as people read them: aligned text, and HTML for notebooks."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = Sequence[str]

#: Cells are at least this wide, and this far from the next; kubectl's figures.
WIDTH_MIN, PADDING = 6, 3

#: Rows shown before and after the gap when there are more.
FIRST, LAST = 12, 6
GAP = "..."

_STYLE = "text-align: left; font-family: monospace; white-space: pre"


def align(rows: Sequence[Row]) -> list[str]:
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


def chosen(count: int) -> list[int | None]:
    """Return which of so many rows to show; ``None`` stands for those left out."""
    if count <= FIRST + LAST + 1:
        return list(range(count))
    return [*range(FIRST), None, *range(count - LAST, count)]


def as_text(headings: Row, rows: Sequence[Row], count: int) -> str:
    """Return the chosen rows of a table below its headings, and how many there are in all."""
    lines = align([headings, *rows])
    if len(rows) < count:
        lines.append(f"({count:,} in all)")
    return "\n".join(line.rstrip() for line in lines)


def as_html(headings: Row, rows: Sequence[Row], count: int) -> str:
    """Return the chosen rows of a table as HTML."""
    head = _html_row("th", headings)
    body = "\n".join(_html_row("td", row) for row in rows)
    note = f"<p>{count:,} in all</p>" if len(rows) < count else ""
    return f"<table>\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>{note}"


def _html_row(tag: str, cells: Row) -> str:
    inner = "".join(f'<{tag} style="{_STYLE}">{html.escape(cell)}</{tag}>' for cell in cells)
    return f"<tr>{inner}</tr>"
