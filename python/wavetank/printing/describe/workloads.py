"""Workloads: deployments, replica sets, stateful sets, daemon sets, jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank import _core
from wavetank.printing.ages import between, rfc1123
from wavetank.printing.objects import (
    Object,
    controller,
    dig,
    labels,
    name,
    quantity,
    selector,
    storage_class,
)
from wavetank.printing.text import joined

from . import common
from .pods import template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wavetank.cluster import Cluster

    from .page import Page

_INDEXES_SHOWN = 50


def deployment(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a deployment."""
    spec, status = dig(item, "spec", default={}), dig(item, "status", default={})
    page.row("Name:", name(item))
    page.row("Namespace:", dig(item, "metadata", "namespace", default=""))
    common.created(page, item)
    page.labels("Labels", dig(item, "metadata", "labels"))
    page.annotations(dig(item, "metadata", "annotations"))
    page.row("Selector:", selector(spec.get("selector"), empty=""))
    counts = [("desired", spec.get("replicas", 0))]
    counts += [
        (word, status.get(field) or 0)
        for word, field in (
            ("updated", "updatedReplicas"),
            ("total", "replicas"),
            ("available", "availableReplicas"),
            ("unavailable", "unavailableReplicas"),
        )
    ]
    page.row("Replicas:", " | ".join(f"{count} {word}" for word, count in counts))
    page.row("StrategyType:", dig(spec, "strategy", "type", default=""))
    page.row("MinReadySeconds:", spec.get("minReadySeconds", 0))
    rolling = dig(spec, "strategy", "rollingUpdate")
    if rolling is not None:
        text = (
            f"{rolling.get('maxUnavailable')} max unavailable, {rolling.get('maxSurge')} max surge"
        )
        page.row("RollingUpdateStrategy:", text)
    template(page, spec.get("template"))
    _conditions(page, item)
    _replica_sets(page, cluster, item)
    common.events(page, cluster, item)


def _replica_sets(page: Page, cluster: Cluster, item: Object) -> None:
    """Print the replica set of the template there is, and the others that still have pods."""
    uid = dig(item, "metadata", "uid")
    found = cluster.get(
        "replicasets.apps",
        namespace=dig(item, "metadata", "namespace"),
        label_selector=selector(dig(item, "spec", "selector"), empty=""),
    )
    owned = [one for one in found if (controller(one) or {}).get("uid") == uid]
    owned.sort(key=lambda one: (dig(one, "metadata", "creationTimestamp", default=""), name(one)))
    wanted = _without_hash(dig(item, "spec", "template", default={}))
    new = next(
        (
            one
            for one in owned
            if _core.same_template(_without_hash(dig(one, "spec", "template", default={})), wanted)
        ),
        None,
    )
    old = [one for one in owned if one is not new and dig(one, "spec", "replicas", default=1)]
    if old or new is not None:
        page.row("OldReplicaSets:", joined(map(_replica_set, old), ", "))
        page.row("NewReplicaSet:", "<none>" if new is None else _replica_set(new))


def _without_hash(given: Object) -> Object:
    metadata = dict(dig(given, "metadata", default={}))
    kept = dig(metadata, "labels", default={}).items()
    metadata["labels"] = {key: value for key, value in kept if key != "pod-template-hash"}
    return {**given, "metadata": metadata}


def _replica_set(item: Object) -> str:
    counts = dig(item, "status", "replicas", default=0), dig(item, "spec", "replicas", default=1)
    return f"{name(item)} ({counts[0]}/{counts[1]} replicas created)"


