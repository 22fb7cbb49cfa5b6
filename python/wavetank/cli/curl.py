"""``wavetank curl``: a request, from the name in its URL to the pod that answers."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from wavetank.errors import ApiError
from wavetank.network.response import line
from wavetank.printing.query import server_error

from .common import guarded, help_text, print_data, say
from .objects import fail
from .settled import Pools, Saved, settled_cluster
from .trace import family_word, page_width

_HELP = """Send a request as curl -v does, and show its way: DNS, load balancer, node, Ingress, pod.

Lines with ~ are what happens in the network. The exit code and the sentence of an error are
curl's: 6 no such host, 7 refused, 28 timeout, 60 certificate.

[bold]Examples[/bold]

  wavetank curl http://shop.example/ --cluster after.wavetank

  wavetank curl http://cart.shop --source pod/shop/web-0 --cluster after.wavetank --rules

  wavetank curl http://shop.example/ -n shop examples/shop --nodes 3xm5.large,zones=3
"""
_COLOURS = {"~": "cyan", "<": "green", ">": "bright_black", "*": "bright_black"}


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    command = app.command("curl", help=help_text(_HELP), short_help="Who answers a request?")
    command(guarded(curl))


def curl(
    url: Annotated[str, typer.Argument(metavar="URL", help="What to ask for.", show_default=False)],
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Manifests to apply first.", show_default=False),
    ] = None,
    cluster: Saved = None,
    nodes: Pools = None,
    source: Annotated[
        str,
        typer.Option(
            metavar="WHO", help="pod/NAME, pod/NAMESPACE/NAME, node/NAME, outside or an IP address."
        ),
    ] = "outside",
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", metavar="NAME", help="Of names that say none."),
    ] = None,
    method: Annotated[
        str, typer.Option("--request", "-X", metavar="METHOD", help="GET, POST, ...")
    ] = "GET",
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", metavar="LINE", help='"Name: value"; several may be given.'),
    ] = None,
    cookie: Annotated[
        list[str] | None,
        typer.Option(
            "--cookie", "-b", metavar="NAME=VALUE", help="A cookie; several may be given."
        ),
    ] = None,
    resolve: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST:PORT:ADDRESS", help="Use this address instead of a look-up."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", "-k", help="Take any certificate.")
    ] = False,
    connect_timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="When to give up.")
    ] = None,
    node: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Where a request from outside enters the cluster."),
    ] = None,
    family: Annotated[str | None, typer.Option(metavar="FAMILY", help="IPv4 or IPv6.")] = None,
    spread: Annotated[
        str,
        typer.Option(
            metavar="HOW", help="How load balancers choose nodes: round-robin, hash or leader."
        ),
    ] = "round-robin",
    draw: Annotated[
        int, typer.Option(metavar="SEED", help="The seed of random choices, and whose turn it is.")
    ] = 0,
    rules: Annotated[
        bool, typer.Option("--rules", help="Also the rules each connection meets.")
    ] = False,
    silent: Annotated[
        bool, typer.Option("--silent", "-s", help="The answer's body alone.")
    ] = False,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FORM", help="page, json or yaml.")
    ] = "page",
) -> None:
    """Send the request; see the help text above."""
    if output not in {"page", "json", "yaml"}:
        raise ValueError(f"--output is page, json or yaml, not {output!r}")
    loaded = settled_cluster(paths or [], nodes or [], cluster, namespace)
    asked: Any = {"family": family_word(family), "spread": spread}
    try:
        answer = loaded.curl(
            url,
            source=source,
            namespace=namespace,
            method=method,
            headers=dict(_pair("--header", one, ":") for one in header or ()),
            cookies=dict(_pair("--cookie", one, "=") for one in cookie or ()),
            resolve=resolve or (),
            insecure=insecure,
            connect_timeout=connect_timeout,
            node=node,
            draw=draw,
            **asked,
        )
    except ApiError as error:
        fail(server_error(error))
    if output != "page":
        print_data(answer.to_dict(), output)
    elif silent:
        sys.stdout.write(answer.body)
    else:
        for mark, text in answer.lines:
            typer.echo(_painted(mark, line(mark, text)))
        for trace in answer.traces if rules else ():
            typer.echo("\n" + trace.text(width=page_width()))
    sys.stdout.flush()
    if answer.exit_code:
        say(f"curl: ({answer.exit_code}) {answer.error}", "red")
        raise typer.Exit(answer.exit_code)


def _painted(mark: str, line: str) -> str:
    if not sys.stdout.isatty() or mark not in _COLOURS:
        return line
    return typer.style(line, fg=_COLOURS[mark])


def _pair(option: str, text: str, mark: str) -> tuple[str, str]:
    name, found, value = text.partition(mark)
    if not found or not name.strip():
        raise ValueError(f"{option}: {text!r}: it is written NAME{mark} VALUE")
    return name.strip(), value.strip()
