"""Storage: volumes, claims, classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank.printing.ages import rfc1123, since
from wavetank.printing.objects import (
    Object,
    access_modes,
    dig,
    labels,
    name,
    quantity,
    storage_class,
)

from . import common
from .volumes import source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wavetank.cluster import Cluster

    from .page import Page

_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def persistent_volume(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a persistent volume."""
    spec = dig(item, "spec", default={})
    common.head(page, item, namespaced=False)
    page.row("Finalizers:", common.go(dig(item, "metadata", "finalizers", default=[])))
    page.row("StorageClass:", storage_class(item))
    _status(page, item)
    claim = spec.get("claimRef")
    text = "" if claim is None else f"{claim.get('namespace', '')}/{claim.get('name', '')}"
    page.row("Claim:", text)
    page.row("Reclaim Policy:", spec.get("persistentVolumeReclaimPolicy", ""))
    page.row("Access Modes:", access_modes(spec.get("accessModes")))
    if spec.get("volumeMode") is not None:
        page.row("VolumeMode:", spec["volumeMode"])
    page.row("Capacity:", quantity(dig(spec, "capacity", "storage")))
    _node_affinity(page, dig(spec, "nodeAffinity", "required"))
    page.row("Message:", dig(item, "status", "message", default=""))
    page.row("Source:")
    source(page, spec, persistent=True)
    common.events(page, cluster, item)


def _status(page: Page, item: Object) -> None:
    deleted = dig(item, "metadata", "deletionTimestamp")
    if deleted is None:
        page.row("Status:", dig(item, "status", "phase", default=""))
    else:
        page.row("Status:", f"Terminating (lasts {since(deleted, page.now_ns)})")


def _node_affinity(page: Page, required: Object | None) -> None:
    if required is None:
        page.row("Node Affinity:", "<none>")
        return
    page.row("Node Affinity:", "")
    terms = required.get("nodeSelectorTerms") or ()
    page.row("Required Terms:", "" if terms else "<none>", level=1)
    _terms(page, [term.get("matchExpressions") or () for term in terms], level=2)


def _terms(page: Page, terms: Sequence[Sequence[Object]], level: int) -> None:
    for at, requirements in enumerate(terms):
        texts = [_requirement(one) for one in requirements] or ["<none>"]
        page.row(f"Term {at}:", texts[0], level=level)
        for text in texts[1:]:
            page.row("", text, level=level)


def _requirement(item: Object) -> str:
    text = f"{item.get('key')} {str(item.get('operator', 'In')).lower()}"
    values = item.get("values") or ()
    return f"{text} [{', '.join(values)}]" if values else text


