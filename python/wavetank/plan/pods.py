"""The pods of a cluster by the workload that stands above them.

A Deployment's pods belong to its ReplicaSets, a CronJob's to its Jobs; people think of the
Deployment and the CronJob. Pods that nobody controls are workloads of their own; those that were
made from one template count as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from wavetank.cluster import Cluster

#: Kinds whose objects may stand between a pod and its workload.
_BETWEEN = {"ReplicaSet": "replicasets.apps", "Job": "jobs.batch"}


@dataclass(frozen=True)
class Ref:
    """A workload by kind, namespace and name."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.lower()}/{self.name}"


@dataclass(frozen=True)
class Group:
    """The active pods of one workload; every field is an index into the columns of pods."""

    ref: Ref
    rows: NDArray[np.intp]


class ActivePods:
    """Pods that have not ended and are not being deleted, with what they ask for."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.columns: dict[str, Any] = cluster.world.columns("pods")
        codes, words = self.columns["phase"]
        over = [at for at, word in enumerate(words) if word in {"Succeeded", "Failed"}]
        self.active: NDArray[np.bool_] = ~np.isin(codes, over) & ~self.columns["deleting"]
        self.placed: NDArray[np.bool_] = self.columns["node"][0] >= 0

    def __len__(self) -> int:
        return int(self.active.sum())

    @cached_property
    def groups(self) -> list[Group]:
        """Pods by workload, in order of namespace, kind and name."""
        rows = np.flatnonzero(self.active)
        owners: dict[Ref, list[NDArray[np.intp]]] = {}
        for ref, members in [*self._controlled(rows), *self._bare(rows)]:
            owners.setdefault(self._top(ref), []).append(members)
        found = [Group(ref, np.sort(np.concatenate(parts))) for ref, parts in owners.items()]
        return sorted(
            found, key=lambda group: (group.ref.namespace, group.ref.kind, group.ref.name)
        )

    def _controlled(self, rows: NDArray[np.intp]) -> Iterator[tuple[Ref, NDArray[np.intp]]]:
        """Yield pods by their controller."""
        namespace, namespaces = self.columns["namespace"]
        kind, kinds = self.columns["owner_kind"]
        owner, owners = self.columns["owner"]
        rows = rows[owner[rows] >= 0]
        # One number per combination, for sorting numbers is fast.
        key = (namespace[rows].astype(np.int64) * len(kinds) + kind[rows]) * len(owners) + owner[
            rows
        ]
        for value, members in _by_value(key, rows):
            rest, at_owner = divmod(value, len(owners))
            at_namespace, at_kind = divmod(rest, len(kinds))
            yield Ref(kinds[at_kind], namespaces[at_namespace], owners[at_owner]), members

    def _bare(self, rows: NDArray[np.intp]) -> Iterator[tuple[Ref, NDArray[np.intp]]]:
        """Yield pods without a controller by their template; the first lends its name."""
        codes, namespaces = self.columns["namespace"]
        rows = rows[self.columns["owner"][0][rows] < 0]
        for _, members in _by_value(self.columns["template"][rows], rows):
            first = int(members[0])
            yield Ref("Pod", namespaces[codes[first]], self.columns["name"][first]), members

    def _top(self, ref: Ref) -> Ref:
        return self._parents.get(ref, ref)

    @cached_property
    def _parents(self) -> dict[Ref, Ref]:
        """What stands above the objects between pods and workloads."""
        parents = {}
        for kind, resource in _BETWEEN.items():
            for item in self._cluster.get(resource):
                owner = controller_of(item)
                if owner is not None:
                    namespace = item["metadata"]["namespace"]
                    ref = Ref(kind, namespace, item["metadata"]["name"])
                    parents[ref] = Ref(owner["kind"], namespace, owner["name"])
        return parents

    def messages(self, rows: NDArray[np.intp]) -> dict[str, int]:
        """Return what the scheduler said of unplaced pods, with how many it said it of."""
        codes, words = self.columns["message"]
        unplaced = rows[~self.placed[rows]]
        values, counts = np.unique(codes[unplaced], return_counts=True)
        pairs = zip(values.tolist(), counts.tolist(), strict=True)
        return {words[code] if code >= 0 else "": count for code, count in pairs}

    def each(self, rows: NDArray[np.intp], column: str) -> int:
        """Return what one pod asks for; the largest when they differ."""
        values = self.columns[column][rows]
        return int(values.max()) if values.size else 0


def controller_of(item: dict[str, Any]) -> dict[str, Any] | None:
    """Return the owner reference of the controller."""
    owners = item["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def _by_value(
    keys: NDArray[np.int64], rows: NDArray[np.intp]
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Yield rows by equal keys, in order of the keys."""
    if not rows.size:
        return
    order = np.argsort(keys, kind="stable")
    values, starts = np.unique(keys[order], return_index=True)
    for value, members in zip(values.tolist(), np.split(order, starts[1:]), strict=True):
        yield value, rows[members]
