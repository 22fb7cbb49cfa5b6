"""Tables of volumes, claims and the group ``storage.k8s.io``."""

from __future__ import annotations

from wavetank.printing.layout import Object, layout
from wavetank.printing.objects import access_modes, dig, name, quantity, storage_class
from wavetank.printing.tables.common import age


def _phase(item: Object) -> str:
    deleted = dig(item, "metadata", "deletionTimestamp") is not None
    return "Terminating" if deleted else str(dig(item, "status", "phase", default=""))


@layout(
    "Name",
    "Capacity",
    "Access Modes",
    "Reclaim Policy",
    "Status",
    "Claim",
    "StorageClass",
    "VolumeAttributesClass",
    "Reason",
    "Age",
    "VolumeMode*",
)
def volumes(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a persistent volume."""
    claim = dig(item, "spec", "claimRef")
    return (
        name(item),
        quantity(dig(item, "spec", "capacity", "storage")),
        access_modes(dig(item, "spec", "accessModes")),
        dig(item, "spec", "persistentVolumeReclaimPolicy", default=""),
        _phase(item),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim is not None else "",
        storage_class(item),
        dig(item, "spec", "volumeAttributesClassName", default="<unset>"),
        dig(item, "status", "reason", default=""),
        age(item, now_ns),
        dig(item, "spec", "volumeMode", default="<unset>"),
    )


@layout(
    "Name",
    "Status",
    "Volume",
    "Capacity",
    "Access Modes",
    "StorageClass",
    "VolumeAttributesClass",
    "Age",
    "VolumeMode*",
)
def claims(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a persistent volume claim."""
    volume = dig(item, "spec", "volumeName", default="")
    return (
        name(item),
        _phase(item),
        volume,
        quantity(dig(item, "status", "capacity", "storage")) if volume else "",
        access_modes(dig(item, "status", "accessModes")) if volume else "",
        storage_class(item),
        dig(item, "spec", "volumeAttributesClassName", default="<unset>"),
        age(item, now_ns),
        dig(item, "spec", "volumeMode", default="<unset>"),
    )


@layout("Name", "Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion", "Age")
def classes(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a storage class."""
    return (
        name(item) + (" (default)" if is_default(item) else ""),
        item.get("provisioner", ""),
        item.get("reclaimPolicy") or "Delete",
        item.get("volumeBindingMode") or "Immediate",
        bool(item.get("allowVolumeExpansion")),
        age(item, now_ns),
    )


def is_default(item: Object) -> bool:
    """Whether claims that name no class get this one."""
    marks = dig(item, "metadata", "annotations", default={})
    keys = ("storageclass.kubernetes.io", "storageclass.beta.kubernetes.io")
    return any(marks.get(f"{key}/is-default-class") == "true" for key in keys)


@layout("Name", "DriverName", "Age")
def attribute_classes(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a volume attributes class."""
    return name(item), item.get("driverName", ""), age(item, now_ns)


@layout("Name", "Attacher", "PV", "Node", "Attached", "Age")
def attachments(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a volume attachment."""
    return (
        name(item),
        dig(item, "spec", "attacher", default=""),
        dig(item, "spec", "source", "persistentVolumeName", default=""),
        dig(item, "spec", "nodeName", default=""),
        dig(item, "status", "attached", default=False),
        age(item, now_ns),
    )


@layout("Name", "Drivers", "Age")
def csi_nodes(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a CSI node."""
    return name(item), len(dig(item, "spec", "drivers", default=())), age(item, now_ns)


@layout(
    "Name",
    "AttachRequired",
    "PodInfoOnMount",
    "StorageCapacity",
    "TokenRequests",
    "RequiresRepublish",
    "Modes",
    "Age",
)
def csi_drivers(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a CSI driver."""
    spec = dig(item, "spec", default={})
    tokens = spec.get("tokenRequests")
    return (
        name(item),
        dig(spec, "attachRequired", default=True),
        bool(spec.get("podInfoOnMount")),
        bool(spec.get("storageCapacity")),
        "<unset>" if tokens is None else ",".join(token.get("audience", "") for token in tokens),
        bool(spec.get("requiresRepublish")),
        ",".join(spec.get("volumeLifecycleModes") or ()) or "<none>",
        age(item, now_ns),
    )


@layout("Name", "StorageClassName", "Capacity")
def csi_capacities(item: Object, _: int) -> tuple[object, ...]:
    """Return the cells of a CSI storage capacity."""
    return name(item), item.get("storageClassName", ""), quantity(item.get("capacity"), "<unset>")


CORE = {"PersistentVolume": volumes, "PersistentVolumeClaim": claims}
STORAGE = {
    "CSIDriver": csi_drivers,
    "CSINode": csi_nodes,
    "CSIStorageCapacity": csi_capacities,
    "StorageClass": classes,
    "VolumeAttachment": attachments,
    "VolumeAttributesClass": attribute_classes,
}
