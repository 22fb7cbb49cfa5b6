"""``wavetank trace``: every chain and rule a packet meets, and where it ends."""

from __future__ import annotations

import re
import shutil
import sys
from typing import Annotated, Any

import typer

from wavetank.errors import ApiError
from wavetank.network import ProxyOptions
from wavetank.printing.query import server_error

from .common import guarded, help_text, print_data
from .objects import fail
from .settled import Pools, Saved, settled_cluster

_HELP = """Follow a packet: every chain and rule it meets, DNAT, SNAT, and where it ends.

SOURCE is pod/NAME, pod/NAMESPACE/NAME, node/NAME, outside, or an IP address. TO is a Service
(web, web.shop, service/shop/web), pod/NAME, node/NAME or an IP address, with :PORT where it is
not the Service's only one.

[bold]Examples[/bold]

  wavetank trace pod/web-0 cart.shop:80 --cluster after.wavetank

  wavetank trace outside service/shop/storefront --cluster after.wavetank --draw 7

  wavetank trace node/m5-large-0 10.96.0.10:53 --protocol UDP --cluster dump.yaml --every

  wavetank trace node/m5-large-0 cart -n shop examples/shop --nodes 3xm5.large,zones=3
"""
#: Columns of a page: at least so many, and no more than reads well.
_NARROW, _WIDE = 80, 100


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    command = app.command("trace", help=help_text(_HELP), short_help="Where does a packet go?")
    command(guarded(trace))


def trace(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Where it comes from.", show_default=False)
    ],
    to: Annotated[str, typer.Argument(metavar="TO", help="Where it goes.", show_default=False)],
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Manifests to apply first.", show_default=False),
    ] = None,
    cluster: Saved = None,
    nodes: Pools = None,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", metavar="NAME", help="Of names that say none."),
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(metavar="PROTOCOL", help="TCP, UDP or SCTP.")
    ] = None,
    family: Annotated[str | None, typer.Option(metavar="FAMILY", help="IPv4 or IPv6.")] = None,
    node: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Where a packet from outside enters the cluster."),
    ] = None,
    draw: Annotated[
        int | None,
        typer.Option(metavar="SEED", help="Let chance decide: one way instead of all."),
    ] = None,
    every: Annotated[bool, typer.Option("--every", help="Also rules that change nothing.")] = False,
    spread: Annotated[
        str,
        typer.Option(
            metavar="HOW", help="How load balancers choose nodes: round-robin, hash or leader."
        ),
    ] = "round-robin",
    cluster_cidr: Annotated[
        list[str] | None,
        typer.Option(metavar="CIDR", help="Where pods have their addresses; one per family."),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FORM", help="page, json or yaml.")
    ] = "page",
) -> None:
    """Trace; see the help text above."""
    if output not in {"page", "json", "yaml"}:
        raise ValueError(f"--output is page, json or yaml, not {output!r}")
    loaded = settled_cluster(paths or [], nodes or [], cluster, namespace)
    options = None if cluster_cidr is None else ProxyOptions(cluster_cidr=cluster_cidr)
    asked: Any = {"family": family_word(family), "spread": spread}
    try:
        answer = loaded.trace(
            source,
            to,
            namespace=namespace,
            protocol=None if protocol is None else protocol.upper(),
            node=node,
            draw=False if draw is None else draw,
            options=options,
            **asked,
        )
    except ApiError as error:
        fail(server_error(error))
    if output != "page":
        print_data(answer.to_dict(), output)
        return
    print_page(answer.text(every=every, width=page_width()))


def family_word(given: str | None) -> str | None:
    """Return a family as the library takes it."""
    words = {"ipv4": "IPv4", "ipv6": "IPv6", "4": "IPv4", "6": "IPv6"}
    if given is None:
        return None
    if given.lower() not in words:
        raise ValueError(f'Unsupported value: "{given}": supported values: "IPv4", "IPv6"')
    return words[given.lower()]


def page_width() -> int:
    """Return how wide a page is made."""
    return min(max(shutil.get_terminal_size((_WIDE, 24)).columns, _NARROW), _WIDE)


_MARGIN = re.compile(r"^ {4}(\d\S*%|DNAT|SNAT|mark|DROP|REJECT)(?= )")
_COLOURS = {"DROP": "red", "REJECT": "red", "DNAT": "green", "SNAT": "cyan", "mark": "cyan"}


def print_page(text: str) -> None:
    """Print a page, with colours on a terminal."""
    if sys.stdout.isatty():
        lines = text.split("\n")
        text = "\n".join(_painted(line, first=at == 0) for at, line in enumerate(lines))
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _painted(line: str, *, first: bool) -> str:
    if first or line.startswith(("CHANCE", "node ", "load balancer ")):
        return typer.style(line, bold=True)
    found = _MARGIN.match(line)
    if found is None:
        return line
    word = found[1]
    painted = typer.style(word, fg=_COLOURS.get(word, "yellow"), bold=True)
    return line[: found.start(1)] + painted + line[found.end(1) :]
