"""What is to be explained: a pod of the cluster, one of a workload, or one there might be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wavetank.errors import WavetankError
from wavetank.plan import candidates
from wavetank.plan.expand import model_pod
from wavetank.plan.pods import ActivePods, Ref, controller_of

if TYPE_CHECKING:
    from wavetank.cluster import Cluster

    from .change import Object

#: Kinds that make pods.
_WORKLOADS = {
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "ReplicationController",
    "Job",
    "CronJob",
}


class ExplainError(WavetankError, ValueError):
    """A question that makes no sense."""


@dataclass
class Subject:
    """The pod in question.

    Attributes
    ----------
    cluster
        The cluster, or a fork on which the pod was created.
    key
        The pod.
    pod
        Its document.
    owner
        The workload it belongs to, such as ``deployment/web``; empty for none.
    others
        Pending pods like it: keys and names.
    exists
        Whether the cluster has it.
    notes
        What a reader should know about the choice.
    """

    cluster: Cluster
    key: int
    pod: Object
    owner: str = ""
    others: dict[int, str] = field(default_factory=dict)
    exists: bool = True
    notes: list[str] = field(default_factory=list)


def find(cluster: Cluster, given: Any, namespace: str | None) -> Subject:
    """Return the pod an argument means.

    Raises
    ------
    NotFoundError
        When there is no such object.
    ExplainError
        When the argument names no pod, or several.
    """
    if isinstance(given, Mapping):
        return _of_object(cluster, given, namespace)
    if not isinstance(given, str):
        kind = type(given).__name__
        raise ExplainError(f'a pod is given as "pod/NAME" or as an object, not as {kind}')
    if candidates.is_manifest(given):
        return _of_manifest(cluster, given, namespace)
    resource, slash, name = given.partition("/")
    if not slash:
        resource, name = "pods", given
    if not resource or not name or "/" in name or "," in resource or " " in given.strip():
        raise ExplainError(f"one pod is explained at a time: pod/NAME or KIND/NAME, not {given!r}")
    if not slash and _is_kind(cluster, given):
        raise ExplainError(f"resource name may not be empty: say {given}/NAME")
    item = cluster.get(resource, name, namespace=namespace)
    if item["kind"] == "Pod":
        return _existing(cluster, item)
    return _of_workload(cluster, item)


def _is_kind(cluster: Cluster, word: str) -> bool:
    try:
        found = cluster.kinds_of(word)
    except ValueError:
        return False
    pod = cluster.find("pods", word)
    return bool(found) and pod is None


def _key(cluster: Cluster, name: str, namespace: str) -> int:
    key = cluster.world.find(cluster.kind("pods").id, name, namespace)
    assert key is not None  # noqa: S101 - it was just seen
    return key


def _of_object(cluster: Cluster, given: Mapping[str, Any], namespace: str | None) -> Subject:
    """Return a pod by its object: the cluster's own if it has it, else one there might be."""
    metadata = given.get("metadata") or {}
    if given.get("kind") == "Pod" and metadata.get("uid"):
        found = cluster.find("pods", metadata["name"], namespace=metadata.get("namespace"))
        if found is not None and found["metadata"]["uid"] == metadata["uid"]:
            return _existing(cluster, found)
    if metadata.get("uid") and given.get("kind") in _WORKLOADS:
        return _of_workload(cluster, given)
    return _of_manifest(cluster, given, namespace)


def _existing(cluster: Cluster, pod: Mapping[str, Any]) -> Subject:
    metadata = pod["metadata"]
    key = _key(cluster, metadata["name"], metadata["namespace"])
    owner = controller_of(dict(pod))
    subject = Subject(cluster, key, _document(cluster, key))
    if owner is not None:
        ref = Ref(owner["kind"], metadata["namespace"], owner["name"])
        parent = _parent(cluster, ref)
        subject.owner = str(parent)
        if not pod["spec"].get("nodeName"):
            subject.others = _alike(cluster, ref, metadata["name"])
    return subject


def _document(cluster: Cluster, key: int) -> Object:
    found: Object = cluster.world.get_many([key])[0]
    return found


