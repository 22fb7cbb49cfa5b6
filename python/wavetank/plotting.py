"""Pictures of plans and of clusters, with matplotlib (``pip install wavetank[plot]``).

Every function returns a figure that a notebook shows and a script saves with ``savefig``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .amounts import amount
from .plan.pods import ActivePods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from .cluster import Cluster
    from .plan import Fit, Headroom, NodeUse

#: Okabe and Ito's colours, which people with any colour vision tell apart; grey is for the rest.
COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#332288",
)
_REST = "#BBBBBB"
_INK = "#333333"
#: Nodes drawn one by one; more are drawn as a curve.
_SINGLE_NODES = 40
#: Resources and their columns in the table of pods.
_COLUMNS = {"cpu": "cpu_milli", "memory": "memory_bytes"}


def packing(answer: Fit, resources: Sequence[str] = ("cpu", "memory")) -> Figure:
    """Draw how full each node is, and with what.

    Up to 40 nodes are bars, each divided by workload; more are curves, the fullest node first.

    Parameters
    ----------
    answer
        What :func:`wavetank.plan.fit` found.
    resources
        The resources to draw, one panel each. Of others than cpu and memory it is not known
        which workload has how much.

    Returns
    -------
    matplotlib.figure.Figure
    """
    unknown = [name for name in resources if not any(name in n.resources for n in answer.nodes)]
    if unknown or not resources:
        known = ", ".join(answer.nodes[0].resources) if answer.nodes else "none"
        raise ValueError(f"no node has {', '.join(unknown) or 'nothing'}; there are {known}")
    many = len(answer.nodes) > _SINGLE_NODES
    height = 3.6 if many else 1.6 + 0.32 * len(answer.nodes)
    figure, axes = _panels(len(resources), height)
    for axis, resource in zip(axes, resources, strict=True):
        _frame(axis, f"{resource} requested")
        if many:
            _curve(axis, answer.nodes, resource)
        else:
            _bars(axis, answer, resource)
    if not many:
        _legend(figure, axes)
        axes[0].set_yticks(range(len(answer.nodes)), [_label(node) for node in answer.nodes])
        axes[0].invert_yaxis()
    title = f"{answer.placed:,} of {answer.pods:,} pods on {len(answer.nodes):,} nodes"
    if not answer.fits:
        title += f", {answer.pending:,} without a place"
    figure.suptitle(title, x=0.01, ha="left", weight="bold", color=_INK)
    return figure


def headroom(rows: Sequence[Headroom], *, most: int = 30) -> Figure:
    """Draw how many more of each workload fit, and what ends it.

    Parameters
    ----------
    rows
        What :func:`wavetank.plan.headroom` found.
    most
        Workloads to draw; those with the least room come first.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = sorted(rows, key=lambda row: row.more)[:most]
    if not shown:
        raise ValueError("there is no workload to draw")
    figure, (axis,) = _panels(1, 1.2 + 0.28 * len(shown))
    _frame(axis, "pods more than now", share=False)
    ends = list(dict.fromkeys(next(iter(row.limits), "") for row in shown))
    colours = dict(zip(ends, [*COLOURS, *[_REST] * len(ends)], strict=False))
    longest = max(row.more for row in shown) or 1
    for place, row in enumerate(shown):
        first = next(iter(row.limits), "")
        axis.barh(place, row.more, color=colours[first], height=0.7)
        text = f" {row.more:,}{'+' if row.capped else ''}"
        then = f"  then {row.ends_with}" if row.limits else ""
        axis.text(row.more, place, text, va="center", weight="bold", color=_INK)
        axis.text(
            row.more + longest * 0.06, place, then, va="center", size="small", color="#777777"
        )
    axis.set_yticks(range(len(shown)), [str(row.ref) for row in shown])
    axis.invert_yaxis()
    axis.set_xlim(0, longest * 1.45)
    figure.suptitle("How many more fit", x=0.01, ha="left", weight="bold", color=_INK)
    return figure


