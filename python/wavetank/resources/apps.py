"""The group `apps`; the rules of StatefulSets and DaemonSets are in files of their own."""

from __future__ import annotations

from .daemonset import DAEMON_DEFAULTS, DAEMON_SET, DAEMON_STATUS
from .kind import Kind
from .metadata import metadata, metadata_update
from .rule import (
    Check,
    absent,
    at_least,
    compare,
    equals,
    field,
    forbidden,
    if_present,
    immutable,
    invalid,
    pointer,
    present,
    required,
    struct,
    switch,
    unless,
    unsupported,
    when,
)
from .statefulset import (
    NO_MAX_UNAVAILABLE,
    STATEFUL_CHANGES,
    STATEFUL_DEFAULTS,
    STATEFUL_STATUS,
    stateful_set,
)
from .step import (
    Step,
    apply,
    default,
    default_zero,
    generation,
    kept,
    made,
    provided,
    removed,
    run,
)
from .workloads import (
    FIRST_GENERATION,
    LESS_THAN_REPLICAS,
    REPLICATED,
    ROLLING_UPDATE,
    SAME_SELECTOR,
    collisions_grow,
    counts,
    no_more_than,
    selector,
)

DEPLOYMENT: list[Check] = [
    field(
        "spec",
        field("replicas", at_least(0)),
        selector("deployment"),
        *REPLICATED,
        field(
            "strategy",
            switch(
                ".type",
                (
                    "Recreate",
                    [
                        field(
                            "rollingUpdate",
                            if_present(
                                forbidden("may not be specified when strategy `type` is 'Recreate'")
                            ),
                        )
                    ],
                ),
                (
                    "RollingUpdate",
                    [
                        field(
                            "rollingUpdate",
                            when(
                                absent("."),
                                required("this should be defaulted and never be nil"),
                                otherwise=ROLLING_UPDATE,
                            ),
                        )
                    ],
                ),
                default=[unsupported(["Recreate", "RollingUpdate"], struct("DeploymentStrategy"))],
            ),
        ),
        field("minReadySeconds", at_least(0)),
        field("revisionHistoryLimit", if_present(at_least(0))),
        field("progressDeadlineSeconds", if_present(at_least(0))),
        when(
            present(".progressDeadlineSeconds"),
            when(
                compare(".progressDeadlineSeconds", "<=", ".minReadySeconds"),
                field(
                    "progressDeadlineSeconds",
                    invalid("must be greater than minReadySeconds", pointer()),
                ),
            ),
        ),
    ),
]

DEPLOYMENT_STATUS: list[Check] = [
    metadata_update(),
    field(
        "status",
        *counts(
            "observedGeneration",
            "replicas",
            "updatedReplicas",
            "readyReplicas",
            "availableReplicas",
            "unavailableReplicas",
            "terminatingReplicas",
            "collisionCount",
        ),
        no_more_than("updatedReplicas", "replicas", LESS_THAN_REPLICAS),
        no_more_than("readyReplicas", "replicas", LESS_THAN_REPLICAS),
        no_more_than("availableReplicas", "replicas", LESS_THAN_REPLICAS),
        no_more_than("availableReplicas", "readyReplicas", "cannot be greater than readyReplicas"),
    ),
    collisions_grow(),
]

DEPLOYMENT_DEFAULTS: list[Step] = [
    made(
        "spec",
        made("template", apply("pod template")),
        default("replicas", 1),
        made(
            "strategy",
            default_zero("type", "RollingUpdate"),
            provided(
                equals(".type", "RollingUpdate"),
                made("rollingUpdate", default("maxUnavailable", "25%"), default("maxSurge", "25%")),
            ),
        ),
        default("revisionHistoryLimit", 10),
        default("progressDeadlineSeconds", 600),
    ),
]

REPLICA_SET: list[Check] = [
    field(
        "spec",
        field("replicas", at_least(0)),
        field("minReadySeconds", at_least(0)),
        selector("deployment"),
        *REPLICATED,
    ),
]

REPLICA_SET_STATUS: list[Check] = [
    field(
        "status",
        *counts(
            "replicas",
            "fullyLabeledReplicas",
            "readyReplicas",
            "availableReplicas",
            "observedGeneration",
            "terminatingReplicas",
        ),
        no_more_than("fullyLabeledReplicas", "replicas", LESS_THAN_REPLICAS),
        no_more_than("readyReplicas", "replicas", LESS_THAN_REPLICAS),
        no_more_than("availableReplicas", "replicas", LESS_THAN_REPLICAS),
        no_more_than("availableReplicas", "readyReplicas", "cannot be greater than readyReplicas"),
    ),
]

KINDS = (
    Kind(
        "apps",
        "Deployment",
        defaults=DEPLOYMENT_DEFAULTS,
        prepare=[removed("status"), *FIRST_GENERATION],
        prepare_update=[
            kept("status"),
            generation(("spec", "DeploymentSpec"), ("metadata.annotations", "map")),
        ],
        prepare_status=[kept("spec"), kept("metadata.labels")],
        create=[metadata(), *DEPLOYMENT],
        update=[metadata_update(), *DEPLOYMENT, SAME_SELECTOR],
        status=DEPLOYMENT_STATUS,
    ),
    Kind(
        "apps",
        "ReplicaSet",
        defaults=[
            made("spec", made("template", apply("pod template")), default("replicas", 1)),
        ],
        prepare=[removed("status"), *FIRST_GENERATION],
        prepare_update=[kept("status"), generation(("spec", "ReplicaSetSpec"))],
        prepare_status=[kept("spec")],
        create=[metadata(), *REPLICA_SET],
        update=[metadata_update(), *REPLICA_SET, SAME_SELECTOR],
        status=[metadata_update(), *REPLICA_SET_STATUS],
    ),
    Kind(
        "apps",
        "StatefulSet",
        defaults=STATEFUL_DEFAULTS,
        prepare=[
            removed("status"),
            *FIRST_GENERATION,
            NO_MAX_UNAVAILABLE,
        ],
        prepare_update=[
            kept("status"),
            NO_MAX_UNAVAILABLE,
            generation(("spec", "StatefulSetSpec")),
        ],
        prepare_status=[kept("spec")],
        create=[metadata("dns_label"), stateful_set(update=False)],
        update=[metadata_update(), stateful_set(update=True), STATEFUL_CHANGES],
        status=STATEFUL_STATUS,
    ),
    Kind(
        "apps",
        "DaemonSet",
        defaults=DAEMON_DEFAULTS,
        prepare=[
            removed("status"),
            *FIRST_GENERATION,
            run("template_generation"),
        ],
        prepare_update=[
            kept("status"),
            run("template_generation"),
            generation(("spec", "DaemonSetSpec")),
        ],
        prepare_status=[kept("spec")],
        create=[metadata(), DAEMON_SET],
        update=[metadata_update(), SAME_SELECTOR, DAEMON_SET],
        status=DAEMON_STATUS,
    ),
    Kind(
        "apps",
        "ControllerRevision",
        create=[
            metadata(),
            field("revision", at_least(0)),
            field(
                "data",
                when(
                    absent("."),
                    required("data is mandatory"),
                    otherwise=[
                        unless(["has", ".", "object"], required("data must be a valid JSON object"))
                    ],
                ),
            ),
        ],
        update=[
            metadata_update(),
            metadata(),
            field("revision", at_least(0)),
            immutable("data"),
        ],
    ),
)
