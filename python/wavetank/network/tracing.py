"""The way of one packet: every chain and rule it meets, and where it ends."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from . import trace_page

if TYPE_CHECKING:
    from .balancing import LoadBalancer
    from .places import Place
    from .targets import Target

#: What becomes of a connection, as its sender sees it.
CONNECTED, REFUSED, TIMEOUT = "connected", "connection refused", "timeout"
#: No rule translated the packet, and no pod or node of the cluster has the address.
ROUTED_AWAY = "routed away"


@dataclass(frozen=True)
class Step:
    """A rule a packet met.

    Attributes
    ----------
    node
        The node it is a rule of.
    table, hook
        The table, and the kernel's chain it is reached by: ``nat``, ``PREROUTING``.
    depth
        How many jumps led to it.
    rule
        The rule as iptables writes it.
    chance
        The chance that the packet comes past here.
    """

    node: str
    table: str
    hook: str
    depth: int
    rule: str
    chance: float

    @property
    def chain(self) -> str:
        """The chain the rule is in."""
        return self.rule.split(" ", 2)[1]

    @property
    def target(self) -> str:
        """What it does: a chain it leads to, ``DNAT``, ``DROP``, ..."""
        return self.rule.rpartition(" -j ")[2].split(" ", 1)[0]


@dataclass(frozen=True)
class Hop:
    """One machine on the way: a node with its rules, or a load balancer.

    Attributes
    ----------
    kind
        ``"node"`` or ``"load balancer"``.
    name
        The node, or the balancer's Service.
    source, destination
        Address and port of both ends when the packet arrives.
    hooks
        The kernel's tables and chains it went through.
    steps
        The rules it met there.
    translated, masqueraded
        Whether the node gave it another destination, and its own address as source.
    chance
        The chance that the packet comes here.
    """

    kind: str
    name: str
    source: str
    destination: str
    hooks: tuple[tuple[str, str], ...] = ()
    steps: tuple[Step, ...] = ()
    translated: bool = False
    masqueraded: bool = False
    chance: float = 1.0


@dataclass(frozen=True)
class End:
    """One end a packet may come to.

    Attributes
    ----------
    verdict
        ``"connected"``, ``"connection refused"``, ``"timeout"`` or ``"routed away"``.
    chance
        How likely it is.
    address, port
        Where the packet is then.
    pod, namespace
        The pod that answers; empty when it is none.
    node, zone
        The node it is on.
    source
        The address it sees the packet come from.
    why
        More about it, for people.
    hops
        The machines on the way, each with the rules met there.
    """

    verdict: str
    chance: float
    address: str
    port: int
    source: str
    pod: str = ""
    namespace: str = ""
    node: str = ""
    zone: str = ""
    why: str = ""
    hops: tuple[Hop, ...] = field(default=(), repr=False)

    @property
    def steps(self) -> list[Step]:
        """The rules met on the way, in order."""
        return [step for hop in self.hops for step in hop.steps]

    @property
    def masqueraded(self) -> bool:
        """Whether a node put its own address in place of the sender's."""
        return any(hop.masqueraded for hop in self.hops)


@dataclass(frozen=True)
class Trace:
    """The answer of :meth:`wavetank.Cluster.trace`: prints as a page.

    Attributes
    ----------
    source
        Where the packet comes from.
    target
        What was asked for, and what is on the packet.
    ends
        Every end it may come to, in the order of the rules; one if it was drawn.
    drawn
        Whether chance was let decide.
    balancer
        The load balancer it meets first, if any.
    notes
        What else a reader should know.
    """

    source: Place
    target: Target
    ends: tuple[End, ...]
    drawn: bool = False
    balancer: LoadBalancer | None = None
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """What the sender sees; of several ends with several verdicts, all of them."""
        return " or ".join(dict.fromkeys(end.verdict for end in self.ends))

    @property
    def endpoint(self) -> End | None:
        """The end it comes to, when there is only one."""
        return self.ends[0] if len(self.ends) == 1 else None

    @property
    def steps(self) -> list[Step]:
        """The rules met, each once: those all ways share, then those of each way in turn."""
        return list(dict.fromkeys(step for end in self.ends for step in end.steps))

    def text(self, *, every: bool = False, width: int = 96, most: int = 4) -> str:
        """Return the page.

        Parameters
        ----------
        every
            Also the rules that changed nothing: jumps to chains that had nothing to say.
        width
            Columns to fill.
        most
            Of a random choice, how many branches are shown.
        """
        return trace_page.text(self, every=every, width=width, most=most)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as ``wavetank trace -o json`` prints it."""
        return {
            "source": asdict(self.source),
            "target": asdict(self.target),
            "verdict": self.verdict,
            "drawn": self.drawn,
            "balancer": self.balancer.to_dict() if self.balancer else None,
            "ends": [asdict(end) for end in self.ends],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Trace {trace_page.headline(self)}>"

    def _repr_html_(self) -> str:
        return trace_page.html(self)