def load(
    clusters: Mapping[str, Cluster], *, room_for: tuple[int, int] | None = None, width: int = 4
) -> Figure:
    """Draw how full every node of several clusters is, by cpu and by memory: a dot per node.

    Parameters
    ----------
    clusters
        What to compare, by name: the same cluster under several policies, say.
    room_for
        Milli-CPU and bytes of memory a pod asks for. Nodes that still have room for one stand in
        a shaded area, and the panel counts how many such pods fit.
    width
        Panels side by side.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not clusters:
        raise ValueError("there is no cluster to draw")
    rows = -(-len(clusters) // width)
    figure, axes = _grid(rows, min(width, len(clusters)))
    for place, (name, cluster) in enumerate(clusters.items()):
        _dots(axes[place], name, cluster, COLOURS[place % len(COLOURS)], room_for)
    for axis in axes[len(clusters) :]:
        axis.set_visible(False)
    figure.supxlabel("cpu requested of each node", size="small", color=_INK)
    figure.supylabel("memory requested", size="small", color=_INK)
    return figure


def _grid(rows: int, columns: int) -> tuple[Figure, list[Axes]]:
    import matplotlib.pyplot as plt  # noqa: PLC0415 - optional and slow to import

    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(2.7 * columns + 0.4, 2.9 * rows + 0.3),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    plt.close(figure)
    return figure, list(axes.flat)


def _dots(
    axis: Axes, name: str, cluster: Cluster, colour: str, room_for: tuple[int, int] | None
) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - optional and slow to import
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    nodes = cluster.nodes
    cpu, memory = nodes["allocatable_cpu_milli"], nodes["allocatable_memory_bytes"]
    cpu_used, memory_used = nodes["requested_cpu_milli"], nodes["requested_memory_bytes"]
    axis.set_title(name, loc="left", size="small", weight="bold", color=_INK, pad=20)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color("#BBBBBB")
    axis.tick_params(colors=_INK, labelsize="small", length=2)
    if room_for is not None and len(cpu):
        right, top = 1 - room_for[0] / cpu.max(), 1 - room_for[1] / memory.max()
        axis.add_patch(Rectangle((0, 0), right, top, color="#E7EEF4", linewidth=0, zorder=0))
        fits = np.minimum((cpu - cpu_used) // room_for[0], (memory - memory_used) // room_for[1])
        text = f"room for {int(np.maximum(fits, 0).sum()):,} more"
        axis.text(0, 1.05, text, size="small", color="#50708A")
    axis.scatter(
        cpu_used / np.maximum(cpu, 1),
        memory_used / np.maximum(memory, 1),
        s=26,
        color=colour,
        alpha=0.55,
        linewidth=0,
        clip_on=False,
        zorder=3,
    )
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 1)
    axis.set_aspect("equal")
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_formatter(PercentFormatter(xmax=1))
        side.set_ticks([0, 0.5, 1])


def bars(
    table: Mapping[str, Mapping[str, float]], *, units: Mapping[str, str] | None = None
) -> Figure:
    """Draw figures of several policies side by side: a panel per figure, a bar per policy.

    Parameters
    ----------
    table
        For every policy its figures by name.
    units
        What to write after the values of a figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not table:
        raise ValueError("there is nothing to draw")
    figures = list(next(iter(table.values())))
    figure, axes = _panels(len(figures), 0.8 + 0.34 * len(table))
    for axis, name in zip(axes, figures, strict=True):
        _frame(axis, name, share=False)
        values = [float(row[name]) for row in table.values()]
        colours = [COLOURS[place % len(COLOURS)] for place in range(len(values))]
        axis.barh(range(len(values)), values, color=colours, height=0.65, alpha=0.85)
        unit = (units or {}).get(name, "")
        for place, value in enumerate(values):
            exact = value == int(value) or abs(value) >= 10
            text = f" {value:,.0f}{unit}" if exact else f" {value:,.1f}{unit}"
            axis.text(value, place, text, va="center", size="small", color=_INK)
        axis.set_xlim(0, (max(values) or 1) * 1.3)
        axis.set_xticks([])
        axis.spines["bottom"].set_visible(False)
        axis.axvline(0, color="#BBBBBB", linewidth=1)
        axis.grid(visible=False)
    axes[0].set_yticks(range(len(table)), list(table))
    axes[0].invert_yaxis()
    return figure


def _panels(count: int, height: float) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure that no list of open figures knows, so that notebooks show it once."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - optional and slow to import

    figure, axes = plt.subplots(
        1, count, figsize=(10, height), sharey=True, squeeze=False, layout="constrained"
    )
    plt.close(figure)
    return figure, list(axes[0])


