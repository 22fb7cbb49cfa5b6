"""Pods of workloads whose controllers wavetank does not have yet.

A plan cannot leave out a StatefulSet because nobody acts on it, so the plan does what its
controller would come to: a StatefulSet has all its ordinals, a ReplicationController its
replicas, a Job as many pods as run at once, a CronJob one such Job, a DaemonSet a pod on every
node that takes it. Where a controller exists, the plan leaves the kind alone.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wavetank.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wavetank.cluster import Cluster

Object = dict[str, Any]

#: Taints every DaemonSet's pods tolerate.
_DAEMON_TOLERATIONS = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


@dataclass
class Expansion:
    """What was created in place of controllers.

    Attributes
    ----------
    kinds
        Kinds acted for, with the number of their objects.
    refused
        What the API server answered to pods of a workload, by kind, namespace and name.
    created
        How many pods and claims were made.
    volumes
        For how many claims a volume was made, see :mod:`wavetank.plan.volumes`.
    """

    kinds: dict[str, int] = field(default_factory=dict)
    created: int = 0
    volumes: int = 0
    refused: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def notes(self) -> list[str]:
        """Return sentences about it, if there is anything to say."""
        told = []
        if self.kinds:
            names = ", ".join(f"{n} {kind}{'s' * (n > 1)}" for kind, n in self.kinds.items())
            told.append(
                f"wavetank has no controller for these kinds yet; the plan made their pods: {names}"
            )
        if self.volumes:
            claims = f"{self.volumes:,} claim{'s' * (self.volumes > 1)}"
            told.append(f"the plan made volumes for {claims}; every node can use them")
        return told


@dataclass(frozen=True)
class Rule:
    """How a plan acts for the controller of one kind: the pods and claims that are missing."""

    kind: str
    resource: str
    controller: str
    objects: Callable[[Cluster, Object], Iterator[Object]]


def expand(cluster: Cluster) -> Expansion:
    """Create the pods of every workload that has no controller in this cluster."""
    expansion = Expansion()
    for rule in rules_for(cluster):
        for item in cluster.get(rule.resource):
            expansion.kinds[rule.kind] = expansion.kinds.get(rule.kind, 0) + 1
            metadata = item["metadata"]
            try:
                for created in rule.objects(cluster, item):
                    cluster.world.create(created, field_validation="Ignore")
                    expansion.created += 1
            except ApiError as error:
                key = (rule.kind, metadata["namespace"], metadata["name"])
                expansion.refused[key] = str(error)
    return expansion


def rules_for(cluster: Cluster) -> list[Rule]:
    """Return the rules for kinds nobody acts on in this cluster."""
    present = set(cluster.world.controller_names())
    return [rule for rule in RULES if rule.controller not in present]


def template_of(item: Object) -> Object:
    """Return the pod template of a workload."""
    spec = item.get("spec") or {}
    if item["kind"] == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    template: Object = spec.get("template") or {}
    return template


def model_pod(item: Object) -> Object:
    """Return a pod made from a workload's template, to be named by the API server."""
    template = copy.deepcopy(template_of(item))
    metadata = template.get("metadata") or {}
    kept = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
    own = item["metadata"]
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **kept,
            "generateName": f"{own['name']}-",
            "namespace": own.get("namespace") or "default",
        },
        "spec": template.get("spec") or {},
    }
    if own.get("uid"):
        pod["metadata"]["ownerReferences"] = [
            {
                "apiVersion": item["apiVersion"],
                "kind": item["kind"],
                "name": own["name"],
                "uid": own["uid"],
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
    return pod


def _existing(cluster: Cluster, item: Object) -> dict[str, str | None]:
    """Return the names of a workload's active pods, each with its node."""
    kind, metadata = cluster.kind(item["kind"]), item["metadata"]
    key = cluster.world.find(kind.id, metadata["name"], metadata["namespace"])
    if key is None:
        return {}
    pods = cluster.world.controlled_pods(key)
    codes, words = pods["node"]
    active = (~pods["deleting"] & ~pods["terminal"]).tolist()
    rows = zip(pods["name"], codes.tolist(), active, strict=True)
    return {name: words[code] if code >= 0 else None for name, code, alive in rows if alive}


def _stateful_set(cluster: Cluster, item: Object) -> Iterator[Object]:
    spec, name = item["spec"], item["metadata"]["name"]
    first = (spec.get("ordinals") or {}).get("start") or 0
    existing = _existing(cluster, item)
    for ordinal in range(first, first + _replicas(spec)):
        pod_name = f"{name}-{ordinal}"
        if pod_name not in existing:
            yield from _missing_claims(cluster, item, pod_name)
            yield _stateful_pod(item, ordinal, pod_name)


def _missing_claims(cluster: Cluster, item: Object, pod_name: str) -> Iterator[Object]:
    """Yield the claims of one pod of a StatefulSet that are not there yet."""
    kind, metadata, spec = cluster.kind("persistentvolumeclaims"), item["metadata"], item["spec"]
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    for template in spec.get("volumeClaimTemplates") or []:
        own = template.get("metadata") or {}
        name = f"{own['name']}-{pod_name}"
        if cluster.world.find(kind.id, name, metadata["namespace"]) is None:
            yield {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {
                    "name": name,
                    "namespace": metadata["namespace"],
                    "labels": {**(own.get("labels") or {}), **labels},
                    "annotations": own.get("annotations") or {},
                },
                "spec": template["spec"],
            }


def _stateful_pod(item: Object, ordinal: int, name: str) -> Object:
    pod, spec = model_pod(item), item["spec"]
    metadata = pod["metadata"]
    del metadata["generateName"]
    metadata["name"] = name
    metadata["labels"] = {
        **metadata.get("labels", {}),
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(ordinal),
    }
    pod["spec"]["hostname"] = name
    if spec.get("serviceName"):
        pod["spec"]["subdomain"] = spec["serviceName"]
    _add_claims(pod, item, name)
    return pod


def _add_claims(pod: Object, item: Object, name: str) -> None:
    """Give a pod of a StatefulSet the volumes of its claim templates."""

    def claimed(claim: str) -> Object:
        return {"persistentVolumeClaim": {"claimName": f"{claim}-{name}"}}

    add_volumes(pod, item, claimed)


def add_volumes(pod: Object, item: Object, source: Callable[[str], Object]) -> None:
    """Give a pod a volume for each claim template of its StatefulSet."""
    claims = [claim["metadata"]["name"] for claim in item["spec"].get("volumeClaimTemplates") or []]
    kept = [v for v in pod["spec"].get("volumes") or [] if v.get("name") not in claims]
    if kept or claims:
        pod["spec"]["volumes"] = [*kept, *({"name": name, **source(name)} for name in claims)]


def _replication_controller(cluster: Cluster, item: Object) -> Iterator[Object]:
    missing = _replicas(item["spec"]) - len(_existing(cluster, item))
    for _ in range(missing):
        yield model_pod(item)


def _job(cluster: Cluster, item: Object) -> Iterator[Object]:
    spec, status = item["spec"], item.get("status") or {}
    over = {"Complete", "Failed", "SuccessCriteriaMet", "FailureTarget"}
    conditions = status.get("conditions") or []
    if spec.get("suspend") or any(
        c.get("type") in over and c.get("status") == "True" for c in conditions
    ):
        return
    wanted = at_once(spec, int(status.get("succeeded") or 0))
    for _ in range(wanted - len(_existing(cluster, item))):
        yield _job_pod(item, item["metadata"]["name"])


def at_once(spec: Object, succeeded: int = 0) -> int:
    """Return how many pods of a Job run at the same time."""
    parallelism, completions = spec.get("parallelism"), spec.get("completions")
    parallelism = 1 if parallelism is None else int(parallelism)
    if completions is None:
        # Of a work queue nothing new starts once a pod has succeeded.
        return 0 if succeeded else parallelism
    return max(0, min(parallelism, int(completions) - succeeded))


def _cron_job(cluster: Cluster, item: Object) -> Iterator[Object]:
    if item["spec"].get("suspend"):
        return
    uid = item["metadata"]["uid"]
    jobs = cluster.get("jobs.batch", namespace=item["metadata"]["namespace"])
    owners = (owner for job in jobs for owner in job["metadata"].get("ownerReferences") or [])
    if any(owner.get("uid") == uid for owner in owners) or _existing(cluster, item):
        return
    name = item["metadata"]["name"]
    for _ in range(at_once((item["spec"].get("jobTemplate") or {}).get("spec") or {})):
        yield _job_pod(item, name)


def _job_pod(item: Object, name: str) -> Object:
    pod = model_pod(item)
    labels = {"batch.kubernetes.io/job-name": name, "job-name": name}
    pod["metadata"]["labels"] = {**pod["metadata"].get("labels", {}), **labels}
    return pod


def _daemon_set(cluster: Cluster, item: Object) -> Iterator[Object]:
    pods = cluster.kind("pods").id
    namespace = item["metadata"]["namespace"]
    busy = {
        node or _pinned_to(cluster.world.get(pods, name, namespace))
        for name, node in _existing(cluster, item).items()
    }
    pod = daemon_pod(item)
    named = pod["spec"].get("nodeName")
    if named:
        kind = cluster.kind("nodes").id
        exists = cluster.world.find(kind, named) is not None
        nodes = [named] if exists else []
    else:
        nodes = cluster.world.eligible_nodes(pod)
    for node in nodes:
        if node not in busy:
            yield _pinned(pod, node)


def daemon_pod(item: Object) -> Object:
    """Return a DaemonSet's pod before it is pinned to a node."""
    pod = model_pod(item)
    tolerations = list(pod["spec"].get("tolerations") or [])
    added = list(_DAEMON_TOLERATIONS)
    if pod["spec"].get("hostNetwork"):
        added.append(("node.kubernetes.io/network-unavailable", "NoSchedule"))
    tolerations += [{"key": key, "operator": "Exists", "effect": effect} for key, effect in added]
    pod["spec"]["tolerations"] = tolerations
    return pod


def _pinned(pod: Object, node: str) -> Object:
    """Return a copy that can go to one node only, as the DaemonSet controller asks for it."""
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    required = {"nodeSelectorTerms": [term]}
    spec = pod["spec"]
    affinity = dict(spec.get("affinity") or {})
    node_affinity = dict(affinity.get("nodeAffinity") or {})
    node_affinity["requiredDuringSchedulingIgnoredDuringExecution"] = required
    affinity["nodeAffinity"] = node_affinity
    return {**pod, "spec": {**spec, "affinity": affinity}}


def _pinned_to(pod: Object) -> str:
    """Return the node that a pod of a DaemonSet waits for."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or []:
        for match in term.get("matchFields") or []:
            return str(match["values"][0])
    return ""


def _replicas(spec: Object) -> int:
    replicas = spec.get("replicas")
    return 1 if replicas is None else int(replicas)


#: In the order their pods are made: what runs on every node first.
RULES = (
    Rule("DaemonSet", "daemonsets.apps", "daemonset-controller", _daemon_set),
    Rule("StatefulSet", "statefulsets.apps", "statefulset-controller", _stateful_set),
    Rule(
        "ReplicationController",
        "replicationcontrollers",
        "replication-controller",
        _replication_controller,
    ),
    Rule("Job", "jobs.batch", "job-controller", _job),
    Rule("CronJob", "cronjobs.batch", "cronjob-controller", _cron_job),
)
