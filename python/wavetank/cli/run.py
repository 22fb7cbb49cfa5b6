"""``wavetank run``: play virtual time and print events as they happen."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from wavetank import _core
from wavetank import plan as planning
from wavetank.files import is_saved
from wavetank.plan.expand import rules_for
from wavetank.plan.volumes import is_bound

from .common import BAD_INPUT, INTERRUPTED, WARNINGS, console, guarded, help_text, say, say_all
from .plan import (
    CatalogueFile,
    ClusterFile,
    Namespace,
    Nodes,
    Paths,
    Recursive,
    Seed,
    Strict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wavetank.cluster import Cluster
    from wavetank.driver import Stopped

_HELP = """Play virtual time and print events as they happen.

The manifests are applied to a cluster that exists only in memory, and controllers, scheduler and
kubelets act on a virtual clock: hours pass in seconds. Each line is an event, with the virtual
time since the start. Ctrl-C stops between two steps; what --save asks for is still written.

[bold]Examples[/bold]

  wavetank run examples/shop --nodes 3xm5.large,zones=3

  wavetank run web.yaml --nodes 4x2cpu,4Gi --until 10m --save after.wavetank

  wavetank run --cluster after.wavetank --until 1h --latencies ideal -o json
"""
#: Writes kept for the events of one step; without it a large step would lose some.
_HISTORY = 4_000_000
_WIDTHS = (9, 7, 18, 38)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("run", help=help_text(_HELP), short_help="Play virtual time and print events.")(
        guarded(run)
    )


def run(
    paths: Paths = None,
    nodes: Nodes = None,
    cluster: ClusterFile = None,
    until: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="settled, a duration such as 10m, or a time such as 2026-01-01T06:00:00Z.",
        ),
    ] = "settled",
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the cluster to a file at the end.")
    ] = None,
    latencies: Annotated[
        str | None,
        typer.Option(
            metavar="PRESET",
            help="default: a cloud cluster; ideal: nothing takes time. A saved cluster keeps its "
            "own unless told otherwise.",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FORM", help="table, json (a line each) or none."),
    ] = "table",
    service_cidr: Annotated[
        str | None,
        typer.Option(
            metavar="CIDR[,CIDR]",
            help="Addresses of Services; one block per family, 10.96.0.0/12 if not given.",
        ),
    ] = None,
    pod_cidr: Annotated[
        str | None,
        typer.Option(
            metavar="CIDR[,CIDR]", help="Addresses of pods, of the Services' families if not given."
        ),
    ] = None,
    catalogue: CatalogueFile = None,
    namespace: Namespace = None,
    seed: Seed = 0,
    strict: Strict = False,
    recursive: Recursive = False,
) -> None:
    """Run; see the help text above."""
    _check(output, save, until)
    if cluster is not None and (service_cidr or pod_cidr):
        raise ValueError(
            "--service-cidr and --pod-cidr are for new clusters: --cluster has its own"
        )
    inputs = planning.build(
        paths or [],
        nodes=nodes or [],
        cluster=cluster,
        catalogue=catalogue,
        namespace=namespace,
        seed=seed,
        strict=strict,
        recursive=recursive,
        latencies=latencies or "default",
        service_cidr=service_cidr or "",
        pod_cidr=pod_cidr or "",
    )
    if cluster is not None and (latencies is not None or not is_saved(cluster)):
        inputs.cluster.latencies = latencies or "default"
    say_all("Warning", [*_idle(inputs.cluster), *inputs.warnings], "yellow", WARNINGS)
    for text in inputs.notes:
        say(f"Note: {text}.")
    say_all("error", inputs.refused, "red")
    interrupted = _play(inputs.cluster, until, output)
    if save is not None:
        inputs.cluster.save(save)
        say(f"saved to {save}")
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if inputs.refused:
        raise typer.Exit(BAD_INPUT)


def _check_time(until: str) -> None:
    """Refuse what is neither a duration nor a time before anything is read."""
    read = _core.parse_time if "T" in until else _core.parse_duration
    try:
        sound = read(until) >= 0
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(
            f"--until is settled, a duration such as 10m, or a time such as "
            f"2026-01-01T06:00:00Z, not {until!r}"
        )


def _idle(cluster: Cluster) -> list[str]:
    """Return warnings about objects that no controller acts on."""
    warnings = []
    idle = {rule.kind: len(cluster.keys(rule.resource)) for rule in rules_for(cluster)}
    kinds = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in idle.items() if count)
    if kinds:
        warnings.append(
            f"wavetank has no controller for these kinds yet, they get no pods: {kinds}"
        )
    claims = sum(not is_bound(claim) for claim in cluster.get("persistentvolumeclaims"))
    if claims:
        text = f"{claims:,} claim{'s' * (claims > 1)}"
        warnings.append(f"wavetank makes no volumes yet, pods stay pending that need them: {text}")
    return warnings


def _play(cluster: Cluster, until: str, output: str) -> bool:
    """Run and print; tell whether Ctrl-C ended it."""
    cluster.world.set_history(_HISTORY)
    printer = _Printer(cluster, output)
    with _patient() as interrupted:

        def step() -> None:
            printer.print_new()
            if interrupted():
                raise KeyboardInterrupt

        try:
            stopped: Stopped | None = cluster.run(until, progress=False, on_step=step)
        except KeyboardInterrupt:
            stopped = None
    reason = stopped.reason if stopped else "interrupted"
    wall = f", {stopped.wall_s:.2f} s of real time" if stopped else ""
    say(f"{reason} at +{printer.elapsed(cluster.now_ns)}: {_summary(cluster)}{wall}")
    return stopped is None


@contextmanager
def _patient() -> Iterator[Callable[[], bool]]:
    """Yield a question: was Ctrl-C pressed? Only the second one breaks off what is going on.

    So a line is printed whole, or not at all.
    """
    pressed = False

    def note(_signum: int, _frame: object) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _summary(cluster: Cluster) -> str:
    pods = cluster.world.columns("pods")
    codes, words = pods["phase"]
    counts = {word: int((codes == at).sum()) for at, word in enumerate(words)}
    ready = int(pods["ready"].sum())
    parts = [f"{count:,} {word.lower()}" for word, count in counts.items() if count]
    listed = ", ".join(parts) or "none"
    return f"{len(codes):,} pods ({listed}; {ready:,} ready)"


class _Printer:
    """Prints the events of a cluster that were not printed yet."""

    def __init__(self, cluster: Cluster, output: str) -> None:
        self._cluster = cluster
        self._output = output
        self._began_ns = cluster.now_ns
        self._seen = cluster.world.revision
        self._console = console()
        self._headed = False

    def elapsed(self, ns: int) -> str:
        """Return virtual time since the start, in milliseconds at the finest."""
        return _core.format_duration((ns - self._began_ns) // 1_000_000 * 1_000_000)

    def print_new(self) -> None:
        """Print what happened since the last call."""
        if self._output == "none":
            return
        columns, self._seen = self._cluster.world.events_after(self._seen)
        for row in _rows(columns):
            if self._output == "json":
                typer.echo(json.dumps(self._plain(row), ensure_ascii=False))
            else:
                self._print_row(row)

    def _plain(self, row: dict[str, Any]) -> dict[str, Any]:
        return {
            "time": _core.format_time(row["last"]),
            "elapsed_ns": row["last"] - self._began_ns,
            **{key: row[key] for key in ("type", "reason", "namespace")},
            "object": _object(row),
            **{key: row[key] for key in ("component", "message", "count")},
        }

    def _print_row(self, row: dict[str, Any]) -> None:
        if not self._headed:
            self._headed = True
            self._line(["TIME", "TYPE", "REASON", "OBJECT", "MESSAGE"], "bold")
        times = f" (x{row['count']})" if row["count"] > 1 else ""
        cells = [
            f"+{self.elapsed(row['last'])}",
            row["type"],
            row["reason"],
            _object(row),
            row["message"] + times,
        ]
        self._line(cells, "yellow" if row["type"] == "Warning" else "")

    def _line(self, cells: list[str], style: str) -> None:
        *head, message = cells
        padded = (cell.ljust(width) for cell, width in zip(head, _WIDTHS, strict=True))
        text = Text("  ".join([*padded, message]), style=style)
        self._console.print(text, no_wrap=True, overflow="ignore", crop=False)


def _rows(columns: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield columns of the core as rows."""
    lists: dict[str, list[Any]] = {}
    for name, values in columns.items():
        if isinstance(values, tuple):
            codes, words = values
            lists[name] = [words[code] if code >= 0 else "" for code in codes.tolist()]
        elif isinstance(values, list):
            lists[name] = values
        else:
            lists[name] = values.astype("int64").tolist()
    for row in zip(*lists.values(), strict=True):
        yield dict(zip(lists, row, strict=True))


def _object(row: dict[str, Any]) -> str:
    return f"{row['object_kind'].lower()}/{row['name']}"


def _check(output: str, save: Path | None, until: str) -> None:
    """Refuse options that make no sense."""
    if output not in {"table", "json", "none"}:
        raise ValueError(f"--output is table, json or none, not {output!r}")
    if save is not None and not save.absolute().parent.is_dir():
        raise ValueError(f"--save {save}: there is no folder {save.parent}")
    if save is not None and save.is_dir():
        raise ValueError(f"--save {save} is a folder: a file is wanted")
    if until != "settled":
        _check_time(until)
