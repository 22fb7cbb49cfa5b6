"""The tables of ``wavetank plan``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from wavetank.amounts import amount, cpu, size
from wavetank.plan.fit import why

from .bars import bar
from .common import WIDTH, console, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from wavetank.plan import Fit, Headroom, NodeUse, PoolUse, Workload
    from wavetank.plan.pods import Ref

#: Nodes shown one by one; more are shown in groups.
_SINGLE_NODES = 20
#: Groups of equal nodes shown; more are shown by how full they are.
_GROUPS = 20
#: Columns of a bar, at least and at most; and of the figure behind it.
_BAR = (6, 24)
_PER_CENT = 5
#: Columns between two columns of a table.
_GAP = 2
_USUAL = ("cpu", "memory", "pods")


def print_plan(answer: Fit, more: Sequence[Headroom], refused: int, limit: int | None) -> None:
    """Print everything a plan found."""
    out = console()
    width = out.width if out.is_terminal else WIDTH
    _verdict(out, answer, refused)
    if answer.reasons:
        out.print()
        show(out, _reasons(answer))
    if answer.workloads:
        out.print()
        _print_workloads(out, answer, more, limit)
    out.print()
    show(out, _pools(answer.pools, width))
    out.print()
    show(out, _nodes(answer.nodes, limit, width))
    if answer.notes:
        out.print()
    for note in answer.notes:
        out.print(Text(f"Note: {note}."))


def _table(*columns: str) -> Table:
    """Return an aligned table without lines; a name that begins with ``>`` goes to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        right = name.startswith(">")
        table.add_column(name.lstrip(">"), justify="right" if right else "left", no_wrap=True)
    return table


def _bar_width(columns: Sequence[Sequence[str]], bars: int, width: int) -> int:
    """Return what is left for each of the bars of a table beside its other columns."""
    others = sum(max(map(len, column)) + _GAP for column in columns)
    left = (width - others - (bars - 1) * _GAP) // bars - _PER_CENT
    return min(max(left, _BAR[0]), _BAR[1])


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _verdict(out: Console, answer: Fit, refused: int) -> None:
    where = _plural(len(answer.nodes), "node")
    if not answer.pods:
        text, style = f"Nothing to place on {where}.", "bold"
    elif answer.fits:
        text, style = f"Fits: {_plural(answer.pods, 'pod')} on {where}.", "bold green"
    else:
        text = (
            f"Does not fit: {answer.pending:,} of {_plural(answer.pods, 'pod')} "
            f"{'has' if answer.pending == 1 else 'have'} no place on {where}."
        )
        style = "bold red"
    out.print(Text(text, style=style))
    if refused:
        text = f"{_plural(refused, 'object')} refused, see above; the plan is without."
        out.print(Text(text, style="red"))


def _reasons(answer: Fit) -> Table:
    table = _table(">PENDING", "BECAUSE", ">NODES")
    for item in answer.reasons:
        nodes = f"{item.nodes:,} of {len(answer.nodes):,}" if item.nodes else "-"
        table.add_row(f"{item.pods:,}", Text(item.reason, overflow="fold"), nodes)
    table.columns[1].no_wrap = False
    return table


def _print_workloads(
    out: Console, answer: Fit, more: Sequence[Headroom], limit: int | None
) -> None:
    found = {item.ref: item for item in more}
    several = len({item.namespace for item in answer.workloads}) > 1
    # The sort is stable: what does not fit comes first, the rest stays in order.
    rows = sorted(answer.workloads, key=lambda item: not item.pending)
    shown = rows if limit is None or len(rows) <= limit else rows[:limit]
    columns = ["WORKLOAD", ">PODS", ">PENDING", ">CPU", ">MEMORY"]
    if found:
        columns += [">MORE", "THEN"]
    elif any(item.pending for item in rows):
        columns += ["WHY"]
    table = _table(*(["NAMESPACE"] if several else []), *columns)
    for item in shown:
        cells = _workload_cells(item, found, len(answer.nodes))[: len(columns)]
        table.add_row(*([item.namespace] if several else []), *cells)
    table.columns[-1].no_wrap = False
    show(out, table)
    if len(shown) < len(rows):
        out.print(f"... and {len(rows) - len(shown):,} more workloads; --all shows every one")


def _workload_cells(item: Workload, found: dict[Ref, Headroom], nodes: int) -> list[str | Text]:
    room = found.get(item.ref)
    cells: list[str | Text] = [
        str(item.ref),
        f"{item.pods:,}",
        Text(f"{item.pending:,}", style="bold red") if item.pending else "-",
        cpu(item.cpu_milli) if item.cpu_milli else "-",
        size(item.memory_bytes) if item.memory_bytes else "-",
    ]
    if not found:
        return [*cells, why(item, nodes)]
    if room is None:
        return [*cells, "-", "one per node" if item.kind == "DaemonSet" else ""]
    count = f"{room.more:,}{'+' if room.capped else ''}"
    return [*cells, Text(count, style="yellow" if not room.more else ""), room.ends_with]


