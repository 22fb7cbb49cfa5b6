"""Tables of results: columns that become NumPy arrays, pandas, polars or Arrow data."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from . import show

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

    from . import _core


class Table:
    """The pods, nodes or events of a cluster at one moment, as columns.

    The table is read when it is made; the cluster going on does not change it. Units are part
    of a column's name: ``cpu_milli``, ``memory_bytes``. Times are ``datetime64[ns]`` in UTC,
    ``NaT`` for what has not happened.

    Parameters
    ----------
    world, name
        Where the columns come from: ``"pods"``, ``"nodes"`` or ``"events"``.

    Examples
    --------
    >>> import wavetank as wt
    >>> cluster = wt.Cluster()
    >>> len(cluster.pods)
    0
    """

    def __init__(self, world: _core.World | _core.Sent, name: str) -> None:
        self.name = name
        # A fork is one reference count and pins the moment.
        self._world = world.fork()
        self._columns: dict[str, Any] | None = None

    def _read(self) -> dict[str, Any]:
        if self._columns is None:
            self._columns = self._world.columns(self.name)
        return self._columns

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._read())

    def __len__(self) -> int:
        first = next(iter(self._read().values()))
        return len(first[0] if isinstance(first, tuple) else first)

    def __getitem__(self, column: str) -> NDArray[Any]:
        """Return one column as an array; text as an array of ``str`` objects."""
        try:
            values = self._read()[column]
        except KeyError:
            known = ", ".join(self.columns)
            raise KeyError(f"no column {column!r} in {self.name}; there are {known}") from None
        if isinstance(values, tuple):
            import numpy as np  # noqa: PLC0415 - read when the first column is

            codes, words = values
            lookup = np.array([*words, None], dtype=object)
            return lookup[codes]
        if isinstance(values, list):
            import numpy as np  # noqa: PLC0415

            return np.array(values, dtype=object) if values else np.empty(0, dtype=object)
        array: NDArray[Any] = values
        return array

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        columns = {name: self[name] for name in self.columns}
        rows = [
            [show.GAP] * len(columns)
            if at is None
            else [_text(values[at]) for values in columns.values()]
            for at in show.chosen(len(self))
        ]
        return list(columns), rows

    def __repr__(self) -> str:
        if not len(self):
            return f"no {self.name}"
        headings, rows = self._cells()
        table = [headings, *rows]
        fitting = _fitting(table, shutil.get_terminal_size((120, 24)).columns)
        text = show.as_text(headings[:fitting], [row[:fitting] for row in rows], len(self))
        hidden = headings[fitting:]
        return f"{text}\nnot shown: {', '.join(hidden)}" if hidden else text

    def _repr_html_(self) -> str:
        return show.as_html(*self._cells(), len(self)) if len(self) else f"<p>no {self.name}</p>"

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Iterate over the rows as dicts; for many rows prefer whole columns."""
        arrays = self.to_numpy()
        names = list(arrays)
        return (dict(zip(names, row, strict=True)) for row in zip(*arrays.values(), strict=True))

    def to_numpy(self) -> dict[str, NDArray[Any]]:
        """Return every column as a NumPy array, by name."""
        return {column: self[column] for column in self.columns}

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas DataFrame; repeated words become categoricals."""
        import pandas as pd  # noqa: PLC0415

        columns: dict[str, Any] = {}
        for column, values in self._read().items():
            if isinstance(values, tuple):
                columns[column] = pd.Categorical.from_codes(*values)
            elif getattr(values, "dtype", None) is not None and values.dtype.kind == "M":
                columns[column] = pd.Series(values).dt.tz_localize("UTC")
            else:
                columns[column] = values
        frame: pd.DataFrame = pd.DataFrame(columns)
        return frame

    def to_polars(self) -> pl.DataFrame:
        """Return a polars DataFrame."""
        import polars as pl  # noqa: PLC0415

        return pl.DataFrame(self)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the table through the Arrow PyCapsule interface."""
        return self._world.arrow(self.name).__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        """Export the schema through the Arrow PyCapsule interface."""
        return self._world.arrow(self.name).schema.__arrow_c_schema__()


def _text(value: Any) -> str:
    """Return a cell: times to the second, nothing for what has not happened."""
    if value is None:
        return ""
    text = str(value)
    if text == "NaT":
        return ""
    return text[:19].replace("T", " ") if type(value).__name__ == "datetime64" else text


def _fitting(rows: list[list[str]], width: int) -> int:
    """Return how many columns of a table fit beside each other; one at least."""
    used = 0
    for at, column in enumerate(zip(*rows, strict=True)):
        used += max(show.WIDTH_MIN, max(map(len, column)) + show.PADDING)
        if used - show.PADDING > width:
            return max(at, 1)
    return len(rows[0])
