"""Node."""

from __future__ import annotations

from .kind import Kind
from .metadata import metadata, metadata_update
from .placement import TAINT_EFFECT
from .rule import (
    Check,
    absent,
    at_path,
    call,
    compare,
    duplicate,
    each,
    every,
    field,
    field_at,
    fields,
    filled,
    forbidden,
    fresh,
    if_present,
    invalid,
    look_at,
    need,
    number,
    same,
    struct,
    unique,
    unless,
    valid,
    when,
)
from .step import Step, inside, kept, provided, quantities, removed, run

TAINTS: Check = fields(
    "spec",
    field_at(
        "taints",
        "metadata.taints",
        fresh(
            "taints",
            each(
                field("key", valid("qualified_name")),
                field("value", call("joined_problems", form="label_value")),
                field("effect", need(TAINT_EFFECT)),
                unique(
                    "taints",
                    ".effect",
                    ".key",
                    otherwise=[
                        duplicate(struct("Taint"), "taints must be unique by key and effect pair")
                    ],
                ),
            ),
        ),
    ),
)

RESOURCES: Check = call("node_resources")

FEATURES: Check = fields("status.declaredFeatures", call("declared_features"))

POD_CIDRS: Check = fields(
    "spec.podCIDRs",
    each(valid("cidr")),
    call("one_per_family", form="cidr"),
)

SWAP: Check = look_at(
    ".status.nodeInfo.swap.capacity",
    at_path(
        "metadata.nodeSwapStatus.capacity",
        if_present(when(compare(".", "<=", 0), invalid("must be greater than zero", number()))),
    ),
)

CREATE: list[Check] = [
    metadata("dns_subdomain", namespaced=False),
    call("node_annotations"),
    TAINTS,
    RESOURCES,
    SWAP,
    FEATURES,
    POD_CIDRS,
]

CHANGES: list[Check] = [
    metadata_update(),
    call("node_annotations"),
    RESOURCES,
    FEATURES,
    fresh(
        "addresses",
        fields(
            "status.addresses",
            each(
                unique(
                    "addresses",
                    ".type",
                    ".address",
                    otherwise=[duplicate(struct("NodeAddress"))],
                )
            ),
        ),
    ),
    call("node_pod_cidrs"),
    when(
        every(filled("<spec.providerID"), ["not", same("/spec.providerID", "<spec.providerID")]),
        at_path(
            "spec.providerID",
            forbidden('node updates may not change providerID except from "" to valid'),
        ),
    ),
    TAINTS,
    unless(
        same("/spec.externalID", "<spec.externalID"),
        at_path("spec.externalID", forbidden("may not be updated")),
    ),
]

DEFAULTS: list[Step] = [
    inside("spec", run("pod_cidrs"), run("pod_cidr")),
    inside("status", quantities("capacity"), run("allocatable"), quantities("allocatable")),
]

NODE_KIND = Kind(
    "",
    "Node",
    namespaced=False,
    defaults=DEFAULTS,
    prepare=[inside("spec", removed("configSource"))],
    prepare_update=[
        kept("status"),
        provided(absent("<spec.configSource"), inside("spec", removed("configSource"))),
    ],
    prepare_status=[
        kept("spec"),
        provided(absent("<status.config"), inside("status", removed("config"))),
    ],
    create=CREATE,
    update=[*CREATE, *CHANGES],
    status=CHANGES,
)
