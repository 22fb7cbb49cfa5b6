"""``wavetank dns``: the cluster's DNS on a real port."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from .common import guarded, help_text
from .naming import Namespace, Nodes, Zones, named_cluster
from .settled import Saved

if TYPE_CHECKING:
    from wavetank import Cluster
    from wavetank.network import DnsServer

_HELP = """Answer DNS for a cluster on a real port, UDP and TCP, as its CoreDNS would.

Names outside the cluster are those of the zone files, if any. Ctrl-C ends it with a short summary.

[bold]Examples[/bold]

  wavetank dns examples/shop --nodes 3xm5.large --port 5353

  dig @127.0.0.1 -p 5353 web.shop.svc.cluster.local

  wavetank dns --cluster after.wavetank --zones examples/zones --port 0
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    command = app.command("dns", help=help_text(_HELP), short_help="Answer DNS on a real port.")
    command(guarded(serve))


def serve(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Manifests of the cluster.", show_default=False),
    ] = None,
    cluster: Saved = None,
    nodes: Nodes = None,
    zones: Zones = None,
    port: Annotated[
        int, typer.Option(metavar="N", help="The port; 0 for any that is free.")
    ] = 5353,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen at.")
    ] = "127.0.0.1",
    namespace: Namespace = None,
) -> None:
    """Serve; see the help text above."""
    if not (paths or nodes or cluster or zones):
        raise ValueError("nothing to answer: give --cluster, manifests, or --zones")
    loaded = named_cluster(paths or [], nodes, cluster, zones, namespace)
    # Also where a shell that started this in the background would have SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with loaded.serve_dns(port, host=host) as server:
        try:
            _introduce(loaded, server)
            threading.Event().wait()
        except KeyboardInterrupt:
            server.close()
        sys.stdout.write("\n" + summary(server.counters) + "\n")


def _introduce(cluster: Cluster, server: DnsServer) -> None:
    zone = cluster.dns_options.zone
    count = len(cluster.keys("services"))
    services = f"{count:,} service{'' if count == 1 else 's'}"
    sys.stdout.write(
        f"answering for {zone} ({services}) on {server.host} port {server.port}, "
        f"UDP and TCP\ntry: dig @{server.host} -p {server.port} ns.dns.{zone}\nCtrl-C ends it\n"
    )
    sys.stdout.flush()


#: Counters of replies by what they are called, and those of what was wrong.
_REPLIES = ("noerror", "nxdomain", "servfail", "refused", "other")
_WRONG = ("truncated", "malformed", "not_implemented", "ignored", "closed", "failed", "panics")


def summary(counters: dict[str, int]) -> str:
    """Return what a server did, in a sentence or two.

    >>> summary({"udp": 3, "tcp": 1, "noerror": 3, "nxdomain": 1, "truncated": 1})
    '4 queries (3 UDP, 1 TCP): 3 NOERROR, 1 NXDOMAIN; 1 truncated'
    """
    udp, tcp = counters.get("udp", 0), counters.get("tcp", 0)
    count = udp + tcp
    text = f"{count:,} {'query' if count == 1 else 'queries'}"
    if count:
        text += f" ({udp:,} UDP, {tcp:,} TCP)"
    replies = [(name.upper(), counters.get(name, 0)) for name in _REPLIES]
    wrong = [(name.replace("_", " "), counters.get(name, 0)) for name in _WRONG]
    for intro, parts in ((": ", replies), ("; ", wrong)):
        told = ", ".join(f"{figure:,} {name}" for name, figure in parts if figure)
        text += intro + told if told else ""
    return text
