"""``wavetank dig``: ask the cluster's DNS, or the world outside, as dig does."""

from __future__ import annotations

import ipaddress
import sys
from typing import Annotated

import typer

from wavetank import Cluster, _core
from wavetank.network.dig import Ask, dig

from .common import NO, guarded, help_text
from .naming import Namespace, Nodes, Zones, is_path, named_cluster
from .settled import Saved

_HELP = """Ask a server for a name and print the reply in dig's own layout.

The question is given as dig takes it: a name, a type (A), a server as @ADDRESS or @NAME, and
+trace, +norec, +short, +tcp, +noedns or +search in any order; -x asks for the name of an address.
Without a server, the cluster's own DNS is asked, or the recursive resolver when there is no
cluster.

[bold]Examples[/bold]

  wavetank dig web.shop.svc.cluster.local examples/shop --nodes 3xm5.large

  wavetank dig _http._tcp.web.shop.svc.cluster.local SRV --cluster after.wavetank

  wavetank dig www.example.com +trace --zones examples/zones

  wavetank dig @ns1.example.com example.com NS +norec --zones examples/zones
"""

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME [TYPE] [+OPTION] [@SERVER] [PATH]...",
        help="The question; then manifests of the cluster, if it is none that was saved.",
        show_default=False,
    ),
]
#: Options and the field of :class:`Ask` each sets.
_OPTIONS = {
    "trace": ("trace", True),
    "notrace": ("trace", False),
    "rec": ("recurse", True),
    "recurse": ("recurse", True),
    "norec": ("recurse", False),
    "norecurse": ("recurse", False),
    "short": ("short", True),
    "noshort": ("short", False),
    "tcp": ("tcp", True),
    "vc": ("tcp", True),
    "notcp": ("tcp", False),
    "edns": ("edns", True),
    "noedns": ("edns", False),
    "search": ("search", True),
    "nosearch": ("search", False),
}


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    command = app.command("dig", help=help_text(_HELP), short_help="Ask DNS for a name.")
    command(guarded(ask_for))


def ask_for(
    words: Words = None,
    cluster: Saved = None,
    nodes: Nodes = None,
    zones: Zones = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="POD",
            help="Who asks: pod/NAME or node/NAME. Its resolv.conf says which server, and for "
            "+search what to put behind the name.",
        ),
    ] = None,
    reverse: Annotated[
        str | None, typer.Option("-x", metavar="ADDRESS", help="Ask for the name of an address.")
    ] = None,
    namespace: Namespace = None,
) -> None:
    """Ask; see the help text above."""
    name, kind, server, flags, paths = _sorted(words or [])
    if reverse is not None:
        name, kind = ipaddress.ip_address(reverse).reverse_pointer, kind or "PTR"
    if not (paths or nodes or cluster or zones):
        raise ValueError("nowhere to look: give --cluster, manifests, or --zones")
    name = name or "."
    kind = kind or ("NS" if name == "." else "A")
    _core.dns_query(name, kind)
    loaded = named_cluster(paths, nodes, cluster, zones, namespace)
    has_cluster = bool(paths or nodes or cluster)
    address, label = _server(loaded, server, source, namespace, has_cluster=has_cluster)
    if flags.pop("search", False):
        name = _searched(loaded, name, kind, source, namespace)
    dotted = name if name.endswith(".") else name + "."
    asked = Ask(dotted, kind, address, label, **flags)
    command = " ".join(word for word in words or [] if word not in paths)
    when = f"{loaded.now:%a %b %d %H:%M:%S} UTC {loaded.now:%Y}"
    text, replied = dig(loaded.world, asked, when=when, command=command or f"-x {reverse}")
    sys.stdout.write(text)
    sys.stdout.flush()
    if not replied:
        raise typer.Exit(NO)


def _sorted(words: list[str]) -> tuple[str, str, str, dict[str, bool], list[str]]:
    """Return name, type, server, options and manifests of the words."""
    name = kind = server = ""
    flags: dict[str, bool] = {}
    paths: list[str] = []
    for word in words:
        if word.startswith("+"):
            field = _OPTIONS.get(word[1:].lower())
            if field is None:
                raise ValueError(f"{word}: there is no such option of dig here")
            flags[field[0]] = field[1]
        elif word.startswith("@"):
            server = word[1:]
        elif not name and not is_path(word):
            name = word
        elif not kind and not is_path(word):
            kind = "" if word.upper() == "IN" else word.upper()
        elif is_path(word):
            paths.append(word)
        else:
            raise ValueError(f"{word}: one name is asked for at a time; it is no manifest either")
    return name, kind, server, flags, paths


def _server(
    cluster: Cluster, server: str, source: str | None, namespace: str | None, *, has_cluster: bool
) -> tuple[str, str]:
    """Return the address of the server to ask, and what it was called."""
    resolver = _first_server(cluster.dns_options.resolv_conf)
    if not server:
        if source is not None:
            server = _first_server(cluster.resolv_conf(source, namespace=namespace))
        else:
            server = cluster.world.dns_addresses()[0] if has_cluster else resolver
        return server, server
    try:
        return str(ipaddress.ip_address(server)), server
    except ValueError:
        pass
    wanted = server.lower().rstrip(".") + "."
    for name, address, _ in cluster.world.dns_servers():
        if name.lower() == wanted:
            return address, server
    found = cluster.resolve(wanted, source="outside").addresses
    if not found:
        raise ValueError(f"couldn't get address for '{server}': not found")
    return found[0], server


def _first_server(conf: str) -> str:
    servers = [line.split()[1] for line in conf.splitlines() if line.startswith("nameserver")]
    return servers[0] if servers else "127.0.0.1"


def _searched(
    cluster: Cluster, name: str, kind: str, source: str | None, namespace: str | None
) -> str:
    """Return the name with what the search list puts behind it, if that is there."""
    found = cluster.resolve(name, kind, source=source, namespace=namespace)
    return found.queries[-1].name if found.queries else name
