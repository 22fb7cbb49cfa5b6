"""Volumes of pods."""

from __future__ import annotations

from .rule import (
    Check,
    absent,
    anchor,
    call,
    clean,
    compare,
    duplicate,
    each,
    each_hidden,
    either,
    empty,
    field,
    filled,
    forbidden,
    fresh,
    has_form,
    hidden_field,
    if_present,
    insert,
    invalid,
    look_at,
    member,
    need,
    number,
    one_of,
    present,
    required,
    seen,
    shows,
    under,
    union,
    unique,
    unless,
    up,
    use,
    valid,
    when,
)
from .step import Step, apply, default, inside, items_of, made, quantity, run
from .volume_sources import (
    AZURE_DISK,
    DOWNWARD_FILE,
    FIBRE_CHANNEL,
    FLEX,
    FLOCKER,
    HOST_PATH,
    KEY_TO_PATH,
    NFS,
    ONE_VOLUME,
    QUOBYTE,
    SOURCE_DEFAULTS,
    csi_driver_name,
    file_mode,
    iscsi,
    needed,
    partition,
    storage_os,
    with_secret_name,
)

CONFLICT = "conflicting duplicate paths"

PROJECTED_FILES: list[Check] = [
    *needed("name"),
    anchor(
        "projection",
        field(
            "items",
            each(
                *KEY_TO_PATH,
                when(
                    filled(".path"),
                    unique(
                        "projected paths",
                        ".path",
                        otherwise=[up(5, invalid(CONFLICT, shows("$projection.name")))],
                    ),
                ),
            ),
        ),
    ),
]

SERVICE_ACCOUNT_TOKEN: list[Check] = [
    field(
        "expirationSeconds",
        when(
            compare(".", "<", 600),
            invalid("may not specify a duration less than 10 minutes", number()),
        ),
        when(
            compare(".", ">", 1 << 32),
            invalid("may not specify a duration larger than 2^32 seconds", number()),
        ),
    ),
    look_at(".path", up(3, under("path", need(valid("local_non_reserved_path"))))),
]

PROJECTED: list[Check] = [
    file_mode("defaultMode"),
    fresh(
        "projected paths",
        field(
            "sources",
            each(
                field("secret", if_present(*PROJECTED_FILES)),
                field("configMap", if_present(*PROJECTED_FILES)),
                field(
                    "downwardAPI",
                    field(
                        "items",
                        each_hidden(
                            up(1, *DOWNWARD_FILE),
                            when(
                                filled(".path"),
                                unique(
                                    "projected paths",
                                    ".path",
                                    otherwise=[up(4, invalid(CONFLICT, shows(".path")))],
                                ),
                            ),
                        ),
                    ),
                ),
                field("serviceAccountToken", if_present(*SERVICE_ACCOUNT_TOKEN)),
                call(
                    "at_most_one",
                    fields=["secret", "configMap", "downwardAPI", "serviceAccountToken"],
                    detail="may not specify more than 1 volume type per source",
                ),
            ),
        ),
    ),
]

SECRET_VOLUME: list[Check] = [
    *needed("secretName"),
    file_mode("defaultMode"),
    field("items", each(*KEY_TO_PATH)),
]

CONFIG_MAP_VOLUME: list[Check] = [
    *needed("name"),
    file_mode("defaultMode"),
    field("items", each(*KEY_TO_PATH)),
]

PULL_POLICY: Check = need(one_of("Always", "IfNotPresent", "Never"))

