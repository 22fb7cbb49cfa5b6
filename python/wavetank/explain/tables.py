"""Tables of an explanation: what each node says, and how feasible nodes scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wavetank.results import Table

if TYPE_CHECKING:
    import polars as pl

    from .facts import Facts

#: What stands for a figure where there is none.
_NONE = -1


class Columns(Table):
    """A table of columns that are there already."""

    def __init__(self, name: str, columns: dict[str, Any]) -> None:
        self.name = name
        self._columns = columns

    def to_polars(self) -> pl.DataFrame:
        """Return a polars DataFrame."""
        import polars as pl  # noqa: PLC0415

        return pl.DataFrame({name: self[name].tolist() for name in self.columns})

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the table through the Arrow PyCapsule interface, with polars."""
        return self.to_polars().__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        """Export the schema through the Arrow PyCapsule interface, with polars."""
        return self.to_polars().to_arrow().schema.__arrow_c_schema__()


def nodes(facts: Facts) -> Columns:
    """Return a row for each node and reason; a feasible node has one without a reason.

    ``first`` marks the plugin that Kubernetes reports, the first to say no. Of a resource that a
    node is short of, ``asked``, ``free`` and ``lacking`` are in thousandths of a core, in bytes
    or in pieces; -1 elsewhere.
    """
    lines = [_lines(verdict) for verdict in facts.verdicts]
    lengths = np.array([*(len(one) for one in lines), 1])
    reps = lengths[facts.said]
    node = np.repeat(np.arange(len(facts.nodes)), reps)
    starts = np.repeat(np.cumsum(reps) - reps, reps)
    offsets = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    row = offsets[facts.said[node]] + np.arange(len(node)) - starts
    flat = [line for one in lines for line in one] + [("", "", "", False)]
    resource = np.array([line[2] for line in flat], dtype=object)[row]
    asked, free = np.full(len(node), _NONE), np.full(len(node), _NONE)
    for name, supply in facts.supplies.items():
        at = resource == name
        asked[at] = supply.asked
        free[at] = supply.free[node[at]]
    return Columns(
        "nodes",
        {
            "node": (node.astype(np.int32), list(facts.nodes)),
            "plugin": _categories([line[0] for line in flat], row),
            "reason": _categories([line[1] for line in flat], row),
            "first": np.array([line[3] for line in flat])[row],
            "asked": asked,
            "free": free,
            "lacking": np.where(asked >= 0, asked - free, _NONE),
        },
    )


def _lines(verdict: Any) -> list[tuple[str, str, str, bool]]:
    """Return plugin, reason, resource and whether it is the first, for each reason."""
    found = []
    for at, no in enumerate(verdict):
        resources = no.resources or [""] * len(no.reasons)
        for reason, resource in zip(no.reasons, resources, strict=True):
            found.append((no.plugin, reason, resource, at == 0))
    return found


def _categories(words: list[str], row: Any) -> tuple[Any, list[str]]:
    distinct = list(dict.fromkeys(word for word in words if word))
    numbers = {word: at for at, word in enumerate(distinct)}
    codes = np.array([numbers.get(word, -1) for word in words], dtype=np.int32)
    return codes[row], distinct


def scores(facts: Facts) -> Columns:
    """Return the feasible nodes, the best first, with weighted scores per plugin and the total."""
    if not len(facts.totals):
        return Columns("scores", {"node": [], "total": facts.totals})
    order = np.argsort(-facts.totals, kind="stable")
    columns: dict[str, Any] = {
        "node": [facts.feasible[at] for at in order],
        "total": facts.totals[order],
    }
    columns.update({plugin: column[order] for plugin, column in facts.scores.items()})
    return Columns("scores", columns)
