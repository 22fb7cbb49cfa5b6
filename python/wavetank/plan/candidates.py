"""Workloads whose headroom is asked for, and what their pods are copies of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wavetank.errors import WavetankError

from .expand import add_volumes, model_pod
from .pods import ActivePods, Ref, controller_of
from .volumes import provide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wavetank import _core
    from wavetank.cluster import Cluster

Object = dict[str, Any]

#: Kinds whose pods are copies of a ReplicaSet's template, counts, hashes and all.
_SCALED = {"Deployment": "deployments.apps", "ReplicaSet": "replicasets.apps"}
#: Other kinds with a pod template that more pods can be made from.
_TEMPLATES = {
    "StatefulSet": "statefulsets.apps",
    "ReplicationController": "replicationcontrollers",
    "Job": "jobs.batch",
    "CronJob": "cronjobs.batch",
}
_REVISION = "deployment.kubernetes.io/revision"


class NoWorkloadError(WavetankError, ValueError):
    """Nothing there makes pods."""


@dataclass(frozen=True)
class Candidate:
    """A workload, and what its pods are copies of: the key of an owner, or a pod."""

    ref: Ref
    copies: int | Object


def of_cluster(branch: Cluster) -> list[Candidate]:
    """Return every workload of a cluster but DaemonSets, which have one pod per node."""
    found = [*_scaled(branch), *_templates(branch), *_bare(branch)]
    return sorted(found, key=lambda one: (one.ref.namespace, one.ref.kind, one.ref.name))


def _scaled(branch: Cluster) -> Iterator[Candidate]:
    """Yield Deployments by their newest ReplicaSet, and ReplicaSets of their own."""
    newest: dict[Ref, tuple[int, int]] = {}
    for item in branch.get("replicasets.apps"):
        metadata = item["metadata"]
        key = _key(branch, "replicasets.apps", item)
        owner = controller_of(item)
        if owner is None:
            yield Candidate(Ref("ReplicaSet", metadata["namespace"], metadata["name"]), key)
        else:
            ref = Ref(owner["kind"], metadata["namespace"], owner["name"])
            revision = int((metadata.get("annotations") or {}).get(_REVISION) or 0)
            newest[ref] = max(newest.get(ref, (-1, 0)), (revision, key))
    for ref, (_, key) in newest.items():
        yield Candidate(ref, key)


def _templates(branch: Cluster) -> Iterator[Candidate]:
    """Yield workloads of the other kinds with a pod template, but not the Jobs of CronJobs."""
    for kind, resource in _TEMPLATES.items():
        for item in branch.get(resource):
            owner = controller_of(item)
            if owner is None or owner["kind"] not in _TEMPLATES:
                metadata = item["metadata"]
                yield Candidate(Ref(kind, metadata["namespace"], metadata["name"]), _model(item))


def _bare(branch: Cluster) -> Iterator[Candidate]:
    """Yield pods that nobody controls, one of each template."""
    kind = branch.kind("pods").id
    for group in ActivePods(branch).groups:
        if group.ref.kind == "Pod":
            pod = branch.world.get(kind, group.ref.name, group.ref.namespace)
            yield Candidate(group.ref, _copy_of(pod))


def named(branch: Cluster, workload: str, namespace: str | None) -> Candidate:
    """Return the workload an argument such as ``deployment/web`` names.

    Raises
    ------
    NotFoundError
        When there is no such object.
    NoWorkloadError
        When it makes no pods that could be more.
    """
    resource, slash, name = workload.partition("/")
    if not slash:
        raise NoWorkloadError(
            f'a workload is KIND/NAME, such as "deployment/web", or a file; not {workload!r}'
        )
    item = branch.get(resource, name, namespace=namespace)
    kind, metadata = item["kind"], item["metadata"]
    ref = Ref(kind, metadata.get("namespace", ""), metadata["name"])
    if kind == "Pod":
        return Candidate(ref, _copy_of(item))
    if kind in _TEMPLATES:
        return Candidate(ref, _model(item))
    if kind == "ReplicaSet":
        return Candidate(ref, _key(branch, "replicasets.apps", item))
    found = next((one for one in _scaled(branch) if one.ref == ref), None)
    if found is None:
        raise NoWorkloadError(f"{workload} makes no pods that could be more")
    return found


def is_manifest(workload: Any) -> bool:
    """Tell manifests from the name of a workload."""
    if not isinstance(workload, str):
        return True
    return "\n" in workload or workload == "-" or Path(workload).exists()


def of_manifest(
    branch: Cluster, source: Any, namespace: str | None
) -> tuple[Cluster, list[Candidate]]:
    """Apply everything but the pods of a manifest; return where, and the workloads in it.

    Raises
    ------
    NoWorkloadError
        When there is none.
    """
    from wavetank.manifest import load  # noqa: PLC0415 - only where manifests are read

    from .inputs import create_namespaces  # noqa: PLC0415

    branch = branch.fork()
    documents = load(source)
    create_namespaces(branch, documents, namespace)
    items = [document.object() for document in documents]
    wanted = [item for item in items if item.get("kind") in {"Pod", *_SCALED, *_TEMPLATES}]
    if not wanted:
        raise NoWorkloadError("nothing in the manifest makes pods that could be more")
    pairs = zip(documents, items, strict=True)
    applied = [_without_pods(branch, document, item, namespace) for document, item in pairs]
    left = [document for document in applied if document is not None]
    if left:
        branch.apply(left, namespace=namespace)
    provide(branch)
    branch.run(until=0)
    return branch, [_from_item(branch, item, namespace) for item in wanted]


def _without_pods(
    branch: Cluster, document: _core.Document, item: Object, namespace: str | None
) -> _core.Document | None:
    """Return a document as it is applied: workloads with the replicas they have already."""
    kind = item.get("kind")
    if kind in {"Pod", "DaemonSet", *_TEMPLATES}:
        return None
    if kind not in _SCALED:
        return document
    name, place = _names(item, namespace)
    known = branch.world.find(branch.kind(_SCALED[kind]).id, name, place)
    replicas = 0
    if known is not None:
        existing = branch.world.get_many([known])[0] or {}
        replicas = existing["spec"].get("replicas", 1)
    return document.with_value(["spec", "replicas"], replicas)


def _from_item(branch: Cluster, item: Object, namespace: str | None) -> Candidate:
    """Return the candidate a document stands for, the manifest being applied."""
    kind, (name, place) = item["kind"], _names(item, namespace)
    if kind in _SCALED:
        return named(branch, f"{_SCALED[kind]}/{name}", place)
    own = {**item, "metadata": {**(item.get("metadata") or {}), "name": name, "namespace": place}}
    ref = Ref(kind, place, name)
    return Candidate(ref, _copy_of(own) if kind == "Pod" else _model(own))


def _names(item: Object, namespace: str | None) -> tuple[str, str]:
    """Return name and namespace of a document."""
    metadata = item.get("metadata") or {}
    name = metadata.get("name") or str(metadata.get("generateName") or "pod").rstrip("-")
    return name, metadata.get("namespace") or namespace or "default"


def _model(item: Object) -> Object:
    """Return a pod of a workload's template."""
    pod = model_pod(item)
    if item["kind"] == "StatefulSet":
        # Each further replica would have claims of its own, which are not there yet.
        add_volumes(pod, item, lambda _: {"emptyDir": {}})
    return pod


def _copy_of(pod: Object) -> Object:
    """Return a pod to be created again: without its place, its past and its name."""
    metadata = pod.get("metadata") or {}
    kept = {key: metadata[key] for key in ("labels", "annotations", "namespace") if key in metadata}
    spec = {key: value for key, value in (pod.get("spec") or {}).items() if key != "nodeName"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**kept, "generateName": f"{metadata.get('name') or 'pod'}-"},
        "spec": spec,
    }


def _key(branch: Cluster, resource: str, item: Object) -> int:
    metadata = item["metadata"]
    key = branch.world.find(branch.kind(resource).id, metadata["name"], metadata["namespace"])
    assert key is not None  # noqa: S101 - it was just listed
    return key
