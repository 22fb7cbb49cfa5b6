"""The answer: why a pod is where it is, or nowhere, and what would change that."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wavetank.plan.rows import Rows

from . import page, tables, words

if TYPE_CHECKING:
    from wavetank.results import Table

    from .change import Change, Object
    from .facts import Facts
    from .trials import Case

#: Feasible nodes that plain data has.
_BEST = 10


@dataclass(frozen=True)
class Group:
    """Nodes that refuse a pod for one reason.

    Attributes
    ----------
    nodes
        How many there are.
    alone
        How many of them have no other reason: those are one change away.
    plugin
        The plugin.
    reason
        Kubernetes' words.
    why
        The reason with its figures, for the node that comes closest.
    node
        That node.
    """

    nodes: int
    alone: int
    plugin: str
    reason: str = field(repr=False)
    why: str
    node: str


@dataclass(frozen=True)
class Explanation:
    """The answer of :meth:`wavetank.Cluster.explain`.

    Attributes
    ----------
    pod, namespace
        The pod.
    owner
        The workload it belongs to, ``deployment/web``; empty for none.
    pods
        Pods in the same position: the pod and equal ones of its workload.
    state
        ``"pending"``, ``"bound"``, ``"gated"``, ``"not ours"`` (no scheduler of its name),
        ``"deleting"``, ``"ended"``, or ``"new"`` for a pod that does not exist yet.
    node
        The node of a bound pod; of others the one they would go to as the cluster is now, and
        empty if there is none.
    message
        What the scheduler says of it: the text of FailedScheduling.
    evicts
        Pods that the scheduler would delete to make room on that node.
    blocked
        What keeps the pod from every node before any is looked at, by plugin.
    groups
        Why nodes refuse it, and how many.
    changes
        What would let it in, the least intrusive and smallest first.
    notes
        What else a reader should know.
    """

    pod: str
    namespace: str
    state: str
    facts: Facts | None = field(default=None, repr=False)
    owner: str = ""
    pods: tuple[str, ...] = ()
    node: str = ""
    message: str = ""
    evicts: tuple[str, ...] = ()
    blocked: dict[str, str] = field(default_factory=dict)
    groups: Rows[Group] = field(default_factory=Rows)
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    document: Object = field(default_factory=dict, repr=False)
    case: Case | None = field(default=None, repr=False)

    @property
    def fits(self) -> bool:
        """Whether the pod has a node, or would go to one without anybody making room."""
        return bool(self.node) and not self.evicts

    @cached_property
    def nodes(self) -> Table:
        """What each node says: a row per node and reason."""
        return tables.nodes(self.facts) if self.facts else tables.Columns("nodes", {"node": []})

    @cached_property
    def scores(self) -> Table:
        """The feasible nodes with weighted scores per plugin, the best first."""
        return tables.scores(self.facts) if self.facts else tables.Columns("scores", {"node": []})

    def on(self, node: str) -> list[str]:
        """Return everything that keeps the pod off one node, with figures; nothing if none does.

        Raises
        ------
        NotFoundError
            When there is no such node.
        """
        if self.case is None:
            return []
        if node not in self.case.facts.nodes:
            self.case.cluster.get("nodes", node)
            return []
        at = self.case.facts.nodes.index(node)
        said = int(self.case.facts.said[at])
        noes = self.case.facts.verdicts[said] if said >= 0 else ()
        return [f"{no.plugin}: {line}" for no in noes for line in words.why(self.case, at, no)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as ``wavetank explain -o json`` prints it."""
        scores = self.scores.to_numpy() if self.facts else {}
        best = [
            {name: _plain(column[at]) for name, column in scores.items() if len(column)}
            for at in range(min(_BEST, len(scores.get("node", []))))
        ]
        return {
            "pod": self.pod,
            "namespace": self.namespace,
            "owner": self.owner,
            "pods": list(self.pods),
            "state": self.state,
            "node": self.node,
            "message": self.message,
            "evicts": list(self.evicts),
            "blocked": self.blocked,
            "nodes": len(self.facts.nodes) if self.facts else 0,
            "feasible": int((self.facts.said < 0).sum()) if self.facts else 0,
            "groups": self.groups.to_dicts(),
            "changes": [change.to_dict() for change in self.changes],
            "scores": best,
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        return page.text(self)

    def __repr__(self) -> str:
        return f"<Explanation {page.headline(self)}>"

    def _repr_html_(self) -> str:
        return page.html(self)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
