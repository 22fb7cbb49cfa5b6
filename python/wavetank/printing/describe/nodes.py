"""Nodes, with the pods on them and what those request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.printing.ages import rfc1123, since
from wavetank.printing.objects import Object, dig, name, quantity
from wavetank.printing.tables.core import node_roles
from wavetank.printing.text import joined

from . import common
from .amounts import ZERO, Amounts, limits, requests, total_of

if TYPE_CHECKING:
    from wavetank._core import Quantity
    from wavetank.cluster import Cluster

    from .page import Page

_INFO = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
)
_STANDARD = ("cpu", "memory", "ephemeral-storage")
_POOLS_SHOWN = 10


def node(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a node."""
    spec, status = dig(item, "spec", default={}), dig(item, "status", default={})
    page.row("Name:", name(item))
    page.row("Roles:", joined(node_roles(item)))
    page.labels("Labels", dig(item, "metadata", "labels"))
    page.annotations(dig(item, "metadata", "annotations"))
    common.created(page, item)
    taints = sorted(spec.get("taints") or (), key=lambda taint: f"{taint['effect']},{taint['key']}")
    page.listed("Taints", map(_taint, taints))
    page.row("Unschedulable:", common.go(bool(spec.get("unschedulable"))))
    _lease(page, cluster, item)
    _conditions(page, status)
    page.row("Addresses:")
    for address in status.get("addresses") or ():
        page.row(f"{address.get('type')}:", address.get("address", ""), level=1)
    for title, field in (("Capacity", "capacity"), ("Allocatable", "allocatable")):
        amounts = status.get(field) or {}
        if amounts:
            page.row(f"{title}:")
        page.rows(([f"{key}:", quantity(amounts[key])] for key in sorted(amounts)), level=1)
    _slices(page, cluster, item)
    _system(page, spec, status)
    _pods(page, cluster, item)
    _events(page, cluster, item)


def _taint(taint: Object) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    effect = f":{taint['effect']}" if taint.get("effect") else ""
    return f"{taint.get('key')}{value}{effect}"


def _lease(page: Page, cluster: Cluster, item: Object) -> None:
    found = cluster.find("leases.coordination.k8s.io", name(item), namespace="kube-node-lease")
    if found is None:
        missing = f'leases.coordination.k8s.io "{name(item)}" not found'
        page.row("Lease:", f"Failed to get lease: {missing}")
        return
    spec = dig(found, "spec", default={})
    page.row("Lease:")
    page.row("HolderIdentity:", common.or_unset(spec.get("holderIdentity")), level=1)
    for title, field in (("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")):
        page.row(f"{title}:", rfc1123(spec[field]) if spec.get(field) else "<unset>", level=1)


def _conditions(page: Page, status: Object) -> None:
    conditions = status.get("conditions") or ()
    if not conditions:
        return
    page.row("Conditions:")
    titles = ("Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message")
    page.row(*titles, level=1)
    page.row("----", "------", "-" * 17, "-" * 18, "------", "-------", level=1)
    for found in conditions:
        cells = (
            found.get("type"),
            found.get("status"),
            rfc1123(found.get("lastHeartbeatTime")),
            rfc1123(found.get("lastTransitionTime")),
            found.get("reason", ""),
        )
        page.row(*(f"{cell} " for cell in cells), found.get("message", ""), level=1)


def _slices(page: Page, cluster: Cluster, item: Object) -> None:
    """Print the devices that are on this node alone, by pool."""
    pools: dict[tuple[str, str], list[int]] = {}
    for found in cluster.get(
        "resourceslices.resource.k8s.io", field_selector=f"spec.nodeName={name(item)}"
    ):
        spec = dig(found, "spec", default={})
        counts = pools.setdefault((spec.get("driver", ""), dig(spec, "pool", "name")), [0, 0])
        counts[0] += 1
        counts[1] += len(spec.get("devices") or ())
    if not pools:
        return
    page.row("Node-Local ResourceSlices:")
    page.row("Driver", "Pool", "Slices", "Devices", level=1)
    page.row("------", "----", "------", "-------", level=1)
    for key in sorted(pools, key="/".join)[:_POOLS_SHOWN]:
        page.row(*key, *pools[key], level=1)
    if len(pools) > _POOLS_SHOWN:
        page.row(f"...and {len(pools) - _POOLS_SHOWN} more pools", level=1)


