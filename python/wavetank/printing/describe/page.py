"""The page ``kubectl describe`` prints: titles and values in columns, indented by level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Columns are this far apart.
PADDING = 2

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
#: Longer annotations are cut, or begin on a line of their own.
ANNOTATION_MAX = 140


class Page:
    """Lines with tabs in them, aligned when the page is done.

    A tab ends a cell; cells below each other on neighbouring lines make a column, the text
    after the last tab of a line belongs to none.
    """

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self._lines: list[str] = []

    def row(self, *cells: object, level: int = 0) -> None:
        """Add a line of cells."""
        text = "\t".join(str(cell) for cell in cells)
        self._lines += ("  " * level + text).split("\n")

    def rows(self, lines: Iterable[Iterable[object]], level: int = 0) -> None:
        """Add lines of cells."""
        for cells in lines:
            self.row(*cells, level=level)

    def listed(self, title: str, items: Iterable[object], indent: str = "") -> None:
        """Add a title and items below each other, or ``<none>``."""
        first, *others = list(items) or ["<none>"]
        self.row(f"{title}:", first)
        for item in others:
            self.row(indent, item)

    def labels(self, title: str, labels: Mapping[str, Any] | None, indent: str = "") -> None:
        """Add labels below each other."""
        items = [f"{key}={value}" for key, value in sorted((labels or {}).items())]
        self.listed(f"{indent}{title}", items, indent)

    def annotations(
        self, annotations: Mapping[str, str] | None, title: str = "Annotations"
    ) -> None:
        """Add annotations below each other, long ones on lines of their own and cut."""
        lines: list[tuple[str, str]] = []
        for key, value in sorted((annotations or {}).items()):
            if key == LAST_APPLIED:
                continue
            text = value.removesuffix("\n")
            if len((text + key).encode()) + 2 <= ANNOTATION_MAX and "\n" not in text:
                lines.append(("", f"{key}: {text}"))
                continue
            lines.append(("", f"{key}:"))
            lines += [("", f"  {_cut(part)}") for part in text.split("\n")]
        if not lines:
            self.row(f"{title}:", "<none>")
        for at, (_, text) in enumerate(lines):
            self.row("" if at else f"{title}:", text)

    def __str__(self) -> str:
        escaped = (line.replace("\x1b", "^[").replace("\r", "\\r") for line in self._lines)
        return "".join(f"{line}\n" for line in tabbed(list(escaped)))


def _cut(text: str) -> str:
    data = text.encode()
    if len(data) <= ANNOTATION_MAX - 2:
        return text
    return data[: ANNOTATION_MAX - 2].decode(errors="ignore") + "..."


def tabbed(lines: list[str]) -> list[str]:
    """Align the cells of lines: what stands between tabs on neighbouring lines is a column."""
    rows = [line.split("\t") for line in lines]
    _align(rows, 0, len(rows), 0)
    return ["".join(row) for row in rows]


def _align(rows: list[list[str]], start: int, end: int, column: int) -> None:
    """Pad one column of some rows, block by block, and the columns to its right."""
    at = start
    while at < end:
        if len(rows[at]) - 1 <= column:
            at += 1
            continue
        block = at
        while at < end and len(rows[at]) - 1 > column:
            at += 1
        width = max(len(row[column]) for row in rows[block:at]) + PADDING
        for row in rows[block:at]:
            row[column] = row[column].ljust(width)
        _align(rows, block, at, column + 1)
