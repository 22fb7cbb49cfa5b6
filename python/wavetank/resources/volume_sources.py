"""Sources of volumes, as pods and persistent volumes name them."""

from __future__ import annotations

from .rule import (
    Check,
    absent,
    between,
    call,
    compare,
    contains,
    differs,
    either,
    empty,
    entries,
    equals,
    every,
    field,
    filled,
    if_filled,
    if_present,
    invalid,
    literal,
    need,
    negate,
    number,
    one_of,
    pointer,
    present,
    required,
    shows,
    starts,
    under,
    unless,
    unsupported,
    valid,
    when,
)
from .step import Step, default, default_zero, inside

ONE_VOLUME = "may not specify more than 1 volume type"


def file_mode(name: str) -> Check:
    """A field with permission bits."""
    message = "must be a number between 0 and 0777 (octal), both inclusive"
    wrong = either(compare(".", "<", 0), compare(".", ">", 0o777))
    return field(name, when(wrong, invalid(message, number())))


def needed(*names: str) -> list[Check]:
    """Fields that must be there."""
    return [field(name, need()) for name in names]


def partition() -> Check:
    """The partition number of a disk."""
    wrong = either(compare(".", "<", 0), compare(".", ">", 255))
    message = "must be between 1 and 255, inclusive"
    return field("partition", when(wrong, invalid(message, number())))


KEY_TO_PATH: list[Check] = [
    field("key", need()),
    field("path", need(), valid("local_non_reserved_path")),
    file_mode("mode"),
]

FIELD_PATHS = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)

DOWNWARD_FILE: list[Check] = [
    field("path", need(), valid("local_non_reserved_path")),
    when(
        present(".fieldRef"),
        field("fieldRef", call("object_field_selector", paths=list(FIELD_PATHS))),
        when(
            present(".resourceFieldRef"),
            invalid(
                "fieldRef and resourceFieldRef can not be specified simultaneously",
                literal("resource"),
            ),
        ),
        otherwise=[
            when(
                present(".resourceFieldRef"),
                field("resourceFieldRef", call("resource_field_selector", volume=True)),
                otherwise=[required("one of fieldRef and resourceFieldRef is required")],
            )
        ],
    ),
    file_mode("mode"),
]

HOST_PATH: list[Check] = [
    field("path", need(valid("path_no_backsteps"))),
    when(
        filled(".path"),
        field(
            "type",
            if_filled(
                one_of(
                    "",
                    "BlockDevice",
                    "CharDevice",
                    "Directory",
                    "DirectoryOrCreate",
                    "File",
                    "FileOrCreate",
                    "Socket",
                )
            ),
        ),
    ),
]

NFS: list[Check] = [
    *needed("server"),
    field(
        "path",
        need(),
        unless(starts(".", "/"), invalid("must be an absolute path")),
    ),
]

FIBRE_CHANNEL: list[Check] = [
    when(
        every(empty(".targetWWNs"), empty(".wwids")),
        under("targetWWNs", required("must specify either targetWWNs or wwids, but not both")),
    ),
    when(
        every(filled(".targetWWNs"), filled(".wwids")),
        field(
            "targetWWNs",
            invalid("targetWWNs and wwids can not be specified simultaneously", pointer()),
        ),
    ),
    when(
        filled(".targetWWNs"),
        field(
            "lun",
            when(
                present("."),
                between(0, 255),
                otherwise=[required("lun is required if targetWWNs is specified")],
            ),
        ),
    ),
]

FLOCKER: list[Check] = [
    when(
        every(empty(".datasetName"), empty(".datasetUUID")),
        required("one of datasetName and datasetUUID is required"),
    ),
    when(
        every(filled(".datasetName"), filled(".datasetUUID")),
        invalid(
            "datasetName and datasetUUID can not be specified simultaneously", literal("resource")
        ),
    ),
    field("datasetName", when(contains(".", "/"), invalid("must not contain '/'"))),
]

QUOBYTE: list[Check] = [
    call("quobyte"),
    *needed("volume"),
]

AZURE_DISK: list[Check] = [
    *needed("diskName", "diskURI"),
    field("cachingMode", if_present(one_of("None", "ReadOnly", "ReadWrite"))),
    field("kind", if_present(one_of("Dedicated", "Managed", "Shared"))),
    when(
        every(equals(".kind", "Managed"), negate(starts(".diskURI", "/subscriptions/"))),
        field(
            "diskURI",
            unsupported(
                [
                    "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
                ],
                shows("."),
            ),
        ),
    ),
    when(
        every(
            present(".kind"),
            differs(".kind", "Managed"),
            negate(starts(".diskURI", "https://")),
        ),
        field(
            "diskURI",
            unsupported(
                ["https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"],
                shows("."),
            ),
        ),
    ),
]


def iscsi(*, persistent: bool) -> list[Check]:
    """Check an iSCSI source; a persistent volume says less about names, more about secrets."""
    name = "iscsi_name" if persistent else "iscsi_qualified_name"
    secret = [field("secretRef", if_present(*needed("name")))] if persistent else []
    return [
        *needed("targetPortal"),
        field("iqn", need(valid(name))),
        field("lun", between(0, 255)),
        when(
            every(
                either(filled(".chapAuthDiscovery"), filled(".chapAuthSession")),
                absent(".secretRef"),
            ),
            under("secretRef", required()),
        ),
        *secret,
        field("initiatorName", if_present(valid(name)), shown="initiatorname"),
    ]


FLEX: list[Check] = [
    *needed("driver"),
    field("options", entries(call("reserved_flex_option"))),
]


def storage_os(*, with_namespace: bool) -> list[Check]:
    """A StorageOS source; that of a persistent volume names the namespace of its secret."""
    secret = needed("name", "namespace") if with_namespace else needed("name")
    return [
        field("volumeName", need(valid("dns_label"))),
        field("volumeNamespace", if_filled(valid("dns_label"))),
        field("secretRef", if_present(*secret)),
    ]


def csi_driver_name(name: str) -> Check:
    """A field with the name of a CSI driver."""
    return field(name, need(call("csi_driver_name")))


def with_secret_name() -> Check:
    """A Cinder secret must have a name."""
    return field("secretRef", if_present(*needed("name")))


#: What the sources that pods and PersistentVolumes share are filled up with.
SOURCE_DEFAULTS: list[Step] = [
    inside("hostPath", default("type", "")),
    inside("iscsi", default_zero("iscsiInterface", "default")),
    inside(
        "rbd",
        default_zero("pool", "rbd"),
        default_zero("user", "admin"),
        default_zero("keyring", "/etc/ceph/keyring"),
    ),
    inside(
        "azureDisk",
        default("cachingMode", "ReadWrite"),
        default("fsType", "ext4"),
        default("readOnly", False),
        default("kind", "Shared"),
    ),
    inside(
        "scaleIO", default_zero("storageMode", "ThinProvisioned"), default_zero("fsType", "xfs")
    ),
]
