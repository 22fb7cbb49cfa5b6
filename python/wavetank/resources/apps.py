"""The group `apps`: Deployment, ReplicaSet, StatefulSet, DaemonSet, ControllerRevision."""

from __future__ import annotations

from .kind import Kind
from .metadata import SELECTOR, metadata, metadata_update
from .rule import (
    NAME,
    Check,
    absent,
    at_least,
    at_path,
    call,
    compare,
    count,
    each,
    empty,
    equals,
    every,
    field,
    fields,
    forbidden,
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
    struct,
    switch,
    under,
    unless,
    unsupported,
    use,
    valid,
    when,
)
from .step import (
    Step,
    apply,
    default,
    default_zero,
    generation,
    inside,
    items_of,
    kept,
    made,
    provided,
    put,
    removed,
    run,
)


def counts(*names: str) -> list[Check]:
    """Numbers of a status that cannot be negative."""
    return [field(name, at_least(0)) for name in names]


def no_more_than(first: str, second: str, detail: str) -> Check:
    """One number of a status cannot exceed another."""
    return when(
        compare(f".{first}", ">", f".{second}"),
        under(first, invalid(detail, number(f".{first}"))),
    )


def collisions_grow() -> Check:
    """The collision count is never taken back."""
    less = [
        "any",
        [
            every(present("<status.collisionCount"), absent("/status.collisionCount")),
            every(
                present("<status.collisionCount"),
                compare("/status.collisionCount", "<", "<status.collisionCount"),
            ),
        ],
    ]
    return when(
        less,
        at_path(
            "status.collisionCount",
            invalid("cannot be decremented", number("/status.collisionCount")),
        ),
    )


def selector(kind: str) -> Check:
    """A selector that must be there and select something."""
    return field(
        "selector",
        when(
            absent("."),
            required(),
            otherwise=[
                SELECTOR,
                when(
                    compare(count(".matchLabels"), "==", 0),
                    when(
                        compare(count(".matchExpressions"), "==", 0),
                        invalid(f"empty selector is invalid for {kind}", struct("LabelSelector")),
                    ),
                ),
            ],
        ),
    )


def restarts_always(kind: str) -> list[Check]:
    """Pods of a controller restart always and have no deadline."""
    return [
        fields("spec.restartPolicy", unless(equals(".", "Always"), unsupported(["Always"]))),
        fields(
            "spec.activeDeadlineSeconds",
            if_present(forbidden(f"activeDeadlineSeconds in {kind} is not Supported")),
        ),
    ]


TEMPLATE: list[Check] = [
    call("selected_template"),
    use("pod template"),
    *restarts_always("ReplicaSet"),
]
"""A template whose labels the selector beside it must match."""

SOUND_SELECTOR = ["has", ".selector", "selector"]

REPLICATED: list[Check] = [
    unless(
        SOUND_SELECTOR,
        field("selector", invalid("invalid label selector", struct("LabelSelector"))),
    ),
    when(SOUND_SELECTOR, field("template", *TEMPLATE)),
]

ROLLING_UPDATE: list[Check] = [
    field("maxUnavailable", call("int_or_percent")),
    field("maxSurge", call("int_or_percent")),
    when(
        every(
            has_no := ["has", ".maxUnavailable", "zero_percent"],
            ["has", ".maxSurge", "zero_percent"],
        ),
        field("maxUnavailable", invalid("may not be 0 when `maxSurge` is 0", pointer())),
    ),
    field("maxUnavailable", call("at_most_100_percent")),
]

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

LESS_THAN_REPLICAS = "cannot be greater than status.replicas"

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

FIRST_GENERATION: list[Step] = [made("metadata", put("generation", 1))]

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

RETENTION: Check = one_of("Retain", "Delete")

STATEFUL_ROLLING: list[Check] = [
    field("partition", at_least(0)),
    field(
        "maxUnavailable",
        if_present(
            call("int_or_percent"),
            when(["has", ".", "zero_percent"], invalid("cannot be 0", pointer())),
            call("at_most_100_percent"),
        ),
    ),
]


def stateful_set(*, update: bool) -> Check:
    """A StatefulSet's specification; an update tolerates what can no longer be changed."""
    claims = (
        [] if update else [field("volumeClaimTemplates", each(field("spec", use("claim spec"))))]
    )
    service = [] if update else [field("serviceName", if_filled(valid("dns_label")))]
    return field(
        "spec",
        field(
            "podManagementPolicy",
            need(
                unless(
                    equals(".", "OrderedReady", "Parallel"),
                    invalid("must be 'OrderedReady' or 'Parallel'", NAME),
                )
            ),
        ),
        field(
            "updateStrategy",
            switch(
                ".type",
                ("", [required()]),
                (
                    "OnDelete",
                    [
                        field(
                            "rollingUpdate",
                            if_present(
                                invalid(
                                    "only allowed for updateStrategy 'RollingUpdate'",
                                    struct("RollingUpdateStatefulSetStrategy"),
                                )
                            ),
                        )
                    ],
                ),
                ("RollingUpdate", [field("rollingUpdate", if_present(*STATEFUL_ROLLING))]),
                default=[
                    invalid(
                        "must be 'RollingUpdate' or 'OnDelete'",
                        struct("StatefulSetUpdateStrategy"),
                    )
                ],
            ),
        ),
        field(
            "persistentVolumeClaimRetentionPolicy",
            if_present(field("whenDeleted", RETENTION), field("whenScaled", RETENTION)),
        ),
        *claims,
        field("replicas", at_least(0)),
        field("minReadySeconds", at_least(0)),
        field("ordinals", field("start", at_least(0))),
        *service,
        selector("statefulset"),
        unless(SOUND_SELECTOR, field("selector", invalid("", struct("LabelSelector")))),
        when(SOUND_SELECTOR, call("stateful_template", checks="pod template")),
        fields(
            "template.spec.restartPolicy",
            unless(equals(".", "Always"), unsupported(["Always"])),
        ),
        fields(
            "template.spec.activeDeadlineSeconds",
            if_present(forbidden("activeDeadlineSeconds in StatefulSet is not Supported")),
        ),
    )


