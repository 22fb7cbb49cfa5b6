"""Small tables of results: lists of dataclasses that print aligned and become data frames."""

from __future__ import annotations

import html
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

T = TypeVar("T")

#: Rows printed before the middle is left out.
SHOWN = 40


class Rows(list[T]):
    """Dataclass instances of one kind; columns are their fields.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Fruit:
    ...     name: str
    ...     weight_g: int
    >>> print(Rows([Fruit("apple", 150), Fruit("melon", 1200)]))
    NAME   WEIGHT_G
    apple  150
    melon  1200
    """

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return plain data, one dict per row."""
        return [plain(item) for item in self]

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas DataFrame, one column per field."""
        import pandas as pd  # noqa: PLC0415 - optional and slow to import

        frame: pd.DataFrame = pd.DataFrame(self.to_dicts())
        return frame

    def __str__(self) -> str:
        if not self:
            return "(nothing)"
        header, body = self._cells()
        if len(body) > SHOWN:
            half = SHOWN // 2
            body = [*body[:half], ["..."] + [""] * (len(header) - 1), *body[-half:]]
        lines = [[name.upper() for name in header], *body]
        widths = [max(len(line[at]) for line in lines) for at in range(len(header))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        if not self:
            return "<p>(nothing)</p>"
        header, body = self._cells()

        def row(cells: Sequence[str], tag: str) -> str:
            return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)

        lines = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in body)
        return f"<table><thead><tr>{row(header, 'th')}</tr></thead><tbody>{lines}</tbody></table>"

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        names = [field.name for field in fields(self[0]) if field.repr]  # type: ignore[arg-type]
        return names, [[_cell(getattr(item, name)) for name in names] for item in self]


def plain(value: Any) -> Any:
    """Return dicts, lists, texts and numbers only."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "-"
    return str(value)
