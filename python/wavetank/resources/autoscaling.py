"""The group `autoscaling`: HorizontalPodAutoscaler."""

from __future__ import annotations

from .kind import Kind
from .metadata import metadata, metadata_update
from .rule import (
    Check,
    Condition,
    absent,
    anchor,
    at_least,
    at_path,
    call,
    compare,
    each,
    equals,
    every,
    field,
    if_present,
    invalid,
    look_at,
    need,
    number,
    one_of,
    pointer,
    present,
    required,
    same,
    unless,
    valid,
    when,
)
from .step import (
    Step,
    default,
    default_zero,
    inside,
    items_of,
    kept,
    made,
    provided,
    quantity,
    removed,
    run,
)

UNCHANGED: Condition = every(
    present("<spec"),
    same("/spec.scaleTargetRef.apiVersion", "<spec.scaleTargetRef.apiVersion"),
    same("/spec.scaleTargetRef.kind", "<spec.scaleTargetRef.kind"),
)

TARGET_REFERENCE: Check = field(
    "scaleTargetRef",
    field("kind", need(valid("path_segment"))),
    field("name", need(valid("path_segment"))),
    unless(
        UNCHANGED,
        when(
            equals(".kind", "ReplicationController"),
            field("apiVersion", call("scaled_api_version", empty_group=True)),
            otherwise=[field("apiVersion", call("scaled_api_version", empty_group=False))],
        ),
    ),
)

SCALING_POLICY: list[Check] = [
    field("type", one_of("Percent", "Pods")),
    field("value", when(compare(".", "<=", 0), invalid("must be greater than zero", number()))),
    field(
        "periodSeconds",
        when(compare(".", "<=", 0), invalid("must be greater than zero", number())),
        when(compare(".", ">", 1800), invalid("must be less than or equal to 1800", number())),
    ),
]

SCALING_RULES: list[Check] = [
    field(
        "stabilizationWindowSeconds",
        when(compare(".", "<", 0), invalid("must be greater than or equal to zero", pointer())),
        when(compare(".", ">", 3600), invalid("must be less than or equal to 3600", pointer())),
    ),
    field("selectPolicy", if_present(one_of("Disabled", "Max", "Min"))),
    field(
        "policies",
        need(detail="must specify at least one Policy"),
        each(*SCALING_POLICY),
    ),
    field("tolerance", if_present(valid("nonnegative_quantity", style="quantity"))),
]

AUTOSCALER: Check = field(
    "spec",
    field("minReplicas", if_present(at_least(1))),
    field(
        "maxReplicas",
        when(
            equals(".", 0),
            required("must be set and greater than 0"),
            otherwise=[at_least(1)],
        ),
    ),
    when(
        present(".minReplicas"),
        when(
            compare(".maxReplicas", "<", ".minReplicas"),
            field(
                "maxReplicas", invalid("must be greater than or equal to `minReplicas`", number())
            ),
        ),
    ),
    TARGET_REFERENCE,
    anchor("autoscaler", field("metrics", call("metrics"))),
    field(
        "behavior",
        field("scaleUp", if_present(*SCALING_RULES)),
        field("scaleDown", if_present(*SCALING_RULES)),
    ),
)

CPU_TARGET: Check = look_at(
    "/spec.targetCPUUtilizationPercentage",
    at_path(
        "spec.metrics[0].resource.target.averageUtilization",
        if_present(when(compare(".", "<", 1), invalid("must be greater than 0", number()))),
    ),
)
"""The only target of the old version, which is a metric of the new one."""

CREATE: list[Check] = [metadata(), AUTOSCALER]
UPDATE: list[Check] = [metadata_update(), AUTOSCALER]
STATUS: list[Check] = [
    metadata_update(),
    field("status", field("currentReplicas", at_least(0)), field("desiredReplicas", at_least(0))),
]

CPU_METRIC = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}

TARGET: Step = inside("target", quantity("value"), quantity("averageValue"))

V2_DEFAULTS: list[Step] = [
    made(
        "spec",
        default("minReplicas", 1),
        default_zero("metrics", [CPU_METRIC]),
        items_of(
            "metrics",
            *[
                inside(source, TARGET)
                for source in ("resource", "containerResource", "pods", "object", "external")
            ],
        ),
        provided(
            present(".behavior"),
            inside(
                "behavior",
                run("scale_up_rules"),
                run("scale_down_rules"),
                inside("scaleUp", quantity("tolerance")),
                inside("scaleDown", quantity("tolerance")),
            ),
        ),
    ),
]

METRICS_ANNOTATION = "autoscaling.alpha.kubernetes.io/metrics"

V1_DEFAULTS: list[Step] = [
    made("spec", default("minReplicas", 1)),
    provided(
        absent(["/", "metadata", "annotations", METRICS_ANNOTATION]),
        inside("spec", default("targetCPUUtilizationPercentage", 80)),
    ),
]

KINDS = (
    Kind(
        "autoscaling",
        "HorizontalPodAutoscaler",
        versions=("v2",),
        defaults=V2_DEFAULTS,
        prepare=[removed("status")],
        prepare_update=[kept("status")],
        prepare_status=[kept("spec")],
        create=CREATE,
        update=UPDATE,
        status=STATUS,
    ),
    Kind(
        "autoscaling",
        "HorizontalPodAutoscaler",
        versions=("v1",),
        defaults=V1_DEFAULTS,
        prepare=[removed("status")],
        prepare_update=[kept("status")],
        prepare_status=[kept("spec")],
        create=[*CREATE, CPU_TARGET],
        update=[*UPDATE, CPU_TARGET],
        status=STATUS,
    ),
)
