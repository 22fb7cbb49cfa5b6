"""PersistentVolume and PersistentVolumeClaim."""

from __future__ import annotations

from .kind import Kind
from .metadata import SELECTOR, metadata, metadata_update
from .rule import (
    Check,
    absent,
    call,
    each_hidden,
    either,
    empty,
    equals,
    every,
    field,
    fields,
    filled,
    forbidden,
    if_filled,
    if_present,
    immutable,
    invalid,
    look_at,
    member,
    need,
    one_of,
    present,
    required,
    under,
    union,
    unless,
    up,
    valid,
    when,
)
from .step import (
    Step,
    apply,
    default,
    default_zero,
    inside,
    kept,
    made,
    put,
    quantities,
    run,
)
from .volume_sources import (
    AZURE_DISK,
    FIBRE_CHANNEL,
    FLEX,
    FLOCKER,
    HOST_PATH,
    NFS,
    ONE_VOLUME,
    QUOBYTE,
    SOURCE_DEFAULTS,
    csi_driver_name,
    iscsi,
    needed,
    partition,
    storage_os,
)

MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
ACCESS_MODES: Check = field("accessModes", each_hidden(one_of(*MODES)), call("exclusive_mode"))
VOLUME_MODE: Check = field("volumeMode", if_present(one_of("Block", "Filesystem")))


def data_source(*, with_namespace: bool) -> list[Check]:
    """What a claim is filled from."""
    namespace = [field("namespace", if_filled(valid("dns_label")))] if with_namespace else []
    return [
        *needed("name", "kind"),
        when(
            empty(".apiGroup"),
            look_at(
                ".kind",
                when(
                    ["not", equals(".", "PersistentVolumeClaim")],
                    invalid(
                        "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
                    ),
                ),
            ),
        ),
        unless(
            either(present("<spec.dataSource.apiGroup"), present("<spec.dataSourceRef.apiGroup")),
            field("apiGroup", if_filled(valid("dns_subdomain"))),
        ),
        *namespace,
    ]


CLAIM_SPEC: list[Check] = [
    field("accessModes", need(detail="at least 1 access mode is required")),
    field("selector", SELECTOR),
    ACCESS_MODES,
    call("claim_size"),
    field("storageClassName", if_filled(valid("dns_subdomain"))),
    VOLUME_MODE,
    field("dataSource", if_present(*data_source(with_namespace=False))),
    field("dataSourceRef", if_present(*data_source(with_namespace=True))),
    call("data_sources_agree"),
    field("volumeAttributesClassName", if_filled(valid("dns_subdomain"))),
]
"""A claim's specification; `claim spec` in the shared checks."""

CLAIM_TEMPLATE: list[Check] = [
    field("metadata", call("template_metadata")),
    field("spec", *CLAIM_SPEC),
]
"""The template of an ephemeral volume's claim; `claim template` in the shared checks."""

CLAIM_SPEC_DEFAULTS: list[Step] = [
    default("volumeMode", "Filesystem"),
    inside("resources", quantities("requests"), quantities("limits")),
]

CLAIM_IN_TEMPLATE_DEFAULTS: list[Step] = [
    put("apiVersion", "v1"),
    put("kind", "PersistentVolumeClaim"),
    made("spec", *CLAIM_SPEC_DEFAULTS),
    made("status", default_zero("phase", "Pending")),
]

SECRET_REFERENCE: list[Check] = [
    field("name", need(valid("dns_subdomain"))),
    field("namespace", need(valid("dns_label"))),
]

SOURCES = (
    member("hostPath", *HOST_PATH),
    member("gcePersistentDisk", *needed("pdName"), partition(), shown="persistentDisk"),
    member("awsElasticBlockStore", *needed("volumeID"), partition()),
    member(
        "glusterfs",
        *needed("endpoints", "path"),
        field(
            "endpointsNamespace",
            if_present(
                when(
                    filled("."),
                    valid("dns_label"),
                    otherwise=[
                        invalid(
                            "if the endpointnamespace is set, it must be a valid namespace name"
                        )
                    ],
                )
            ),
        ),
    ),
    member("flocker", *FLOCKER),
    member("nfs", *NFS),
    member("rbd", *needed("monitors", "image")),
    member("quobyte", *QUOBYTE),
    member("cephfs", *needed("monitors"), refused_as="cephFS"),
    member("iscsi", *iscsi(persistent=True)),
    member(
        "cinder",
        *needed("volumeID"),
        field("secretRef", if_present(*needed("name", "namespace"))),
    ),
    member("fc", *FIBRE_CHANNEL),
    member("flexVolume", *FLEX),
    member(
        "azureFile",
        *needed("secretName", "shareName"),
        field("secretNamespace", if_present(need())),
    ),
    member("vsphereVolume", *needed("volumePath")),
    member("photonPersistentDisk", *needed("pdID")),
    member("portworxVolume", *needed("volumeID")),
    member("azureDisk", *AZURE_DISK),
    member("scaleIO", *needed("gateway", "system", "volumeName")),
    member(
        "local",
        field("path", need(valid("path_no_backsteps"))),
        when(
            absent("/spec.nodeAffinity"),
            up(1, under("nodeAffinity", required("Local volume requires node affinity"))),
        ),
    ),
    member("storageos", *storage_os(with_namespace=True)),
    member(
        "csi",
        csi_driver_name("driver"),
        *needed("volumeHandle"),
        field("controllerPublishSecretRef", if_present(*SECRET_REFERENCE)),
        field("controllerExpandSecretRef", if_present(*SECRET_REFERENCE)),
        field("nodePublishSecretRef", if_present(*SECRET_REFERENCE)),
        field("nodeExpandSecretRef", if_present(*SECRET_REFERENCE)),
    ),
)

