"""StatefulSets: defaults and rules."""

from __future__ import annotations

from .metadata import metadata_update
from .rule import (
    NAME,
    Check,
    absent,
    at_least,
    call,
    each,
    empty,
    equals,
    every,
    field,
    fields,
    forbidden,
    if_filled,
    if_present,
    invalid,
    need,
    one_of,
    pointer,
    present,
    required,
    struct,
    switch,
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
    inside,
    items_of,
    made,
    provided,
    put,
    removed,
)
from .workloads import (
    LESS_THAN_REPLICAS,
    SOUND_SELECTOR,
    collisions_grow,
    counts,
    no_more_than,
    selector,
)

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