def grid_of(rows: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure of equal panels that a notebook shows once."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - optional and slow to import

    figure, axes = plt.subplots(
        rows, columns, figsize=(10, height), squeeze=False, layout="constrained"
    )
    plt.close(figure)
    return figure, list(axes.flat)


def legend_below(figure: Figure, axes: Sequence[Axes]) -> None:
    """Put one legend for all panels below them."""
    _legend(figure, axes)


def _frame(axis: Axes, title: str, *, share: bool = True) -> None:
    axis.set_title(title, loc="left", size="small", color="#777777")
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(left=False, colors=_INK)
    axis.grid(axis="x", color="#E5E5E5")
    axis.set_axisbelow(True)
    if share:
        from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

        axis.set_xlim(0, 1)
        axis.xaxis.set_major_formatter(PercentFormatter(xmax=1))


def _bars(axis: Axes, answer: Fit, resource: str) -> None:
    offered = np.array([_offered(node, resource) for node in answer.nodes], dtype=float)
    shares = [node.resources[resource].share for node in answer.nodes]
    places = np.arange(len(answer.nodes))
    axis.barh(places, np.ones(len(places)), color="#F4F4F4", height=0.7)
    left = np.zeros(len(places))
    for name, colour, amounts in _parts(answer, resource):
        widths = np.divide(amounts, offered, out=np.zeros_like(left), where=offered > 0)
        axis.barh(places, widths, left=left, color=colour, height=0.7, label=name, linewidth=0)
        left += widths
    if resource not in _COLUMNS:
        axis.barh(places, shares, color=COLOURS[0], height=0.7)
    for place, node in enumerate(answer.nodes):
        use = node.resources[resource]
        free = amount(resource, use.allocatable - use.requested)
        # On the bar where it is nearly full, behind it elsewhere.
        inside = use.share > 0.75
        axis.text(
            0.99 if inside else use.share + 0.01,
            place,
            f"{free} free",
            va="center",
            ha="right" if inside else "left",
            size="small",
            color=_INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.75},
        )


def _parts(answer: Fit, resource: str) -> list[tuple[str, str, NDArray[np.float64]]]:
    """Return what the largest workloads request of each node, and the rest together."""
    if resource not in _COLUMNS:
        return []
    pods = ActivePods(answer.cluster)
    codes, names = pods.columns["node"]
    place = {node.name: at for at, node in enumerate(answer.nodes)}
    places = np.array([place.get(name, 0) for name in names], dtype=np.intp)
    values = pods.columns[_COLUMNS[resource]].astype(float)

    def of_nodes(rows: NDArray[np.intp]) -> NDArray[np.float64]:
        placed = rows[pods.placed[rows]]
        found = np.bincount(places[codes[placed]], values[placed], minlength=len(place))
        return found.astype(np.float64)

    amounts = {str(group.ref): of_nodes(group.rows) for group in pods.groups}
    # One order for all resources, so that a colour means the same workload in every panel.
    order = sorted(amounts, key=lambda name: -_weight(answer, name))
    drawn = order[: len(COLOURS)]
    parts = [(name, colour, amounts[name]) for name, colour in zip(drawn, COLOURS, strict=False)]
    rest = [amounts[name] for name in order[len(COLOURS) :]]
    if rest:
        parts.append((f"{len(rest)} others", _REST, np.sum(rest, axis=0)))
    return parts


def _weight(answer: Fit, name: str) -> float:
    """Return how much of the cluster a workload takes, by the resource it takes most of."""
    rows = [row for row in answer.workloads if str(row.ref) == name]
    total: dict[str, int] = {"cpu": 1, "memory": 1}
    for pool in answer.pools:
        for resource in total:
            total[resource] += pool.resources[resource].allocatable
    cpu = sum(row.placed * row.cpu_milli for row in rows) / total["cpu"]
    memory = sum(row.placed * row.memory_bytes for row in rows) / total["memory"]
    return max(cpu, memory)


def _curve(axis: Axes, nodes: Sequence[NodeUse], resource: str) -> None:
    """Draw the share of every node, pool by pool, the fullest first."""
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    pools: dict[str, list[float]] = {}
    for node in nodes:
        pools.setdefault(node.pool, []).append(node.resources[resource].share)
    for (pool, shares), colour in zip(pools.items(), [*COLOURS, *[_REST] * 99], strict=False):
        ranked = np.sort(shares)[::-1]
        label = f"{pool} ({len(shares):,})"
        axis.plot(np.arange(1, len(ranked) + 1), ranked, color=colour, lw=2, label=label)
        axis.fill_between(np.arange(1, len(ranked) + 1), ranked, color=colour, alpha=0.15, lw=0)
    axis.set_xlim(1, max(map(len, pools.values())))
    axis.set_ylim(0, 1.02)
    axis.grid(axis="y", color="#E5E5E5")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    axis.set_xlabel("nodes, the fullest first", color=_INK)
    axis.legend(frameon=False, fontsize="small", loc="lower left")


def _legend(figure: Figure, axes: Sequence[Axes]) -> None:
    handles: list[Any] = []
    names: list[str] = []
    for axis in axes:
        for handle, name in zip(*axis.get_legend_handles_labels(), strict=True):
            if name not in names:
                handles.append(handle)
                names.append(name)
    if names:
        figure.legend(
            handles, names, loc="outside lower left", ncols=5, frameon=False, fontsize="small"
        )


def _offered(node: NodeUse, resource: str) -> int:
    use = node.resources.get(resource)
    return use.allocatable if use else 0


def _label(node: NodeUse) -> str:
    zone = f"  {node.zone}" if node.zone else ""
    return f"{node.name}{zone}{'' if node.schedulable else ' (off)'}"