def replica_set(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a replica set."""
    _replicas_head(page, item, selector(dig(item, "spec", "selector")))
    common.controlled_by(page, item)
    _replicas(page, item)
    _pod_states(page, cluster, item, selector(dig(item, "spec", "selector"), empty=""))
    template(page, dig(item, "spec", "template"))
    _conditions(page, item)
    common.events(page, cluster, item)


def replication_controller(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a replication controller."""
    text = labels(dig(item, "spec", "selector"))
    _replicas_head(page, item, text)
    _replicas(page, item)
    _pod_states(page, cluster, item, "" if text == "<none>" else text)
    template(page, dig(item, "spec", "template"))
    _conditions(page, item)
    common.events(page, cluster, item)


def _replicas_head(page: Page, item: Object, text: str) -> None:
    page.row("Name:", name(item))
    page.row("Namespace:", dig(item, "metadata", "namespace", default=""))
    page.row("Selector:", text)
    page.labels("Labels", dig(item, "metadata", "labels"))
    page.annotations(dig(item, "metadata", "annotations"))


def _replicas(page: Page, item: Object) -> None:
    current, desired = dig(item, "status", "replicas", default=0), dig(item, "spec", "replicas")
    page.row("Replicas:", f"{current} current / {1 if desired is None else desired} desired")


def _pod_states(page: Page, cluster: Cluster, item: Object, text: str) -> None:
    """Count the pods an object controls by their phase."""
    counts = dict.fromkeys(("Running", "Pending", "Succeeded", "Failed"), 0)
    uid = dig(item, "metadata", "uid")
    for pod in cluster.get(
        "pods", namespace=dig(item, "metadata", "namespace"), label_selector=text
    ):
        phase = dig(pod, "status", "phase", default="")
        if phase in counts and (controller(pod) or {}).get("uid") == uid:
            counts[phase] += 1
    words = {"Pending": "Waiting"}
    states = (f"{count} {words.get(phase, phase)}" for phase, count in counts.items())
    page.row("Pods Status:", " / ".join(states))


def _conditions(page: Page, item: Object) -> None:
    """Print conditions with their reasons."""
    found = dig(item, "status", "conditions", default=())
    if not found:
        return
    page.row("Conditions:")
    page.row("Type", "Status", "Reason", level=1)
    page.row("----", "------", "------", level=1)
    for one in found:
        page.row(f"{one.get('type')} ", one.get("status", ""), one.get("reason", ""), level=1)


def stateful_set(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a stateful set."""
    spec = dig(item, "spec", default={})
    page.row("Name:", name(item))
    page.row("Namespace:", dig(item, "metadata", "namespace", default=""))
    common.created(page, item)
    text = selector(spec.get("selector"), empty="")
    page.row("Selector:", text)
    page.labels("Labels", dig(item, "metadata", "labels"))
    page.annotations(dig(item, "metadata", "annotations"))
    total = dig(item, "status", "replicas", default=0)
    page.row("Replicas:", f"{spec.get('replicas', 1)} desired | {total} total")
    page.row("Update Strategy:", dig(spec, "updateStrategy", "type", default=""))
    rolling = dig(spec, "updateStrategy", "rollingUpdate", default={})
    if rolling.get("partition") is not None:
        page.row("Partition:", rolling["partition"], level=1)
        if rolling.get("maxUnavailable") is not None:
            page.row("MaxUnavailable:", rolling["maxUnavailable"], level=1)
    _pod_states(page, cluster, item, text)
    template(page, spec.get("template"))
    _claims(page, spec.get("volumeClaimTemplates") or ())
    common.events(page, cluster, item)


def _claims(page: Page, templates: Sequence[Object]) -> None:
    page.row("Volume Claims:", *([] if templates else ["<none>"]))
    for claim in templates:
        metadata = dig(claim, "metadata", default={})
        page.row("Name:", metadata.get("name", ""), level=1)
        page.row("StorageClass:", storage_class(claim), level=1)
        page.labels("Labels", metadata.get("labels"), indent="  ")
        page.labels("Annotations", metadata.get("annotations"), indent="  ")
        size = dig(claim, "spec", "resources", "requests", "storage")
        page.row("Capacity:", quantity(size, "<default>"), level=1)
        page.row("Access Modes:", common.go(dig(claim, "spec", "accessModes", default=[])), level=1)


def daemon_set(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a daemon set."""
    spec, status = dig(item, "spec", default={}), dig(item, "status", default={})
    page.row("Name:", name(item))
    page.row("Namespace:", dig(item, "metadata", "namespace", default=""))
    text = selector(spec.get("selector"), empty="")
    page.row("Selector:", text)
    page.row("Node-Selector:", labels(dig(spec, "template", "spec", "nodeSelector")))
    page.labels("Labels", dig(item, "metadata", "labels"))
    page.annotations(dig(item, "metadata", "annotations"))
    for title, field in (
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ):
        page.row(f"{title}: {status.get(field, 0)}")
    _pod_states(page, cluster, item, text)
    template(page, spec.get("template"))
    common.events(page, cluster, item)


def job(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a job."""
    spec = dig(item, "spec", default={})
    _replicas_head(page, item, selector(spec.get("selector"), empty=""))
    common.controlled_by(page, item)
    _job_settings(page, spec)
    _job_progress(page, spec, dig(item, "status", default={}))
    template(page, spec.get("template"))
    common.events(page, cluster, item)


def _job_settings(page: Page, spec: Object) -> None:
    if spec.get("parallelism") is not None:
        page.row("Parallelism:", spec["parallelism"])
    page.row("Completions:", common.or_unset(spec.get("completions")))
    for title, field in (
        ("Completion Mode", "completionMode"),
        ("Suspend", "suspend"),
        ("Backoff Limit", "backoffLimit"),
        ("TTL Seconds After Finished", "ttlSecondsAfterFinished"),
    ):
        if spec.get(field) is not None:
            page.row(f"{title}:", common.go(spec[field]))


def _job_progress(page: Page, spec: Object, status: Object) -> None:
    start, end = status.get("startTime"), status.get("completionTime")
    if start is not None:
        page.row("Start Time:", rfc1123(start))
    if end is not None:
        page.row("Completed At:", rfc1123(end))
    if start is not None and end is not None:
        page.row("Duration:", between(start, end))
    if spec.get("activeDeadlineSeconds") is not None:
        page.row("Active Deadline Seconds:", f"{spec['activeDeadlineSeconds']}s")
    ready = f" ({status['ready']} Ready)" if status.get("ready") is not None else ""
    counts = [status.get(field) or 0 for field in ("active", "succeeded", "failed")]
    text = f"{counts[0]} Active{ready} / {counts[1]} Succeeded / {counts[2]} Failed"
    page.row("Pods Statuses:", text)
    if spec.get("completionMode") == "Indexed":
        page.row("Completed Indexes:", _indexes(status.get("completedIndexes") or ""))


def _indexes(text: str) -> str:
    comma = text.find(",", _INDEXES_SHOWN)
    return (text if comma < 0 else f"{text[: comma + 1]}...") or "<none>"


def cron_job(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a cron job."""
    spec = dig(item, "spec", default={})
    common.head(page, item)
    page.row("Schedule:", spec.get("schedule", ""))
    page.row("Concurrency Policy:", spec.get("concurrencyPolicy", ""))
    page.row("Suspend:", common.yes_no(spec.get("suspend")))
    for title, field, unit in (
        ("Time Zone", "timeZone", ""),
        ("Successful Job History Limit", "successfulJobsHistoryLimit", ""),
        ("Failed Job History Limit", "failedJobsHistoryLimit", ""),
        ("Starting Deadline Seconds", "startingDeadlineSeconds", "s"),
    ):
        page.row(f"{title}:", common.or_unset(spec.get(field), unit))
    inner = dig(spec, "jobTemplate", "spec", default={})
    chosen = inner.get("selector")
    page.row("Selector:", "<unset>" if chosen is None else selector(chosen, empty=""))
    page.row("Parallelism:", common.or_unset(inner.get("parallelism")))
    page.row("Completions:", common.or_unset(inner.get("completions")))
    if inner.get("activeDeadlineSeconds") is not None:
        page.row("Active Deadline Seconds:", f"{inner['activeDeadlineSeconds']}s")
    template(page, inner.get("template"))
    last = dig(item, "status", "lastScheduleTime")
    page.row("Last Schedule Time:", rfc1123(last) if last else "<unset>")
    active = dig(item, "status", "active", default=())
    page.row("Active Jobs:", joined((one.get("name", "") for one in active), ", "))
    common.events(page, cluster, item)