SOURCES = (
    member(
        "emptyDir",
        field(
            "sizeLimit",
            unless(
                has_form(".", "nonnegative_quantity"),
                forbidden("SizeLimit field must be a valid resource quantity"),
            ),
        ),
    ),
    member("hostPath", *HOST_PATH),
    member("gitRepo", *needed("repository"), field("directory", valid("local_descending_path"))),
    member("gcePersistentDisk", *needed("pdName"), partition(), shown="persistentDisk"),
    member("awsElasticBlockStore", *needed("volumeID"), partition()),
    member("secret", *SECRET_VOLUME),
    member("nfs", *NFS),
    member("iscsi", *iscsi(persistent=False)),
    member("glusterfs", *needed("endpoints", "path")),
    member("flocker", *FLOCKER),
    member("persistentVolumeClaim", *needed("claimName")),
    member("rbd", *needed("monitors", "image")),
    member("cinder", *needed("volumeID"), with_secret_name()),
    member("cephfs", *needed("monitors"), refused_as="cephFS"),
    member("quobyte", *QUOBYTE),
    member(
        "downwardAPI",
        file_mode("defaultMode"),
        hidden_field("items", each_hidden(*DOWNWARD_FILE)),
        refused_as="downwarAPI",
    ),
    member("fc", *FIBRE_CHANNEL),
    member("flexVolume", *FLEX),
    member("configMap", *CONFIG_MAP_VOLUME),
    member("azureFile", *needed("secretName", "shareName")),
    member("vsphereVolume", *needed("volumePath")),
    member("photonPersistentDisk", *needed("pdID")),
    member("portworxVolume", *needed("volumeID")),
    member("azureDisk", *AZURE_DISK),
    member("storageos", *storage_os(with_namespace=False)),
    member("projected", *PROJECTED),
    member("scaleIO", *needed("gateway", "system", "volumeName")),
    member(
        "csi",
        csi_driver_name("driver"),
        look_at(
            ".nodePublishSecretRef",
            if_present(
                when(
                    empty(".name"),
                    under("nodePublishSecretRef", under("name", required())),
                    otherwise=[field("name", valid("dns_subdomain"))],
                )
            ),
        ),
    ),
    member(
        "ephemeral",
        field(
            "volumeClaimTemplate", when(absent("."), required(), otherwise=[use("claim template")])
        ),
        call("ephemeral_claim_name"),
    ),
    member(
        "image",
        field("reference", when(present("$podmeta"), need())),
        field("pullPolicy", PULL_POLICY),
    ),
)

VOLUMES: list[Check] = [
    fresh(
        "volumes",
        fresh(
            "claim volumes",
            each(
                clean(
                    [
                        anchor(
                            "volume",
                            union(
                                *SOURCES,
                                many=ONE_VOLUME,
                                none=[required("must specify a volume type")],
                            ),
                            call("iscsi_initiator_length"),
                        ),
                        field("name", need(valid("dns_label"))),
                        when(seen("volumes", ".name"), field("name", duplicate())),
                    ],
                    insert("volumes", ".name"),
                    when(
                        either(present(".persistentVolumeClaim"), present(".ephemeral")),
                        insert("claim volumes", ".name"),
                    ),
                ),
                call("claim_of_ephemeral_volume"),
            ),
        ),
    ),
]
"""The volumes of a pod. Sets `volumes` and `claim volumes` hold the sound ones afterwards."""


VOLUME_DEFAULTS: list[Step] = [
    run("volume_without_source"),
    inside("secret", default("defaultMode", 0o644)),
    inside("configMap", default("defaultMode", 0o644)),
    inside(
        "downwardAPI",
        default("defaultMode", 0o644),
        items_of("items", apply("field reference"), apply("resource field")),
    ),
    inside(
        "projected",
        default("defaultMode", 0o644),
        items_of(
            "sources",
            inside("serviceAccountToken", default("expirationSeconds", 3600)),
            inside(
                "downwardAPI",
                items_of("items", apply("field reference"), apply("resource field")),
            ),
        ),
    ),
    *SOURCE_DEFAULTS,
    inside("emptyDir", quantity("sizeLimit")),
    inside("image", run("image_volume_pull_policy")),
    inside("ephemeral.volumeClaimTemplate", made("spec", apply("claim spec"))),
]
