"""How many more of each workload fit, and what ends it.

Found by really scheduling copies on a branch, one at a time, until the first that no node will
have: the answer is the scheduler's, whatever rules decide. Where no rule makes copies mind each
other, the room of every node is counted instead, which gives the same answer at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wavetank.errors import bad_request

from . import candidates
from .pods import Ref
from .reasons import describe, parse
from .rows import Rows
from .settle import settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wavetank.cluster import Cluster

    from .candidates import Candidate
    from .fit import Fit

#: Workloads tried between two looks at the progress line.
_CHUNK = 8
_NOT_SCHEDULED = "the scheduler leaves these pods alone"


@dataclass(frozen=True)
class Headroom:
    """How many more pods of one workload fit.

    Attributes
    ----------
    more
        Pods placed before the first that no node would have.
    limits
        Short words for what ended it, each with the number of nodes it held for.
    nodes
        Where the pods went: nodes by name, with how many on each.
    capped
        Whether it ended because enough were placed; more may fit then.
    message
        The scheduler's words for the pod that was not placed.
    """

    kind: str
    namespace: str
    name: str
    more: int
    limits: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, int] = field(default_factory=dict, repr=False)
    capped: bool = False
    message: str = field(default="", repr=False)

    @property
    def ref(self) -> Ref:
        """Kind, namespace and name."""
        return Ref(self.kind, self.namespace, self.name)

    @property
    def ends_with(self) -> str:
        """What ended it, in one line."""
        return describe(self.limits, parse(self.message).nodes)

    def __str__(self) -> str:
        more = f"{self.more:,}{'+' if self.capped else ''} more {self.ref}"
        return f"{more}, then {self.ends_with}" if self.limits else more


def headroom(
    cluster: Cluster | Fit,
    workload: Any = None,
    *,
    namespace: str | None = None,
    at_most: int | None = None,
    progress: bool | None = None,
) -> Rows[Headroom]:
    """Return how many more pods of workloads fit.

    The cluster itself does not change. It is settled first, see :func:`wavetank.plan.fit`; each
    workload is then tried alone, on a branch of its own. A pod that could only be placed by
    preempting others does not fit, and pods that are pending already stay so.

    Parameters
    ----------
    cluster
        Nodes and what runs on them; or the answer of :func:`wavetank.plan.fit`, which saves
        settling once more.
    workload
        One workload of the cluster, ``"deployment/web"``; or manifests of one that is not in the
        cluster (a file, a folder, text, a dict), whose other objects are applied first; without
        it, all workloads. DaemonSets are left out: they have one pod per node.
    namespace
        The namespace of a workload named without one.
    at_most
        Pods of one workload to place. Without it, as many as fit; but where copies mind each
        other, by topology spread or pod affinity say, and have to be placed one at a time, it
        ends with 10,000.
    progress
        Show a progress line on standard error when it takes over two seconds; ``None`` means:
        when that is a terminal.

    Returns
    -------
    Rows of Headroom
        One per workload, in order of namespace, kind and name; of a manifest, in its order.

    Raises
    ------
    NotFoundError
        When there is no such workload.
    BadRequestError
        When the cluster has scheduling plugins written in Python.

    Examples
    --------
    >>> import wavetank as wt
    >>> cluster = wt.Cluster()
    >>> _ = cluster.add_nodes(cpu="2", memory="4Gi", count=4)
    >>> small = {"requests": {"cpu": "150m", "memory": "100Mi"}}
    >>> pod = {
    ...     "apiVersion": "v1",
    ...     "kind": "Pod",
    ...     "metadata": {"name": "small-pod"},
    ...     "spec": {"containers": [{"name": "c", "image": "i", "resources": small}]},
    ... }
    >>> print(wt.plan.headroom(cluster, pod)[0])
    52 more pod/small-pod, then cpu
    """
    if at_most is not None and at_most < 1:
        raise ValueError(f"at_most is at least 1, not {at_most}")
    branch = _settled(cluster, progress)
    if workload is None:
        chosen = candidates.of_cluster(branch)
    elif candidates.is_manifest(workload):
        branch, chosen = candidates.of_manifest(branch, workload, namespace)
    else:
        chosen = [candidates.named(branch, str(workload), namespace)]
    return _try(branch, chosen, at_most, progress)


def _settled(cluster: Cluster | Fit, progress: bool | None) -> Cluster:
    from wavetank.cluster import Cluster  # noqa: PLC0415 - the facade imports the plan lazily

    if isinstance(cluster, Cluster):
        return settle(cluster, progress=progress).cluster
    return cluster.cluster


def headroom_of(
    answer: Fit,
    chosen: Sequence[Candidate],
    *,
    at_most: int | None = None,
    progress: bool | None = None,
) -> Rows[Headroom]:
    """Return how many more fit of some of the workloads of a plan."""
    return _try(answer.cluster, chosen, at_most, progress)


def _try(
    branch: Cluster, chosen: Sequence[Candidate], at_most: int | None, progress: bool | None
) -> Rows[Headroom]:
    from wavetank.progress import steps  # noqa: PLC0415 - rich is slow to import

    asked = [plugin["name"] for plugin in branch.world.plugins() if not plugin["expression"]]
    if asked:
        raise bad_request(
            f'headroom is counted without leaving the core, where plugin "{asked[0]}" is not: '
            "create the pods on a fork instead"
        )
    rows: Rows[Headroom] = Rows()
    chunks = [chosen[at : at + _CHUNK] for at in range(0, len(chosen), _CHUNK)]
    for chunk in steps(chunks, "trying how many more fit", progress):
        found = branch.world.headroom([candidate.copies for candidate in chunk], at_most)
        for candidate, answer in zip(chunk, found, strict=True):
            rows.append(_row(candidate.ref, answer))
    return rows


def _row(ref: Ref, found: Any) -> Headroom:
    if found is None:
        return Headroom(ref.kind, ref.namespace, ref.name, 0, {"gone": 0})
    if isinstance(found, Exception):
        return Headroom(ref.kind, ref.namespace, ref.name, 0, {"refused": 0}, message=str(found))
    message = found["message"] or ""
    limits = parse(message).limits
    if found["end"] == "not scheduled":
        limits, message = {"not scheduled": 0}, _NOT_SCHEDULED
    return Headroom(
        ref.kind,
        ref.namespace,
        ref.name,
        more=found["count"],
        limits=limits,
        nodes=found["nodes"],
        capped=found["end"] == "asked",
        message=message,
    )
