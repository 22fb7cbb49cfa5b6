"""Tables of the group ``apps``."""

from __future__ import annotations

from wavetank.printing.layout import Object, layout
from wavetank.printing.objects import controller, dig, group_kind, labels, name, selector
from wavetank.printing.tables.common import age, containers, images


def _count(item: Object, part: str, field: str) -> int:
    return int(dig(item, part, field, default=0))


@layout("Name", "Ready", "Up-to-date", "Available", "Age", "Containers*", "Images*", "Selector*")
def deployments(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a deployment."""
    return (
        name(item),
        f"{_count(item, 'status', 'readyReplicas')}/{_count(item, 'spec', 'replicas')}",
        _count(item, "status", "updatedReplicas"),
        _count(item, "status", "availableReplicas"),
        age(item, now_ns),
        containers(item, "spec", "template"),
        images(item, "spec", "template"),
        selector(dig(item, "spec", "selector"), empty=""),
    )


@layout("Name", "Desired", "Current", "Ready", "Age", "Containers*", "Images*", "Selector*")
def replica_sets(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a replica set."""
    return (
        name(item),
        _count(item, "spec", "replicas"),
        _count(item, "status", "replicas"),
        _count(item, "status", "readyReplicas"),
        age(item, now_ns),
        containers(item, "spec", "template"),
        images(item, "spec", "template"),
        selector(dig(item, "spec", "selector")),
    )


@layout("Name", "Ready", "Age", "Containers*", "Images*")
def stateful_sets(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a stateful set."""
    return (
        name(item),
        f"{_count(item, 'status', 'readyReplicas')}/{_count(item, 'spec', 'replicas')}",
        age(item, now_ns),
        containers(item, "spec", "template"),
        images(item, "spec", "template"),
    )


@layout(
    "Name",
    "Desired",
    "Current",
    "Ready",
    "Up-to-date",
    "Available",
    "Node Selector",
    "Age",
    "Containers*",
    "Images*",
    "Selector*",
)
def daemon_sets(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a daemon set."""
    return (
        name(item),
        _count(item, "status", "desiredNumberScheduled"),
        _count(item, "status", "currentNumberScheduled"),
        _count(item, "status", "numberReady"),
        _count(item, "status", "updatedNumberScheduled"),
        _count(item, "status", "numberAvailable"),
        labels(dig(item, "spec", "template", "spec", "nodeSelector")),
        age(item, now_ns),
        containers(item, "spec", "template"),
        images(item, "spec", "template"),
        selector(dig(item, "spec", "selector")),
    )


@layout("Name", "Controller", "Revision", "Age")
def controller_revisions(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a controller revision."""
    owner = controller(item)
    title = "<none>"
    if owner is not None:
        title = f"{group_kind(owner.get('apiVersion', ''), owner.get('kind', ''))}/{owner['name']}"
    return name(item), title, item.get("revision", 0), age(item, now_ns)


TABLES = {
    "ControllerRevision": controller_revisions,
    "DaemonSet": daemon_sets,
    "Deployment": deployments,
    "ReplicaSet": replica_sets,
    "StatefulSet": stateful_sets,
}