def _system(page: Page, spec: Object, status: Object) -> None:
    page.row("System Info:")
    for title, field in _INFO:
        page.row(f"{title}:", dig(status, "nodeInfo", field, default=""), level=1)
    if spec.get("podCIDR"):
        page.row("PodCIDR:", spec["podCIDR"])
    if spec.get("podCIDRs"):
        page.row("PodCIDRs:", ",".join(spec["podCIDRs"]))
    if spec.get("providerID"):
        page.row("ProviderID:", spec["providerID"])


def _pods(page: Page, cluster: Cluster, item: Object) -> None:
    selector = f"spec.nodeName={name(item)},status.phase!=Succeeded,status.phase!=Failed"
    pods = cluster.get("pods", field_selector=selector)
    allocatable = dig(item, "status", "allocatable") or dig(item, "status", "capacity", default={})
    page.row("Non-terminated Pods:", f"({len(pods)} in total)")
    titles = ("CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age")
    page.row("Namespace", "Name", "", *titles, level=1)
    page.row("---------", "----", "", *("-" * len(title) for title in titles), level=1)
    for pod in pods:
        asked, most = requests(pod, reported=True), limits(pod, reported=True)
        cells = [
            _share(amounts.get(resource, ZERO), allocatable, resource)
            for resource in ("cpu", "memory")
            for amounts in (asked, most)
        ]
        age = since(dig(pod, "metadata", "creationTimestamp"), page.now_ns)
        page.row(dig(pod, "metadata", "namespace"), name(pod), "", *cells, age, level=1)
    page.row("Allocated resources:")
    page.row("(Total limits may be over 100 percent, i.e., overcommitted.)", level=1)
    page.row("Resource", "Requests", "Limits", level=1)
    page.row("--------", "--------", "------", level=1)
    _totals(page, allocatable, total_of(map(requests, pods)), total_of(map(limits, pods)))


def _totals(page: Page, allocatable: Object, asked: Amounts, most: Amounts) -> None:
    pages = sorted(key for key in allocatable if key.startswith("hugepages-"))
    others = sorted(key for key in allocatable if key not in (*_STANDARD, *pages, "pods"))
    for resource in (*_STANDARD, *pages):
        pair = (amounts.get(resource, ZERO) for amounts in (asked, most))
        page.row(resource, *(_share(one, allocatable, resource) for one in pair), level=1)
    for resource in others:
        page.row(resource, asked.get(resource, ZERO), most.get(resource, ZERO), level=1)


def _share(amount: Quantity, allocatable: Object, resource: str) -> str:
    from wavetank._core import Quantity  # noqa: PLC0415 - a name for types above

    whole = Quantity(allocatable.get(resource, "0"))
    parts = (amount.milli_value, whole.milli_value)
    if resource != "cpu":
        parts = (amount.value, whole.value)
    percent = int(parts[0] / parts[1] * 100) if parts[1] else 0
    return f"{amount} ({percent}%)"


def _events(page: Page, cluster: Cluster, item: Object) -> None:
    """Print the events about a node; some name it where its uid should stand."""
    fields = {
        "involvedObject.name": name(item),
        "involvedObject.namespace": "",
        "involvedObject.kind": "Node",
    }
    found: list[Any] = []
    for uid in dict.fromkeys((dig(item, "metadata", "uid"), name(item))):
        found += common.find_events(cluster, None, {**fields, "involvedObject.uid": uid})
    common.print_events(page, found)
