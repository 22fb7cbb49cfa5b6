"""``wavetank iptables``: the rules kube-proxy writes on a node."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from wavetank import Cluster
from wavetank.network import ProxyOptions

from .common import guarded
from .objects import ClusterFile

_HELP = """Print the rules of a node as kube-proxy gives them to iptables-restore.

Services come in the order of their names; kube-proxy's own order is random.

[bold]Examples[/bold]

  wavetank iptables node-1 --cluster after.wavetank

  wavetank iptables node-1 --cluster dump.yaml --family IPv6 --cluster-cidr fd00:10::/64

  wavetank iptables node-1 --no-counters | iptables-restore --noflush --test
"""

_CIDR = "Where pods have their addresses; may be given once per family. As the cluster has it."


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    command = app.command("iptables", help=_HELP, short_help="Print the rules of a node.")
    command(guarded(iptables))


def iptables(
    node: Annotated[str, typer.Argument(metavar="NODE", help="The node.", show_default=False)],
    cluster: ClusterFile,
    family: Annotated[str, typer.Option(metavar="FAMILY", help="IPv4 or IPv6.")] = "IPv4",
    cluster_cidr: Annotated[list[str] | None, typer.Option(metavar="CIDR", help=_CIDR)] = None,
    masquerade_all: Annotated[
        bool, typer.Option("--masquerade-all", help="Masquerade all traffic to cluster IPs.")
    ] = False,
    node_port_addresses: Annotated[
        list[str] | None,
        typer.Option(metavar="CIDR", help="At which of the node's addresses node ports answer."),
    ] = None,
    counters: Annotated[
        bool, typer.Option(help="Whether the kernel has the counters kube-proxy asks for.")
    ] = True,
) -> None:
    """Print; see the help text above."""
    options = ProxyOptions(
        cluster_cidr=cluster_cidr,
        masquerade_all=masquerade_all,
        node_port_addresses=node_port_addresses or (),
        counters=counters,
    )
    words = {"ipv4": "IPv4", "ipv6": "IPv6", "4": "IPv4", "6": "IPv6"}
    asked = words.get(family.lower(), family)
    text = Cluster.load(cluster).iptables(node, family=asked, options=options)  # type: ignore[arg-type]
    sys.stdout.write(text)
    sys.stdout.flush()
