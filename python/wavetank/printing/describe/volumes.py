"""Volumes of pods and sources of persistent volumes.

Each source is a title and the fields to show; what a field reads when it is absent stands
beside it where that is not simply nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.printing.objects import Object, dig, quantity, storage_class

from .common import go

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .page import Page

#: Shown title, field, and what stands for an absent value.
Field = tuple[str, str, Any]

_FS_TYPE: Field = ("FSType", "fsType", "")
_READ_ONLY: Field = ("ReadOnly", "readOnly", False)
_SECRET: Field = ("SecretRef", "secretRef", None)
_PATH: Field = ("Path", "path", "")
_CEPHFS: Sequence[Field] = (
    ("Monitors", "monitors", []),
    _PATH,
    ("User", "user", ""),
    ("SecretFile", "secretFile", ""),
    _SECRET,
    _READ_ONLY,
)

#: By the name of the source, in the order kubectl looks for them.
SOURCES: dict[str, tuple[str, Sequence[Field]]] = {
    "hostPath": (
        "HostPath (bare host directory volume)",
        (_PATH, ("HostPathType", "type", "<none>")),
    ),
    "emptyDir": (
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        (("Medium", "medium", ""), ("SizeLimit", "sizeLimit", "<unset>")),
    ),
    "gcePersistentDisk": (
        "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        (("PDName", "pdName", ""), _FS_TYPE, ("Partition", "partition", 0), _READ_ONLY),
    ),
    "awsElasticBlockStore": (
        "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        (("VolumeID", "volumeID", ""), _FS_TYPE, ("Partition", "partition", 0), _READ_ONLY),
    ),
    "gitRepo": (
        "GitRepo (a volume that is pulled from git when the pod is created)",
        (("Repository", "repository", ""), ("Revision", "revision", "")),
    ),
    "secret": (
        "Secret (a volume populated by a Secret)",
        (("SecretName", "secretName", ""), ("Optional", "optional", False)),
    ),
    "configMap": (
        "ConfigMap (a volume populated by a ConfigMap)",
        (("Name", "name", ""), ("Optional", "optional", False)),
    ),
    "nfs": (
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        (("Server", "server", ""), _PATH, _READ_ONLY),
    ),
    "iscsi": (
        (
            "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then "
            "exposed to the pod)"
        ),
        (
            ("TargetPortal", "targetPortal", ""),
            ("IQN", "iqn", ""),
            ("Lun", "lun", 0),
            ("ISCSIInterface", "iscsiInterface", ""),
            _FS_TYPE,
            _READ_ONLY,
            ("Portals", "portals", []),
            ("DiscoveryCHAPAuth", "chapAuthDiscovery", False),
            ("SessionCHAPAuth", "chapAuthSession", False),
            _SECRET,
            ("InitiatorName", "initiatorName", "<none>"),
        ),
    ),
    "persistentVolumeClaim": (
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        (("ClaimName", "claimName", ""), _READ_ONLY),
    ),
    "ephemeral": (
        (
            "EphemeralVolume (an inline specification for a volume that gets created and deleted "
            "with the pod)"
        ),
        (),
    ),
    "downwardAPI": (
        "DownwardAPI (a volume populated by information about the pod)",
        (),
    ),
    "azureDisk": (
        "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
        (
            ("DiskName", "diskName", ""),
            ("DiskURI", "diskURI", ""),
            ("Kind", "kind", ""),
            _FS_TYPE,
            ("CachingMode", "cachingMode", ""),
            _READ_ONLY,
        ),
    ),
    "vsphereVolume": (
        "vSphereVolume (a Persistent Disk resource in vSphere)",
        (
            ("VolumePath", "volumePath", ""),
            _FS_TYPE,
            ("StoragePolicyName", "storagePolicyName", ""),
        ),
    ),
    "cephfs": ("CephFS (a CephFS mount on the host that shares a pod's lifetime)", _CEPHFS),
    "fc": (
        "FC (a Fibre Channel disk)",
        (("TargetWWNs", "targetWWNs", ""), ("LUN", "lun", "<none>"), _FS_TYPE, _READ_ONLY),
    ),
    "azureFile": (
        "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
        (("SecretName", "secretName", ""), ("ShareName", "shareName", ""), _READ_ONLY),
    ),
    "flexVolume": (
        (
            "FlexVolume (a generic volume resource that is provisioned/attached using an exec "
            "based plugin)"
        ),
        (("Driver", "driver", ""), _FS_TYPE, _SECRET, _READ_ONLY, ("Options", "options", {})),
    ),
    "projected": (
        "Projected (a volume that contains injected data from multiple sources)",
        (),
    ),
    "local": (
        "LocalVolume (a persistent volume backed by local storage on a node)",
        (_PATH,),
    ),
    "csi": (
        "CSI (a Container Storage Interface (CSI) volume source)",
        (("Driver", "driver", ""), _FS_TYPE, _READ_ONLY),
    ),
    "image": (
        "Image (a container image or OCI artifact)",
        (("Reference", "reference", ""), ("PullPolicy", "pullPolicy", "")),
    ),
}


def volumes(page: Page, items: Sequence[Object] | None, indent: str = "") -> None:
    """Print the volumes of a pod."""
    if not items:
        page.row(f"{indent}Volumes:", "<none>")
        return
    page.row(f"{indent}Volumes:")
    for item in items:
        page.row(f"{' ' if indent else ''}{item.get('name')}:", level=1)
        source(page, item)


def source(page: Page, item: Object, *, persistent: bool = False) -> None:
    """Print what a volume is made of."""
    for name, (title, declared) in SOURCES.items():
        found = item.get(name)
        if found is None:
            continue
        page.row("Type:", title, level=2)
        fields = declared
        if name == "csi" and persistent:
            fields = (*declared[:2], ("VolumeHandle", "volumeHandle", ""), _READ_ONLY)
        for shown, field, absent in fields:
            # kubectl forgets a colon.
            heading = shown if shown == "ISCSIInterface" else f"{shown}:"
            page.row(heading, _value(found, field, absent), level=2)
        _details(page, name, found)
        return
    page.row("<unknown>", level=1)


def _value(found: Object, field: str, absent: Any) -> str:
    value = found.get(field)
    if value is None or (field == "sizeLimit" and quantity(value) == "0"):
        return go(absent)
    if field == "sizeLimit":
        return quantity(value)
    return ", ".join(value) if field == "targetWWNs" else go(value)


def _details(page: Page, name: str, found: Object) -> None:
    """Print what the fields of a source do not tell."""
    if name == "csi":
        _attributes(page, found.get("volumeAttributes") or {})
    elif name == "downwardAPI":
        page.row("Items:", level=2)
        for item in found.get("items") or ():
            of = dig(item, "fieldRef", "fieldPath") or dig(item, "resourceFieldRef", "resource")
            page.row(f"{of} -> {item.get('path')}", level=3)
    elif name == "projected":
        for item in found.get("sources") or ():
            _projected(page, item)
    elif name == "ephemeral":
        _claim_template(page, dig(found, "volumeClaimTemplate", default={}))


def _attributes(page: Page, attributes: Mapping[str, str]) -> None:
    if not attributes:
        page.row("VolumeAttributes:", "<none>", level=2)
        return
    texts = [f"{key}={value}" for key, value in sorted(attributes.items())]
    _nested(
        page, "VolumeAttributes", [f"{text[:140]}..." if text[140:] else text for text in texts]
    )


def _nested(page: Page, title: str, texts: Sequence[str]) -> None:
    """Print a title and texts below each other; kubectl indents both sides of the tab."""
    for at, text in enumerate(texts or ["<none>"]):
        page.row("    " if at else f"{title}:", f"    {text}", level=2)


def _projected(page: Page, item: Object) -> None:
    for title, field in (("SecretName", "secret"), ("ConfigMapName", "configMap")):
        if item.get(field) is not None:
            page.row(f"{title}:", item[field].get("name", ""), level=2)
            page.row("Optional:", go(bool(item[field].get("optional"))), level=2)
            return
    if item.get("downwardAPI") is not None:
        page.row("DownwardAPI:", "true", level=2)
    elif item.get("serviceAccountToken") is not None:
        seconds = item["serviceAccountToken"].get("expirationSeconds", 3600)
        page.row("TokenExpirationSeconds:", seconds, level=2)


def _claim_template(page: Page, template: Object) -> None:
    """Print the claim an ephemeral volume makes."""
    spec = dig(template, "spec", default={})
    page.row("StorageClass:", storage_class(template), level=2)
    page.row("Volume:", spec.get("volumeName", ""), level=2)
    metadata = dig(template, "metadata", default={})
    for title, separator in (("labels", "="), ("annotations", ": ")):
        pairs = sorted((metadata.get(title) or {}).items())
        _nested(page, title.title(), [f"{key}{separator}{value}" for key, value in pairs])
    page.row("Capacity:", "", level=2)
    page.row("Access Modes:", "", level=2)
    if spec.get("volumeMode"):
        page.row("VolumeMode:", spec["volumeMode"], level=2)
