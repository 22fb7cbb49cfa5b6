"""The group `storage.k8s.io`: StorageClass, CSINode, CSIDriver and others."""

from __future__ import annotations

from .claims import INLINE_SPEC
from .kind import Kind
from .metadata import SELECTOR, metadata, metadata_update
from .rule import (
    Check,
    absent,
    at_least,
    call,
    compare,
    count,
    duplicate,
    each,
    each_hidden,
    empty,
    every,
    field,
    fields,
    forbidden,
    fresh,
    if_filled,
    if_present,
    immutable,
    invalid,
    need,
    number,
    one_of,
    pointer,
    present,
    required,
    same,
    shows,
    struct,
    under,
    unique,
    unless,
    valid,
    when,
)
from .step import Step, default, default_zero, generation, kept, made, quantity, removed
from .volume_sources import csi_driver_name

TOPOLOGY: Check = field("allowedTopologies", call("topology_terms"))

STORAGE_CLASS: list[Check] = [
    metadata("dns_subdomain", namespaced=False),
    field("provisioner", need(call("caseless_name"))),
    field("parameters", call("class_parameters", may_be_empty=True)),
    field("reclaimPolicy", if_filled(one_of("Delete", "Retain"))),
    field(
        "volumeBindingMode",
        when(absent("."), required(), otherwise=[one_of("Immediate", "WaitForFirstConsumer")]),
    ),
    TOPOLOGY,
]

DRIVER: list[Check] = [
    csi_driver_name("name"),
    field(
        "nodeID",
        need(),
        when(
            compare(count("."), ">", 256),
            invalid("must be 256 characters or less"),
        ),
    ),
    field("allocatable", field("count", if_present(at_least(0)))),
    unique("csi drivers", ".name", otherwise=[field("name", duplicate())]),
    fresh(
        "topology keys",
        [
            "from",
            ".topologyKeys",
            [
                each_hidden(
                    need(),
                    unique("topology keys"),
                    valid("qualified_name"),
                )
            ],
        ],
    ),
]

CSI_NODE: list[Check] = [
    metadata("dns_subdomain", namespaced=False),
    fields("spec.drivers", fresh("csi drivers", each(*DRIVER))),
]

CSI_DRIVER_SPEC: Check = field(
    "spec",
    field("attachRequired", when(absent("."), required()), shown="attachedRequired"),
    field("podInfoOnMount", when(absent("."), required())),
    field("storageCapacity", when(absent("."), required())),
    field("fsGroupPolicy", if_present(one_of("File", "None", "ReadWriteOnceWithFSType"))),
    field(
        "tokenRequests",
        fresh(
            "audiences",
            each(
                when(
                    ["seen", "audiences", [".audience"]],
                    field("audience", duplicate()),
                    otherwise=[
                        ["insert", "audiences", [".audience"]],
                        field(
                            "expirationSeconds",
                            if_present(
                                when(
                                    compare(".", "<", 600),
                                    invalid(
                                        "may not specify a duration less than 10 minutes", number()
                                    ),
                                ),
                                when(
                                    compare(".", ">", 1 << 32),
                                    invalid(
                                        "may not specify a duration larger than 2^32 seconds",
                                        number(),
                                    ),
                                ),
                            ),
                        ),
                    ],
                )
            ),
        ),
    ),
    field("volumeLifecycleModes", each_hidden(one_of("Persistent", "Ephemeral"))),
    field("seLinuxMount", when(absent("."), required())),
    field(
        "nodeAllocatableUpdatePeriodSeconds",
        if_present(at_least(10, detail="must be greater than or equal to 10 seconds")),
    ),
    when(
        every(present(".serviceAccountTokenInSecrets"), empty(".tokenRequests")),
        field(
            "serviceAccountTokenInSecrets",
            invalid(
                "serviceAccountTokenInSecrets is set but no tokenRequests are specified",
                pointer(),
            ),
        ),
    ),
)

CSI_DRIVER_DEFAULTS: list[Step] = [
    made(
        "spec",
        default("attachRequired", True),
        default("podInfoOnMount", False),
        default("storageCapacity", False),
        default("fsGroupPolicy", "ReadWriteOnceWithFSType"),
        default_zero("volumeLifecycleModes", ["Persistent"]),
        default("requiresRepublish", False),
        default("seLinuxMount", False),
    )
]

