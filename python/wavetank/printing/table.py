"""Objects as kubectl's tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .objects import dig, labels
from .tables import layout_of
from .text import align, cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wavetank.kinds import Kind

    from .layout import Layout, Object


@dataclass(frozen=True)
class Options:
    """How a table is printed.

    Parameters
    ----------
    wide
        With the columns that only ``-o wide`` shows.
    namespaces
        With the namespace in front.
    kinds
        With the kind before each name.
    show_labels
        With all labels at the end.
    label_columns
        Labels that get a column of their own.
    headings
        With headings.
    """

    wide: bool = False
    namespaces: bool = False
    kinds: bool = False
    show_labels: bool = False
    label_columns: tuple[str, ...] = ()
    headings: bool = True


DEFAULT = Options()


def cells(
    kind: Kind, items: Sequence[Object], now_ns: int, options: Options = DEFAULT
) -> tuple[list[str], list[list[str]]]:
    """Return the headings of a table, and its rows as text."""
    layout = layout_of(kind)
    if layout.order is not None:
        items = sorted(items, key=layout.order)
    return _headings(layout, options), [_row(kind, layout, item, now_ns, options) for item in items]


def lines(
    kind: Kind, items: Sequence[Object], now_ns: int, options: Options = DEFAULT
) -> list[str]:
    """Return a table as lines; none at all without items."""
    headings, rows = cells(kind, items, now_ns, options)
    return align([headings, *rows] if options.headings and rows else rows)


def _headings(layout: Layout, options: Options) -> list[str]:
    found = ["NAMESPACE"] if options.namespaces else []
    found += layout.headings(wide=options.wide)
    found += [label.rpartition("/")[2].upper() for label in options.label_columns]
    return [*found, "LABELS"] if options.show_labels else found


def _row(kind: Kind, layout: Layout, item: Object, now_ns: int, options: Options) -> list[str]:
    row = [cell(value) for value in layout.row(item, now_ns, wide=options.wide)]
    if options.kinds and layout.named is not None and layout.named < len(row):
        row[layout.named] = f"{kind.title}/{row[layout.named]}"
    if options.namespaces:
        row.insert(0, dig(item, "metadata", "namespace", default=""))
    own = dig(item, "metadata", "labels", default={})
    row += [own.get(label, "") for label in options.label_columns]
    return [*row, labels(own)] if options.show_labels else row
