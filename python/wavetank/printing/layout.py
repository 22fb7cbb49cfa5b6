"""What the table of a kind looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]

#: The cells of an object at a moment, those of wide columns included.
Cells = Callable[[Object, int], Sequence[object]]


@dataclass(frozen=True)
class Layout:
    """The columns of a kind.

    Parameters
    ----------
    columns
        Headings; those that only ``-o wide`` shows end in ``*``.
    cells
        The cells of an object, given the virtual time in nanoseconds.
    named
        Which column holds the name, the one that may get the kind in front.
    order
        What a list is sorted by, where that is not the name.
    """

    columns: tuple[str, ...]
    cells: Cells
    named: int | None = 0
    order: Callable[[Object], Any] | None = None

    def headings(self, *, wide: bool) -> list[str]:
        """Return the headings in capitals."""
        return [name.rstrip("*").upper() for name in self._shown(self.columns, wide)]

    def row(self, item: Object, now_ns: int, *, wide: bool) -> list[object]:
        """Return the cells of an object."""
        cells = zip(self.columns, self.cells(item, now_ns), strict=True)
        return [cell for column, cell in cells if wide or not column.endswith("*")]

    @staticmethod
    def _shown(columns: Sequence[str], wide: bool) -> list[str]:
        return [name for name in columns if wide or not name.endswith("*")]


def layout(
    *columns: str, named: int | None = 0, order: Callable[[Object], Any] | None = None
) -> Callable[[Cells], Layout]:
    """Make a layout of a function that computes cells; a decorator."""
    return lambda cells: Layout(columns, cells, named, order)