def _parent(cluster: Cluster, ref: Ref) -> Ref:
    """Return what stands above a ReplicaSet or a Job."""
    resource = {"ReplicaSet": "replicasets.apps", "Job": "jobs.batch"}.get(ref.kind)
    item = cluster.find(resource, ref.name, namespace=ref.namespace) if resource else None
    above = controller_of(dict(item)) if item is not None else None
    return ref if above is None else Ref(above["kind"], ref.namespace, above["name"])


def _alike(cluster: Cluster, ref: Ref, name: str) -> dict[int, str]:
    """Return the other pending pods of a controller: keys and names."""
    kinds = [kind for kind in cluster.kinds() if kind.kind == ref.kind]
    owners = (cluster.world.find(kind.id, ref.name, ref.namespace) for kind in kinds)
    owner = next((key for key in owners if key is not None), None)
    if owner is None:
        return {}
    columns = cluster.world.controlled_pods(owner)
    waiting = (columns["node"][0] < 0) & ~columns["deleting"] & ~columns["terminal"]
    pods = zip(columns["key"].tolist(), columns["name"], waiting.tolist(), strict=True)
    return {key: other for key, other, waits in pods if waits and other != name}


def _of_workload(cluster: Cluster, item: Mapping[str, Any]) -> Subject:
    """Return a pending pod of a workload; else any; else one as it would make it."""
    metadata = item["metadata"]
    ref = Ref(item["kind"], metadata.get("namespace", ""), metadata["name"])
    if item["kind"] not in _WORKLOADS:
        raise ExplainError(f"{ref} makes no pods: name a pod or a workload")
    pods = ActivePods(cluster)
    group = next((group for group in pods.groups if group.ref == ref), None)
    if group is None:
        return _from_candidate(cluster, _candidate(cluster, ref, item))
    pending = group.rows[~pods.placed[group.rows]]
    rows = pending if len(pending) else group.rows
    owners = pods.columns["owner"][0][rows]
    same = rows[owners == owners[0]]
    names = [pods.columns["name"][row] for row in same]
    key = _key(cluster, names[0], ref.namespace)
    subject = Subject(cluster, key, _document(cluster, key), str(ref))
    if len(pending):
        subject.others = {_key(cluster, name, ref.namespace): name for name in names[1:]}
    if len(same) < len(rows):
        others = f"{len(rows) - len(same):,} more pods of {ref}"
        subject.notes.append(f"{others} are of another template: ask for one of them by name")
    if not len(pending):
        subject.notes.append(f"no pod of {ref} is pending; this is one of {len(rows):,}")
    return subject


def _candidate(cluster: Cluster, ref: Ref, item: Mapping[str, Any]) -> candidates.Candidate:
    """Return what a workload's pods are made of, by its own template if need be."""
    try:
        return candidates.named(cluster, str(ref), ref.namespace)
    except candidates.NoWorkloadError:
        return candidates.Candidate(ref, model_pod(dict(item)))


def _of_manifest(cluster: Cluster, source: Any, namespace: str | None) -> Subject:
    branch, found = candidates.of_manifest(cluster, source, namespace)
    if len(found) > 1:
        names = ", ".join(str(one.ref) for one in found)
        raise ExplainError(f"one pod is explained at a time; the manifest makes several: {names}")
    return _from_candidate(branch, found[0])


def _from_candidate(branch: Cluster, candidate: candidates.Candidate) -> Subject:
    """Return a pod as a workload would make it, on a fork."""
    branch = branch.fork()
    ref = candidate.ref
    if isinstance(candidate.copies, int):
        (key,) = branch.world.create_from_template(candidate.copies, 1).tolist()
    else:
        named = candidate.copies
        if ref.kind == "Pod" and branch.find("pods", ref.name, namespace=ref.namespace) is None:
            metadata = {**named["metadata"], "name": ref.name}
            metadata.pop("generateName", None)
            named = {**named, "metadata": metadata}
        created = branch.create(named, namespace=ref.namespace)
        key = _key(branch, created["metadata"]["name"], created["metadata"]["namespace"])
    owner = "" if ref.kind == "Pod" else str(ref)
    return Subject(branch, key, _document(branch, key), owner, exists=False)