def _pools(pools: Sequence[PoolUse], width: int) -> Table:
    priced = any(pool.price_usd_hour is not None for pool in pools)
    header = ["POOL", ">NODES", *([">USD/H"] if priced else [])]
    header += ["RESOURCE", ">REQUESTED", ">ALLOCATABLE"]
    rows: list[tuple[list[str], float]] = []
    for pool in pools:
        price = "-" if pool.price_usd_hour is None else f"{pool.price_usd_hour:,.3f}"
        head = [pool.pool, f"{pool.nodes:,}", *([price] if priced else [])]
        for name, use in pool.resources.items():
            cells = [name, amount(name, use.requested), amount(name, use.allocatable)]
            rows.append(([*head, *cells], use.share))
            head = [""] * len(head)
    cells_only = [cells for cells, _ in rows]
    bars = _bar_width(list(zip(header, *cells_only, strict=True)), 1, width)
    table = _table(*header, "USED")
    for cells, share in rows:
        table.add_row(*cells, bar(share, bars))
    return table


def _nodes(nodes: Sequence[NodeUse], limit: int | None, width: int) -> Table:
    """Return how full each node is: one by one, in groups of equals, or by deciles."""
    if limit is None or len(nodes) <= _SINGLE_NODES:
        return _single_nodes(nodes, width)
    groups: dict[tuple[Any, ...], list[NodeUse]] = {}
    for node in nodes:
        key = (node.pool, node.schedulable, tuple(node.resources.items()))
        groups.setdefault(key, []).append(node)
    if len(groups) <= _GROUPS:
        return _equal_nodes(list(groups.values()), width)
    return _deciles(nodes)


def _shown_resources(nodes: Sequence[NodeUse]) -> list[str]:
    """Return the resources that get a bar: cpu, memory and what is asked for besides."""
    names = nodes[0].resources if nodes else {}
    others = [
        name
        for name in names
        if name not in _USUAL and any(node.resources[name].requested for node in nodes)
    ]
    return ["cpu", "memory", *others[:2]]


def _with_bars(
    header: Sequence[str],
    rows: Sequence[tuple[Sequence[str], NodeUse]],
    names: Sequence[str],
    width: int,
) -> Table:
    """Return a table of nodes with a bar for each of these resources."""
    columns = list(zip(header, *(cells for cells, _ in rows), strict=True))
    size_of_bar = _bar_width(columns, len(names), width)
    table = _table(*header, *(name.upper() for name in names))
    for cells, node in rows:
        first, *rest = cells
        name = Text(first)
        if not node.schedulable:
            name.stylize("yellow")
        bars = [bar(node.resources[name].share, size_of_bar) for name in names]
        table.add_row(name, *rest, *bars)
    return table


def _single_nodes(nodes: Sequence[NodeUse], width: int) -> Table:
    zoned = any(node.zone for node in nodes)
    header = ["NODE", *(["ZONE"] if zoned else []), ">PODS"]
    rows: list[tuple[list[str], NodeUse]] = []
    for node in sorted(nodes, key=lambda node: _natural(node.name)):
        name = node.name if node.schedulable else f"{node.name} (off)"
        rows.append(([name, *([node.zone or "-"] if zoned else []), _pods(node)], node))
    return _with_bars(header, rows, _shown_resources(nodes), width)


def _equal_nodes(groups: Sequence[Sequence[NodeUse]], width: int) -> Table:
    rows: list[tuple[list[str], NodeUse]] = []
    for group in sorted(groups, key=lambda group: (group[0].pool, -len(group))):
        first = group[0]
        pool = first.pool if first.schedulable else f"{first.pool} (off)"
        rows.append(([f"{len(group):,}", pool, _pods(first)], first))
    names = _shown_resources([node for _, node in rows])
    return _with_bars([">NODES", "OF POOL", ">PODS EACH"], rows, names, width)


def _deciles(nodes: Sequence[NodeUse]) -> Table:
    """Return how many nodes of each pool are how full, by the resource they are fullest in."""
    counts: dict[str, dict[int, int]] = {}
    for node in nodes:
        fullest = max((use.share for use in node.resources.values()), default=0.0)
        decile = min(int(fullest * 10 + 1e-9), 9)
        pool = counts.setdefault(node.pool, {})
        pool[decile] = pool.get(decile, 0) + 1
    table = _table("POOL", "FULLEST RESOURCE", ">NODES", "OF THE POOL")
    for pool_name, found in counts.items():
        total = sum(found.values())
        for at, decile in enumerate(sorted(found, reverse=True)):
            table.add_row(
                pool_name if at == 0 else "",
                f"{decile * 10:>2}-{decile * 10 + 10}%",
                f"{found[decile]:,}",
                bar(found[decile] / total, _BAR[1], plain=True),
            )
    return table


def _pods(node: NodeUse) -> str:
    use = node.resources["pods"]
    return f"{use.requested:,}/{use.allocatable:,}"


def _natural(name: str) -> list[Any]:
    """Return a key that sorts ``node-10`` after ``node-9``."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