CAPACITY: list[Check] = [
    metadata(),
    field("nodeTopology", SELECTOR),
    field("storageClassName", valid("dns_subdomain")),
    field("capacity", if_present(valid("nonnegative_quantity", style="quantity"))),
]

ATTRIBUTES_CLASS: list[Check] = [
    metadata("dns_subdomain", namespaced=False),
    field("driverName", need(call("caseless_name"))),
    field("parameters", call("class_parameters", may_be_empty=False)),
]

ATTACHMENT: list[Check] = [
    metadata("dns_subdomain", namespaced=False),
    field(
        "spec",
        csi_driver_name("attacher"),
        field(
            "source",
            when(
                absent(".persistentVolumeName"),
                when(
                    absent(".inlineVolumeSpec"),
                    required(
                        "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
                    ),
                    otherwise=[field("inlineVolumeSpec", *INLINE_SPEC)],
                ),
                otherwise=[
                    when(
                        present(".inlineVolumeSpec"),
                        forbidden(
                            "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
                        ),
                        otherwise=[
                            field(
                                "persistentVolumeName",
                                need(detail="must specify non empty persistentVolumeName"),
                            )
                        ],
                    )
                ],
            ),
        ),
        field("nodeName", valid("dns_subdomain")),
    ),
    [
        "under",
        ["spec.source.persistentVolumeName"],
        [["from", "/spec.source.persistentVolumeName", [if_present(valid("dns_subdomain"))]]],
    ],
]

GROUP = "storage.k8s.io"

STATUS_KEEPS = ("labels", "annotations", "finalizers", "ownerReferences")
"""What a write of the status leaves alone besides the specification."""

KINDS = (
    Kind(
        GROUP,
        "StorageClass",
        namespaced=False,
        defaults=[default("reclaimPolicy", "Delete"), default("volumeBindingMode", "Immediate")],
        create=STORAGE_CLASS,
        update=[
            *STORAGE_CLASS,
            metadata_update(),
            immutable("parameters", shape="map"),
            immutable("provisioner", shown=shows(".")),
            immutable("reclaimPolicy"),
            immutable("volumeBindingMode"),
        ],
    ),
    Kind(
        GROUP,
        "CSINode",
        namespaced=False,
        create=CSI_NODE,
        update=[*CSI_NODE, call("csi_drivers_stay")],
        unconditional_update=False,
    ),
    Kind(
        GROUP,
        "CSIDriver",
        namespaced=False,
        defaults=CSI_DRIVER_DEFAULTS,
        prepare_update=[generation(("spec", "CSIDriverSpec"))],
        create=[metadata("dns_subdomain", namespaced=False), CSI_DRIVER_SPEC],
        update=[
            metadata_update(),
            CSI_DRIVER_SPEC,
            immutable("spec.attachRequired", shown_at="spec.attachedRequired"),
            immutable("spec.volumeLifecycleModes"),
        ],
        unconditional_update=False,
    ),
    Kind(
        GROUP,
        "CSIStorageCapacity",
        defaults=[quantity("capacity"), quantity("maximumVolumeSize")],
        create=CAPACITY,
        update=[
            *CAPACITY,
            metadata_update(),
            immutable("nodeTopology", shape="LabelSelector", shown=struct("LabelSelector")),
            immutable("storageClassName", shown=shows(".")),
        ],
        unconditional_update=False,
    ),
    Kind(
        GROUP,
        "VolumeAttributesClass",
        namespaced=False,
        create=ATTRIBUTES_CLASS,
        update=[
            metadata_update(),
            unless(
                same("/driverName", "<driverName"),
                under("driverName", forbidden("updates to driverName are forbidden.")),
            ),
            unless(
                same("/parameters", "<parameters", "map"),
                under("parameters", forbidden("updates to parameters are forbidden.")),
            ),
            *ATTRIBUTES_CLASS,
        ],
    ),
    Kind(
        GROUP,
        "VolumeAttachment",
        namespaced=False,
        prepare=[removed("status")],
        prepare_update=[kept("status")],
        prepare_status=[kept("spec"), *[kept(f"metadata.{name}") for name in STATUS_KEEPS]],
        create=ATTACHMENT,
        update=[
            *ATTACHMENT,
            immutable("spec", shown=["value", ".", "json", "VolumeAttachmentSpec"]),
        ],
        status=[metadata_update()],
        unconditional_update=False,
    ),
)
