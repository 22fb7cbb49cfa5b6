"""Pictures of traffic: connections per endpoint, between zones, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .plotting import COLOURS, grid_of, legend_below

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Counts = Sequence[float] | NDArray[np.int64] | NDArray[np.float64]

_INK, _FAINT = "#333333", "#BBBBBB"


def shares(counts: Mapping[str, Counts]) -> Figure:
    """Draw how connections spread over endpoints: a panel per case, a bar per endpoint.

    The line is an equal share; nineteen of twenty endpoints lie in the band around it when each
    connection chooses at random.

    Parameters
    ----------
    counts
        For every case the connections of each endpoint.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not counts:
        raise ValueError("there is nothing to draw")
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415 - optional and slow to import

    figure, axes = grid_of(1, len(counts), 3.0)
    for axis, (name, found) in zip(axes, counts.items(), strict=True):
        values = np.asarray(found, dtype=float)
        total, fair = values.sum() or 1, 1 / len(values)
        spread = 1.96 * np.sqrt(fair * (1 - fair) / total)
        axis.axhspan(max(0, fair - spread), fair + spread, color="#E7EEF4", linewidth=0)
        axis.axhline(fair, color=_FAINT, linewidth=1)
        axis.bar(range(len(values)), values / total, color=COLOURS[0], width=0.7)
        axis.set_title(f"{name}\n", loc="left", size="small", weight="bold", color=_INK)
        deviation = values.std() / (values.mean() or 1)
        text = f"from {values.min():,.0f} to {values.max():,.0f} each, deviation {deviation:.0%}"
        axis.text(0, 1.03, text, transform=axis.transAxes, size="small", color="#777777")
        axis.set_xticks([])
        axis.spines[["top", "right", "bottom"]].set_visible(False)
        axis.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
        axis.set_xlabel(f"{len(values)} endpoints", size="small", color=_INK)
    axes[0].set_ylabel("share of the connections", size="small", color=_INK)
    return figure


def stacked(parts: Mapping[str, Mapping[str, float]], *, title: str = "") -> Figure:
    """Draw what each bar is made of: a bar per name, a colour per part.

    Parameters
    ----------
    parts
        For every part its size by bar, such as the connections an endpoint kept and took over.
    title
        What the figure shows.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = list(dict.fromkeys(name for sizes in parts.values() for name in sizes))
    if not names:
        raise ValueError("there is nothing to draw")
    figure, (axis,) = grid_of(1, 1, 0.9 + 0.27 * len(names))
    left = np.zeros(len(names))
    for (part, sizes), colour in zip(parts.items(), COLOURS, strict=False):
        widths = np.array([sizes.get(name, 0) for name in names], dtype=float)
        axis.barh(range(len(names)), widths, left=left, height=0.72, color=colour, label=part)
        left += widths
    for place, size in enumerate(left):
        axis.text(size, place, f" {size:,.0f}", va="center", size="small", color=_INK)
    axis.set_yticks(range(len(names)), names, size="small")
    axis.invert_yaxis()
    axis.set_xlim(0, left.max() * 1.12 or 1)
    axis.set_xticks([])
    axis.tick_params(left=False, colors=_INK)
    axis.spines[["top", "right", "bottom"]].set_visible(False)
    axis.spines["left"].set_color(_FAINT)
    legend_below(figure, [axis])
    figure.suptitle(title, x=0.01, ha="left", weight="bold", color=_INK)
    return figure


def between(matrices: Mapping[str, NDArray[np.float64]], names: Sequence[str]) -> Figure:
    """Draw who talks to whom: a panel per case, clients' zones down, endpoints' across.

    Parameters
    ----------
    matrices
        For every case the connections from each zone (row) to each zone (column).
    names
        The zones.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not matrices:
        raise ValueError("there is nothing to draw")
    figure, axes = grid_of(1, len(matrices), 3.4)
    for axis, (name, matrix) in zip(axes, matrices.items(), strict=True):
        shares_ = matrix / (matrix.sum() or 1)
        crossing = 1 - np.trace(shares_)
        axis.imshow(shares_, cmap="Blues", vmin=0, vmax=max(0.4, shares_.max()))
        for (row, column), share in np.ndenumerate(shares_):
            colour = "white" if share > 0.22 else _INK
            axis.text(column, row, f"{share:.0%}", ha="center", va="center", color=colour)
        axis.set_title(
            f"{name}: {crossing:.0%} cross zones",
            loc="left",
            size="small",
            weight="bold",
            color=_INK,
        )
        axis.set_xticks(range(len(names)), names)
        axis.set_yticks(range(len(names)), names)
        axis.tick_params(length=0, colors=_INK)
        axis.spines[:].set_visible(False)
        axis.set_xlabel("zone of the endpoint", size="small", color=_INK)
    axes[0].set_ylabel("zone of the client", size="small", color=_INK)
    return figure
