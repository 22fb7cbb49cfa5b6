"""Pods and pod templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank.printing.ages import rfc1123, since
from wavetank.printing.objects import Object, condition, dig

from . import common
from .containers import containers, resources
from .volumes import volumes

if TYPE_CHECKING:
    from wavetank.cluster import Cluster

    from .page import Page


def pod(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a pod."""
    spec, status = dig(item, "spec", default={}), dig(item, "status", default={})
    _placement(page, item, spec, status)
    _state(page, item, spec, status)
    if spec.get("resources") is not None:
        page.row("Resources:")
        resources(page, spec["resources"], level=1)
    _containers(page, item, spec, status)
    _conditions(page, item, spec, status)
    volumes(page, spec.get("volumes"))
    page.row("QoS Class:", status.get("qosClass", ""))
    page.labels("Node-Selectors", spec.get("nodeSelector"))
    page.listed("Tolerations", common.tolerations(spec.get("tolerations")))
    common.spread_constraints(page, spec.get("topologySpreadConstraints"))
    _scheduling_group(page, spec)
    common.events(page, cluster, item, any_kind=True)


def _placement(page: Page, item: Object, spec: Object, status: Object) -> None:
    metadata = dig(item, "metadata", default={})
    page.row("Name:", metadata.get("name", ""))
    page.row("Namespace:", metadata.get("namespace", ""))
    if spec.get("priority") is not None:
        page.row("Priority:", spec["priority"])
    for title, field in (
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ):
        if spec.get(field):
            page.row(f"{title}:", spec[field])
    node = spec.get("nodeName")
    page.row("Node:", f"{node}/{status.get('hostIP', '')}" if node else "<none>")
    if status.get("startTime") is not None:
        page.row("Start Time:", rfc1123(status["startTime"]))
    page.labels("Labels", metadata.get("labels"))
    page.annotations(metadata.get("annotations"))


def _state(page: Page, item: Object, spec: Object, status: Object) -> None:
    deleted = dig(item, "metadata", "deletionTimestamp")
    if deleted is not None and status.get("phase") not in ("Failed", "Succeeded"):
        page.row("Status:", f"Terminating (lasts {since(deleted, page.now_ns)})")
        grace = dig(item, "metadata", "deletionGracePeriodSeconds", default=0)
        page.row("Termination Grace Period:", f"{grace}s")
    else:
        page.row("Status:", status.get("phase", ""))
    for title, field in (("Reason", "reason"), ("Message", "message")):
        if status.get(field):
            page.row(f"{title}:", status[field])
    profile = dig(spec, "securityContext", "seccompProfile")
    if profile is not None:
        page.row("SeccompProfile:", profile.get("type", ""))
        if profile.get("type") == "Localhost":
            page.row("LocalhostProfile:", profile.get("localhostProfile", ""))
    page.row("IP:", status.get("podIP", ""))
    ips = status.get("podIPs") or ()
    page.row("IPs:", *([] if ips else ["<none>"]))
    for ip in ips:
        page.row("IP:", ip.get("ip", ""), level=1)
    common.controlled_by(page, item)
    if status.get("nominatedNodeName"):
        page.row("NominatedNodeName:", status["nominatedNodeName"])


def _containers(page: Page, item: Object, spec: Object, status: Object) -> None:
    for title, field, state in (
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ):
        found = spec.get(field) or ()
        if found or field == "containers":
            containers(page, title, found, status.get(state) or (), pod=item)


def _conditions(page: Page, item: Object, spec: Object, status: Object) -> None:
    gates = spec.get("readinessGates") or ()
    if gates:
        page.row("Readiness Gates:")
        page.row("Type", "Status", level=1)
    for gate in gates:
        found = condition(item, gate.get("conditionType", ""))
        page.row(f"{gate.get('conditionType')} ", f"{found.get('status', '<none>')} ", level=1)
    conditions = status.get("conditions") or ()
    if conditions:
        page.row("Conditions:")
        page.row("Type", "Status", level=1)
    for found in conditions:
        page.row(f"{found.get('type')} ", f"{found.get('status')} ", level=1)


def _scheduling_group(page: Page, spec: Object, indent: str = "") -> None:
    group = spec.get("schedulingGroup")
    if group is not None:
        page.row(f"{indent}SchedulingGroup:")
        page.row("PodGroupName:", group.get("podGroupName", ""), level=1)


def template(page: Page, item: Object | None) -> None:
    """Print the pod template of a workload."""
    page.row("Pod Template:")
    if item is None:
        page.row("<unset>", level=1)
        return
    spec = dig(item, "spec", default={})
    page.labels("  Labels", dig(item, "metadata", "labels"))
    if dig(item, "metadata", "annotations"):
        page.annotations(item["metadata"]["annotations"], "  Annotations")
    if spec.get("serviceAccountName"):
        page.row("Service Account:", spec["serviceAccountName"], level=1)
    if spec.get("initContainers"):
        containers(page, "Init Containers", spec["initContainers"], indent="  ")
    containers(page, "Containers", spec.get("containers") or (), indent="  ")
    volumes(page, spec.get("volumes"), indent="  ")
    common.spread_constraints(page, spec.get("topologySpreadConstraints"), indent="  ")
    if spec.get("priorityClassName"):
        page.row("Priority Class Name:", spec["priorityClassName"], level=1)
    page.labels("  Node-Selectors", spec.get("nodeSelector"))
    page.listed("  Tolerations", common.tolerations(spec.get("tolerations")))
    _scheduling_group(page, spec, indent="  ")