INLINE = "in the context of inline volumes"

INLINE_SPEC: list[Check] = [
    *[
        field(name, if_filled(forbidden(f"may not be specified {INLINE}")))
        for name in ("claimRef", "capacity")
    ],
    when(absent(".csi"), under("csi", required(f"has to be specified {INLINE}"))),
    field("accessModes", need()),
    ACCESS_MODES,
    field(
        "persistentVolumeReclaimPolicy",
        if_filled(unless(equals(".", "Retain"), forbidden(f"may only be Retain {INLINE}"))),
    ),
    field("nodeAffinity", if_present(forbidden(f"may not be specified {INLINE}"))),
    union(*SOURCES, many=ONE_VOLUME, none=[required("must specify a volume type")]),
    field("storageClassName", if_filled(forbidden(f"may not be specified {INLINE}"))),
    field("volumeMode", if_present(forbidden(f"may not be specified {INLINE}"))),
    field("volumeAttributesClassName", if_present(forbidden(f"may not be specified {INLINE}"))),
]
"""The specification of a volume inside an attachment."""

VOLUME_SPEC: Check = field(
    "spec",
    field("accessModes", need()),
    ACCESS_MODES,
    call("volume_capacity"),
    field("persistentVolumeReclaimPolicy", if_filled(one_of("Delete", "Recycle", "Retain"))),
    field(
        "nodeAffinity",
        if_present(
            field(
                "required",
                when(
                    present("."),
                    ["use", "node selector"],
                    otherwise=[required("must specify required node constraints")],
                ),
            )
        ),
    ),
    union(*SOURCES, many=ONE_VOLUME, none=[required("must specify a volume type")]),
    when(
        every(
            equals(".persistentVolumeReclaimPolicy", "Recycle"),
            equals(".hostPath.path", "/"),
        ),
        under(
            "persistentVolumeReclaimPolicy",
            forbidden("may not be 'recycle' for a hostPath mount of '/'"),
        ),
    ),
    field("storageClassName", if_filled(valid("dns_subdomain"))),
    VOLUME_MODE,
    when(
        present(".volumeAttributesClassName"),
        field(
            "volumeAttributesClassName",
            need(valid("dns_subdomain"), detail="an empty string is disallowed"),
        ),
        when(
            absent(".csi"),
            under("csi", required("has to be specified when using volumeAttributesClassName")),
        ),
    ),
)

VOLUME_DEFAULTS: list[Step] = [
    made(
        "spec",
        quantities("capacity"),
        default_zero("persistentVolumeReclaimPolicy", "Retain"),
        default("volumeMode", "Filesystem"),
        *SOURCE_DEFAULTS,
    ),
    made("status", default_zero("phase", "Pending")),
]

CLAIM_DEFAULTS: list[Step] = [
    made("spec", apply("claim spec")),
    made("status", default_zero("phase", "Pending")),
]

VOLUME_CREATE: list[Check] = [
    metadata("dns_subdomain", namespaced=False),
    VOLUME_SPEC,
    call("mount_options"),
]

KINDS = (
    Kind(
        "",
        "PersistentVolume",
        namespaced=False,
        defaults=VOLUME_DEFAULTS,
        prepare=[put("status", {"phase": "Pending"})],
        prepare_update=[kept("status")],
        prepare_status=[kept("spec")],
        create=VOLUME_CREATE,
        update=[
            *VOLUME_CREATE,
            metadata("dns_subdomain", namespaced=False),
            VOLUME_SPEC,
            call("volume_source_changes"),
            immutable("spec.volumeMode", shown_at="volumeMode"),
            call("volume_affinity_changes"),
            when(
                every(
                    present("<spec.volumeAttributesClassName"),
                    absent("/spec.volumeAttributesClassName"),
                ),
                fields(
                    "spec.volumeAttributesClassName",
                    forbidden("update from non-nil value to nil is forbidden"),
                ),
            ),
        ],
        status=[metadata_update()],
    ),
    Kind(
        "",
        "PersistentVolumeClaim",
        defaults=CLAIM_DEFAULTS,
        prepare=[put("status", {"phase": "Pending"}), run("data_sources")],
        prepare_update=[kept("status"), run("data_sources")],
        prepare_status=[kept("spec")],
        create=[metadata(), field("spec", *CLAIM_SPEC)],
        update=[
            metadata_update(),
            metadata(),
            field("spec", *CLAIM_SPEC),
            call("claim_changes"),
        ],
        status=[
            metadata_update(),
            when(
                empty("/spec.accessModes"),
                ["under", ["Spec.accessModes"], [required()]],
            ),
            fields("status.capacity", call("basic_amounts")),
            fields("status.allocatedResourceStatuses", call("resize_statuses")),
            fields("status.allocatedResources", call("allocated_amounts")),
        ],
    ),
)
