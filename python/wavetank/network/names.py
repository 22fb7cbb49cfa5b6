"""Names: what a pod's resolver makes of them, and how DNS is set up."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from wavetank.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wavetank.api import Api

Library: TypeAlias = Literal["glibc", "musl"]

#: What a node's resolv.conf says unless told otherwise: the address of its recursive resolver.
NODE_RESOLV_CONF = "nameserver 192.168.0.2\n"


@dataclass(frozen=True)
class DnsOptions:
    """How DNS is set up.

    Attributes
    ----------
    zone
        The cluster's zone.
    server
        Where pods find the cluster's server when there is no Service kube-system/kube-dns; the
        tenth address of the service range when ``None``, as kubeadm has it.
    resolv_conf
        The nodes' own resolv.conf. Its nameservers are recursive resolvers of the world outside.
    zones
        That world: zone files, folders of them, or a dict of names and texts.
    silent
        Addresses of servers outside that do not reply.
    """

    zone: str = "cluster.local"
    server: str | None = None
    resolv_conf: str = NODE_RESOLV_CONF
    zones: str | Path | Sequence[str | Path] | Mapping[str, str] = ()
    silent: Sequence[str] = ()

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> DnsOptions:
        """Return the options the compiled half has."""
        given = dict(settings)
        files = given.pop("files")
        return cls(**given, zones=dict(files))

    def to_core(self) -> dict[str, Any]:
        """Return the options as the compiled half takes them."""
        silent = [self.silent] if isinstance(self.silent, str) else list(self.silent)
        return {
            "zone": self.zone,
            "server": self.server,
            "resolv_conf": self.resolv_conf,
            "files": zone_files(self.zones),
            "silent": silent,
        }


def zone_files(
    zones: str | Path | Sequence[str | Path] | Mapping[str, str],
) -> list[list[str]]:
    """Return names and texts of zone files; of a folder, those that end in ``.zone`` or ``.db``.

    Raises
    ------
    FileNotFoundError
        When a file is not there, or a folder has none.
    """
    if not isinstance(zones, (str, Path)) and hasattr(zones, "items"):
        return [[str(name), text] for name, text in zones.items()]
    paths = [zones] if isinstance(zones, (str, Path)) else list(zones)
    found: list[list[str]] = []
    for path in map(Path, paths):
        files = [path]
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.suffix in {".zone", ".db"})
            if not files:
                raise FileNotFoundError(f'the folder "{path}" has no zone files (.zone or .db)')
        elif not path.exists():
            raise FileNotFoundError(f'the path "{path}" does not exist')
        found += [[str(file), file.read_text(encoding="utf-8")] for file in files]
    return found


@dataclass(frozen=True)
class Record:
    """A record: whose it is, how long it may be kept (seconds), its type, and what it says."""

    name: str
    ttl: int
    type: str
    data: str

    def __str__(self) -> str:
        return f"{self.name} {self.ttl} IN {self.type} {self.data}"


@dataclass(frozen=True)
class Query:
    """A query that was sent.

    Attributes
    ----------
    name, type
        What was asked.
    server
        Whom.
    rcode
        What came back, such as ``"NXDOMAIN"``; ``None`` for nothing.
    answers
        How many records the answer has: none with ``NOERROR`` means the name is there without
        the type.
    transport
        ``"udp"``, or ``"tcp"`` after a reply that did not fit.
    cached
        Whether the cluster's server remembered the answer.
    """

    name: str
    type: str
    server: str
    rcode: str | None
    answers: int
    transport: str
    cached: bool


@dataclass(frozen=True)
class Upstream:
    """A query the recursive resolver sent: to which server, what, and what came of it."""

    server: str
    address: str
    name: str
    type: str
    outcome: str


@dataclass(frozen=True)
class Resolution:
    """What came of looking a name up.

    Attributes
    ----------
    name, type
        What was asked for; the type is ``None`` for addresses of both families.
    records
        The answer, aliases first.
    rcode
        ``"NOERROR"``, ``"NXDOMAIN"``, ``"SERVFAIL"``, ...; ``None`` when nobody replied.
    canonical_name
        The name at the end of the search list and of aliases; ``None`` when nothing was found.
    queries
        Every query it took, in order.
    upstream
        What the recursive resolver asked meanwhile.
    """

    name: str
    type: str | None
    records: tuple[Record, ...]
    rcode: str | None
    canonical_name: str | None
    queries: tuple[Query, ...]
    upstream: tuple[Upstream, ...] = field(repr=False)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses found, in the order of the answer."""
        return tuple(record.data for record in self.records if record.type in {"A", "AAAA"})

    def __bool__(self) -> bool:
        return bool(self.records)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    def __str__(self) -> str:
        from .dig import resolution_text  # noqa: PLC0415 - only who prints it needs it

        return resolution_text(self)


def resolv_conf(api: Api, source: str, namespace: str | None) -> str:
    """Return the resolv.conf of a pod, of a node, or of a client outside."""
    if not isinstance(source, str):
        raise TypeError(
            f'a source is given as "pod/NAME" or "node/NAME", not as {type(source).__name__}'
        )
    kind, slash, name = source.partition("/")
    if slash and kind in {"pod", "pods", "po"}:
        *within, name = name.split("/")
        if len(within) < 2:
            place = within[0] if within else namespace or "default"
            return api.world.resolv_conf(place, name)[0]
    elif slash and kind in {"node", "nodes", "no"}:
        if api.find("nodes", name) is None:
            raise NotFoundError(f'nodes "{name}" not found')
        return str(api.world.dns_settings()["resolv_conf"])
    elif not slash:
        from .places import locate  # noqa: PLC0415

        place_of = locate(api, source, namespace)
        if place_of.kind == "pod":
            return api.world.resolv_conf(place_of.namespace, place_of.name)[0]
        return str(api.world.dns_settings()["resolv_conf"])
    raise ValueError(
        f'source: {source!r}: a source is "pod/NAME", "pod/NAMESPACE/NAME", "node/NAME", '
        f'"outside" or an IP address'
    )


def resolve(
    api: Api, name: str, kind: str | None, source: str | None, namespace: str | None, library: str
) -> Resolution:
    """Look a name up; see :meth:`wavetank.Cluster.resolve`."""
    if source is None:
        conf, _ = api.world.resolv_conf(namespace or "default", None)
    else:
        conf = resolv_conf(api, source, namespace)
    asked = None if kind is None else kind.upper()
    found = api.world.dns_resolve(name, asked, conf, library)
    return Resolution(
        name,
        asked,
        tuple(Record(*record) for record in found["records"]),
        found["rcode"],
        found["canonical"],
        tuple(Query(**query) for query in found["queries"]),
        tuple(Upstream(**step) for step in found["upstream"]),
    )