STATEFUL_CHANGES: Check = call(
    "stateful_set_changes",
    detail=(
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
        "'minReadySeconds' are forbidden"
    ),
)

STATEFUL_STATUS: list[Check] = [
    field(
        "status",
        *counts(
            "replicas",
            "readyReplicas",
            "currentReplicas",
            "updatedReplicas",
            "availableReplicas",
            "observedGeneration",
            "collisionCount",
        ),
        no_more_than("readyReplicas", "replicas", LESS_THAN_REPLICAS),
        no_more_than("currentReplicas", "replicas", LESS_THAN_REPLICAS),
        no_more_than("updatedReplicas", "replicas", LESS_THAN_REPLICAS),
        no_more_than("availableReplicas", "replicas", LESS_THAN_REPLICAS),
        no_more_than(
            "availableReplicas", "readyReplicas", "cannot be greater than status.readyReplicas"
        ),
    ),
    metadata_update(),
    collisions_grow(),
]

NO_MAX_UNAVAILABLE: Step = provided(
    absent("<spec.updateStrategy.rollingUpdate.maxUnavailable"),
    inside("spec.updateStrategy.rollingUpdate", removed("maxUnavailable")),
)
"""The field is behind a gate that is off, and dropped unless it was there before."""

STATEFUL_DEFAULTS: list[Step] = [
    made(
        "spec",
        made("template", apply("pod template")),
        items_of("volumeClaimTemplates", apply("claim in a template")),
        default_zero("podManagementPolicy", "OrderedReady"),
        made(
            "updateStrategy",
            provided(
                empty(".type"),
                made("rollingUpdate"),
                put("type", "RollingUpdate"),
            ),
            provided(
                every(equals(".type", "RollingUpdate"), present(".rollingUpdate")),
                inside("rollingUpdate", default("partition", 0)),
            ),
        ),
        made(
            "persistentVolumeClaimRetentionPolicy",
            default_zero("whenDeleted", "Retain"),
            default_zero("whenScaled", "Retain"),
        ),
        default("replicas", 1),
        default("revisionHistoryLimit", 10),
    ),
]

DAEMON_SET: Check = field(
    "spec",
    field("selector", SELECTOR),
    field("template", call("selected_template")),
    field(
        "selector",
        if_present(
            when(
                compare(count(".matchLabels"), "==", 0),
                when(
                    compare(count(".matchExpressions"), "==", 0),
                    invalid("empty selector is invalid for daemonset", struct("LabelSelector")),
                ),
            )
        ),
    ),
    field("template", use("pod template"), *restarts_always("DaemonSet")),
    field("minReadySeconds", at_least(0)),
    field(
        "updateStrategy",
        switch(
            ".type",
            ("OnDelete", []),
            (
                "RollingUpdate",
                [
                    field(
                        "rollingUpdate",
                        when(
                            absent("."),
                            required(),
                            otherwise=[
                                field("maxUnavailable", call("int_or_percent")),
                                field("maxSurge", call("int_or_percent")),
                                field("maxUnavailable", call("at_most_100_percent")),
                                field("maxSurge", call("at_most_100_percent")),
                                when(
                                    ["has", ".maxUnavailable", "zero_percent"],
                                    when(
                                        ["has", ".maxSurge", "zero_percent"],
                                        under(
                                            "maxUnavailable",
                                            required("cannot be 0 when maxSurge is 0"),
                                        ),
                                    ),
                                    otherwise=[
                                        unless(
                                            ["has", ".maxSurge", "zero_percent"],
                                            field(
                                                "maxSurge",
                                                invalid(
                                                    "may not be set when maxUnavailable is "
                                                    "non-zero",
                                                    pointer(),
                                                ),
                                            ),
                                        )
                                    ],
                                ),
                            ],
                        ),
                    )
                ],
            ),
            default=[unsupported(["RollingUpdate", "OnDelete"], struct("DaemonSetUpdateStrategy"))],
        ),
    ),
    field("revisionHistoryLimit", if_present(at_least(0))),
)

DAEMON_DEFAULTS: list[Step] = [
    made(
        "spec",
        made("template", apply("pod template")),
        made(
            "updateStrategy",
            default_zero("type", "RollingUpdate"),
            provided(
                equals(".type", "RollingUpdate"),
                made("rollingUpdate", default("maxUnavailable", 1), default("maxSurge", 0)),
            ),
        ),
        default("revisionHistoryLimit", 10),
    ),
]

DAEMON_STATUS: list[Check] = [
    metadata_update(),
    field(
        "status",
        *counts(
            "currentNumberScheduled",
            "numberMisscheduled",
            "desiredNumberScheduled",
            "numberReady",
            "observedGeneration",
            "updatedNumberScheduled",
            "numberAvailable",
            "numberUnavailable",
            "collisionCount",
        ),
    ),
    collisions_grow(),
]

SAME_SELECTOR: Check = immutable(
    "spec.selector", shape="LabelSelector", shown=struct("LabelSelector")
)

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