def persistent_volume_claim(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a persistent volume claim."""
    spec, metadata = dig(item, "spec", default={}), dig(item, "metadata", default={})
    page.row("Name:", name(item))
    page.row("Namespace:", metadata.get("namespace", ""))
    page.row("StorageClass:", storage_class(item))
    _status(page, item)
    page.row("Volume:", spec.get("volumeName", ""))
    page.labels("Labels", metadata.get("labels"))
    page.annotations(metadata.get("annotations"))
    page.row("Finalizers:", common.go(metadata.get("finalizers") or []))
    bound = bool(spec.get("volumeName"))
    size = quantity(dig(item, "status", "capacity", "storage")) if bound else ""
    page.row("Capacity:", size)
    page.row("Access Modes:", access_modes(dig(item, "status", "accessModes")) if bound else "")
    if spec.get("volumeMode") is not None:
        page.row("VolumeMode:", spec["volumeMode"])
    if spec.get("dataSource") is not None:
        page.row("DataSource:")
        if spec["dataSource"].get("apiGroup") is not None:
            page.row("APIGroup:", spec["dataSource"]["apiGroup"], level=1)
        page.row("Kind:", spec["dataSource"].get("kind", ""), level=1)
        page.row("Name:", spec["dataSource"].get("name", ""), level=1)
    page.listed("Used By", _users(cluster, item))
    _claim_conditions(page, dig(item, "status", "conditions", default=()))
    common.events(page, cluster, item)


def _users(cluster: Cluster, claim: Object) -> list[str]:
    """Return the names of the pods that mount a claim or own it."""
    owners = {owner.get("uid") for owner in dig(claim, "metadata", "ownerReferences", default=())}
    return sorted(
        name(pod)
        for pod in cluster.get("pods", namespace=dig(claim, "metadata", "namespace"))
        if dig(pod, "metadata", "uid") in owners or name(claim) in _claims(pod)
    )


def _claims(pod: Object) -> set[str]:
    volumes = dig(pod, "spec", "volumes", default=())
    return {dig(volume, "persistentVolumeClaim", "claimName", default="") for volume in volumes}


def _claim_conditions(page: Page, conditions: Sequence[Object]) -> None:
    if not conditions:
        return
    page.row("Conditions:")
    titles = ("Type", "Status", "LastProbeTime", "LastTransitionTime", "Reason", "Message")
    page.row(*titles, level=1)
    page.row("----", "------", "-" * 17, "-" * 18, "------", "-------", level=1)
    for one in conditions:
        cells = (
            one.get("type", ""),
            one.get("status", ""),
            rfc1123(one.get("lastProbeTime")),
            rfc1123(one.get("lastTransitionTime")),
            one.get("reason", ""),
        )
        page.row(*(f"{cell} " for cell in cells), one.get("message", ""), level=1)


def storage_class_page(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a storage class."""
    annotations = dig(item, "metadata", "annotations", default={})
    page.row("Name:", name(item))
    is_default = any(annotations.get(key) == "true" for key in _DEFAULT_CLASS)
    page.row("IsDefaultClass:", "Yes" if is_default else "No")
    page.row("Annotations:", labels(annotations))
    page.row("Provisioner:", item.get("provisioner", ""))
    page.row("Parameters:", labels(item.get("parameters")))
    page.row("AllowVolumeExpansion:", common.yes_no(item.get("allowVolumeExpansion")))
    options = item.get("mountOptions") or ()
    page.row("MountOptions:", *([] if options else ["<none>"]))
    for option in options:
        page.row(option, level=1)
    for title, field in (
        ("ReclaimPolicy", "reclaimPolicy"),
        ("VolumeBindingMode", "volumeBindingMode"),
    ):
        if item.get(field) is not None:
            page.row(f"{title}:", item[field])
    if item.get("allowedTopologies") is not None:
        page.row("AllowedTopologies:", "" if item["allowedTopologies"] else "<none>")
        terms = [term.get("matchLabelExpressions") or () for term in item["allowedTopologies"]]
        _terms(page, terms, level=1)
    common.events(page, cluster, item)


def volume_attributes_class(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a volume attributes class."""
    page.row("Name:", name(item))
    page.row("Annotations:", labels(dig(item, "metadata", "annotations")))
    page.row("DriverName:", item.get("driverName", ""))
    page.row("Parameters:", labels(item.get("parameters")))
    common.events(page, cluster, item)


def csi_node(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe the storage drivers of a node."""
    common.head(page, item, namespaced=False)
    common.created(page, item)
    page.row("Spec:")
    drivers = dig(item, "spec", "drivers")
    if drivers is not None:
        page.row("Drivers:", level=1)
    for driver in drivers or ():
        page.row(f"{driver.get('name')}:", level=2)
        page.row("Node ID:", driver.get("nodeID", ""), level=3)
        if dig(driver, "allocatable", "count") is not None:
            page.row("Allocatables:", level=3)
            page.row("Count:", driver["allocatable"]["count"], level=4)
        if driver.get("topologyKeys") is not None:
            page.row("Topology Keys:", common.go(driver["topologyKeys"]), level=3)
    common.events(page, cluster, item)
