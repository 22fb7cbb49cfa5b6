"""Does it fit: where every pod goes, and why some go nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from . import usage
from .pods import ActivePods, Ref
from .reasons import Verdict, describe, parse
from .rows import Rows, plain
from .settle import settle
from .stranded import stranded, weightless

if TYPE_CHECKING:
    from pathlib import Path

    from wavetank.catalogue import Catalogue
    from wavetank.cluster import Cluster

    from .expand import Expansion
    from .pods import Group
    from .usage import NodeUse, PoolUse

#: Kinds whose objects stand above pods, with the field that says how many they want.
_OWNERS = {
    "Deployment": "deployments.apps",
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "ReplicationController": "replicationcontrollers",
    "DaemonSet": "daemonsets.apps",
    "Job": "jobs.batch",
    "CronJob": "cronjobs.batch",
}
_COUNTED = ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController")


@dataclass(frozen=True)
class Workload:
    """A workload and what became of its pods.

    Attributes
    ----------
    pods
        Pods it wants.
    placed
        Pods that have a node.
    pending
        Pods that have none, those that could not even be created included.
    cpu_milli, memory_bytes
        What one pod requests; of pods that differ, the most.
    limits
        Short words for why pods are pending, each with the number of nodes it held for.
    message
        The scheduler's words for the first pending pod, or why pods cannot be created.
    """

    kind: str
    namespace: str
    name: str
    pods: int
    placed: int
    pending: int
    cpu_milli: int
    memory_bytes: int
    limits: dict[str, int] = field(default_factory=dict)
    message: str = ""

    @property
    def ref(self) -> Ref:
        """Kind, namespace and name."""
        return Ref(self.kind, self.namespace, self.name)


@dataclass(frozen=True)
class Reason:
    """Why pods are pending.

    Attributes
    ----------
    reason
        Kubernetes' words.
    pods
        Pending pods it holds for.
    nodes
        On how many nodes it holds, at most.
    """

    reason: str
    pods: int
    nodes: int


@dataclass(frozen=True)
class Fit:
    """The answer of :func:`fit`.

    Attributes
    ----------
    cluster
        The branch on which everything was placed; go on from it if you like.
    fits
        Whether every pod of every workload has a node.
    nodes
        The nodes with what is requested and allocatable on each.
    pools
        The same, summed over each pool.
    workloads, reasons
        What became of each workload's pods, and why pods are pending.
    notes
        What a reader should know about how the answer came about.
    """

    cluster: Cluster
    fits: bool
    pods: int
    placed: int
    workloads: Rows[Workload]
    reasons: Rows[Reason]
    pools: Rows[PoolUse]
    nodes: Rows[NodeUse]
    virtual_s: float
    notes: list[str] = field(default_factory=list)

    @property
    def pending(self) -> int:
        """Pods without a node."""
        return self.pods - self.placed

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as ``wavetank plan -o json`` prints it."""
        return {
            "fits": self.fits,
            "pods": self.pods,
            "placed": self.placed,
            "pending": self.pending,
            "workloads": self.workloads.to_dicts(),
            "reasons": self.reasons.to_dicts(),
            "pools": self.pools.to_dicts(),
            "nodes": self.nodes.to_dicts(),
            "notes": plain(self.notes),
        }

    def __str__(self) -> str:
        verdict = "everything fits" if self.fits else f"{self.pending:,} pods do not fit"
        return f"{self.placed:,} of {self.pods:,} pods on {len(self.nodes):,} nodes: {verdict}"

    def __repr__(self) -> str:
        return f"<Fit {self}>"


def fit(
    cluster: Cluster,
    *,
    catalogue: Catalogue | str | Path | None = None,
    progress: bool | None = None,
) -> Fit:
    """Tell whether everything in a cluster fits on its nodes.

    The cluster itself does not change: a branch of it is run until nothing moves any more, with
    the real scheduling decisions, preemption included, and no latencies. Pods of workloads that
    have no controller yet are created for the plan, see :mod:`wavetank.plan.expand`.

    Parameters
    ----------
    cluster
        Nodes and workloads.
    catalogue
        A table of machines of your own, for the prices.
    progress
        Show a progress line on standard error when it takes over two seconds; ``None`` means:
        when that is a terminal.

    Returns
    -------
    Fit
        The verdict, workload by workload, pool by pool and node by node.

    Examples
    --------
    >>> import wavetank as wt
    >>> cluster = wt.Cluster()
    >>> _ = cluster.add_nodes(cpu="2", memory="4Gi", count=2)
    >>> pod = {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": 1}}}]}
    >>> _ = cluster.create_many(
    ...     {
    ...         "apiVersion": "v1",
    ...         "kind": "Pod",
    ...         "metadata": {"generateName": "web-"},
    ...         "spec": pod,
    ...     },
    ...     5,
    ... )
    >>> answer = wt.plan.fit(cluster)
    >>> answer.fits, answer.placed, answer.pending
    (False, 4, 1)
    >>> print(answer.reasons)
    REASON            PODS  NODES
    Insufficient cpu  1     2
    """
    settled = settle(cluster, progress=progress)
    branch = settled.cluster
    pods = ActivePods(branch)
    workloads = _workloads(branch, pods, settled.expansion)
    wanted = sum(item.pods for item in workloads)
    placed = sum(item.placed for item in workloads)
    nodes = usage.nodes(branch)
    return Fit(
        cluster=branch,
        fits=placed == wanted,
        pods=wanted,
        placed=placed,
        workloads=workloads,
        reasons=_reasons(pods, workloads),
        pools=usage.pools(branch, catalogue),
        nodes=nodes,
        virtual_s=settled.virtual_s,
        notes=[
            *stranded(workloads, nodes),
            *weightless(workloads),
            *settled.expansion.notes(),
        ],
    )


def _workloads(cluster: Cluster, pods: ActivePods, expansion: Expansion) -> Rows[Workload]:
    """Return what became of each workload, those without any pod included."""
    wanted = _wanted(cluster)
    groups = {group.ref: group for group in pods.groups}
    refs = sorted({*wanted, *groups}, key=lambda ref: (ref.namespace, ref.kind, ref.name))
    rows: Rows[Workload] = Rows()
    for ref in refs:
        why = expansion.refused.get((ref.kind, ref.namespace, ref.name), "")
        rows.append(_workload(ref, groups.get(ref), pods, *wanted.get(ref, (0, "")), why))
    return rows


def _workload(
    ref: Ref, group: Group | None, pods: ActivePods, wanted: int, failure: str, refused: str
) -> Workload:
    rows = group.rows if group is not None else np.empty(0, dtype=np.intp)
    # Of what was refused it is not known how many there would have been: one at least.
    wanted = max(wanted, len(rows) + bool(refused))
    placed = int(pods.placed[rows].sum())
    messages = pods.messages(rows)
    limits = _merged([parse(message) for message in messages])
    message = next(iter(messages), "")
    if len(rows) < wanted:
        limits["not created"] = 0
        message = message or refused or failure
    return Workload(
        kind=ref.kind,
        namespace=ref.namespace,
        name=ref.name,
        pods=wanted,
        placed=placed,
        pending=wanted - placed,
        cpu_milli=pods.each(rows, "cpu_milli"),
        memory_bytes=pods.each(rows, "memory_bytes"),
        limits=limits,
        message=message,
    )


def _merged(verdicts: list[Verdict]) -> dict[str, int]:
    """Return the limits of several verdicts, each with the most nodes it held for."""
    limits: dict[str, int] = {}
    for verdict in verdicts:
        for word, nodes in verdict.limits.items():
            limits[word] = max(limits.get(word, 0), nodes)
    return dict(sorted(limits.items(), key=lambda item: -item[1]))


def _wanted(cluster: Cluster) -> dict[Ref, tuple[int, str]]:
    """Return how many pods each workload's spec asks for, and why some could not be created."""
    wanted: dict[Ref, tuple[int, str]] = {}
    for kind, resource in _OWNERS.items():
        for item in cluster.get(resource):
            metadata = item["metadata"]
            owned = any(owner.get("controller") for owner in metadata.get("ownerReferences") or [])
            if owned or "deletionTimestamp" in metadata:
                continue
            replicas = item["spec"].get("replicas")
            count = (1 if replicas is None else int(replicas)) if kind in _COUNTED else 0
            ref = Ref(kind, metadata["namespace"], metadata["name"])
            wanted[ref] = (count, _failure(item))
    return wanted


def _failure(item: dict[str, Any]) -> str:
    conditions = (item.get("status") or {}).get("conditions") or []
    failing = (c for c in conditions if c["type"] == "ReplicaFailure" and c["status"] == "True")
    return next((str(c.get("message") or "") for c in failing), "")


def _reasons(pods: ActivePods, workloads: Rows[Workload]) -> Rows[Reason]:
    """Return Kubernetes' reasons over all pending pods, the most frequent first."""
    counts: dict[str, list[int]] = {}

    def add(reason: str, number: int, nodes: int) -> None:
        entry = counts.setdefault(reason, [0, 0])
        entry[0] += number
        entry[1] = max(entry[1], nodes)

    for group in pods.groups:
        for message, number in pods.messages(group.rows).items():
            verdict = parse(message)
            for reason, nodes in verdict.reasons.items():
                add(reason, number, nodes)
            if not verdict.reasons:
                add("not looked at by the scheduler", number, 0)
    created = {group.ref: len(group.rows) for group in pods.groups}
    for item in workloads:
        missing = item.pods - created.get(item.ref, 0)
        if missing:
            add(f"could not be created: {item.message}".rstrip(": "), missing, 0)
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1][0], entry[0]))
    return Rows(Reason(reason, *numbers) for reason, numbers in ranked)


def why(item: Workload, nodes: int) -> str:
    """Return why pods of a workload are pending, in one line."""
    return describe(item.limits, nodes)
