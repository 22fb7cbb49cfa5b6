"""The group `batch`: Job and CronJob."""

from __future__ import annotations

from .kind import Kind
from .metadata import SELECTOR, metadata, metadata_update
from .rule import (
    NAME,
    Check,
    absent,
    at_least,
    at_most_bytes,
    at_most_items,
    at_path,
    call,
    collect,
    compare,
    count,
    differs,
    each,
    either,
    empty,
    equals,
    every,
    field,
    fields,
    filled,
    fresh,
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
    seen,
    shows,
    struct,
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
    items_of,
    kept,
    made,
    provided,
    put,
    removed,
    run,
)
from .workloads import FIRST_GENERATION

INDEXED = equals(".completionMode", "Indexed")
HIGH = 100_000

INDEXED_JOB: list[Check] = [
    when(
        absent(".completions"),
        under("completions", required("when completion mode is Indexed")),
    ),
    field(
        "parallelism",
        when(
            compare(".", ">", HIGH),
            invalid(
                f"must be less than or equal to {HIGH} when completion mode is Indexed", number()
            ),
        ),
    ),
    when(
        every(present(".completions"), present(".maxFailedIndexes")),
        when(
            compare(".maxFailedIndexes", ">", ".completions"),
            field(
                "maxFailedIndexes", invalid("must be less than or equal to completions", number())
            ),
        ),
    ),
    field(
        "maxFailedIndexes",
        when(compare(".", ">", HIGH), invalid(f"must be less than or equal to {HIGH}", number())),
    ),
    when(
        every(compare(".completions", ">", HIGH), present(".backoffLimitPerIndex")),
        when(
            absent(".maxFailedIndexes"),
            under(
                "maxFailedIndexes", required(f"must be specified when completions is above {HIGH}")
            ),
        ),
        *[
            field(
                name,
                when(
                    compare(".", ">", 10_000),
                    invalid(
                        f"must be less than or equal to 10000 when completions are above {HIGH} "
                        "and used with backoff limit per index",
                        number(),
                    ),
                ),
            )
            for name in ("parallelism", "maxFailedIndexes")
        ],
    ),
]

ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
OPERATORS = ("In", "NotIn")
STATUSES = ("False", "True", "Unknown")


def valid_values(values: tuple[str, ...]) -> str:
    """The detail of a required choice, as Go prints a list of strings."""
    return "valid values: [" + " ".join(f'"{value}"' for value in values) + "]"


EXIT_CODES: list[Check] = [
    field("operator", need(one_of(*OPERATORS), detail=valid_values(OPERATORS))),
    field(
        "containerName",
        if_present(
            unless(
                seen("job containers"),
                invalid("must be one of the container or initContainer names in the pod template"),
            )
        ),
    ),
    field(
        "values",
        when(
            empty("."),
            invalid("at least one value is required", pointer()),
            otherwise=[at_most_items(255)],
        ),
    ),
    call("exit_codes"),
]

FAILURE_POLICY: Check = field(
    "podFailurePolicy",
    if_present(
        fresh(
            "job containers",
            collect("job containers", "$job.template.spec.containers", "name"),
            collect("job containers", "$job.template.spec.initContainers", "name"),
            field(
                "rules",
                at_most_items(20),
                each(
                    field(
                        "action",
                        need(
                            when(
                                equals(".", "FailIndex"),
                                when(
                                    absent("$job.backoffLimitPerIndex"),
                                    invalid("requires the backoffLimitPerIndex to be set", NAME),
                                ),
                                otherwise=[one_of(*ACTIONS)],
                            ),
                            detail=valid_values(ACTIONS),
                        ),
                    ),
                    field("onExitCodes", if_present(*EXIT_CODES)),
                    field(
                        "onPodConditions",
                        at_most_items(20),
                        each(
                            field("type", valid("qualified_name")),
                            field("status", need(one_of(*STATUSES), detail=valid_values(STATUSES))),
                        ),
                    ),
                    when(
                        every(present(".onExitCodes"), filled(".onPodConditions")),
                        invalid(
                            "specifying both OnExitCodes and OnPodConditions is not supported", None
                        ),
                    ),
                    when(
                        every(absent(".onExitCodes"), empty(".onPodConditions")),
                        invalid(
                            "specifying one of OnExitCodes and OnPodConditions is required", None
                        ),
                    ),
                ),
            ),
        )
    ),
)

SUCCESS_POLICY: Check = field(
    "successPolicy",
    if_present(
        when(
            equals("$job.completionMode", "Indexed"),
            field(
                "rules",
                need(
                    detail="at least one rules must be specified when the successPolicy is "
                    "specified"
                ),
                at_most_items(20),
                each(call("success_rule")),
            ),
            otherwise=[invalid("requires indexed completion mode", struct("SuccessPolicy"))],
        )
    ),
)

REPLACEMENT: Check = field(
    "podReplacementPolicy",
    if_present(
        when(
            present("$job.podFailurePolicy"),
            one_of("Failed"),
            otherwise=[one_of("Failed", "TerminatingOrFailed")],
        )
    ),
)

RESTART_POLICY: Check = fields(
    "template.spec.restartPolicy",
    when(
        equals(".", "Always"),
        required('valid values: "OnFailure", "Never"'),
        otherwise=[
            when(
                ["not", equals(".", "OnFailure", "Never")],
                unsupported(["OnFailure", "Never"]),
                otherwise=[
                    when(
                        every(present("$job.podFailurePolicy"), differs(".", "Never")),
                        invalid(
                            'only "Never" is supported when podFailurePolicy is specified', NAME
                        ),
                    )
                ],
            )
        ],
    ),
)

JOB_SPEC: list[Check] = [
    [
        "anchor",
        "job",
        [
            *[
                field(name, at_least(0))
                for name in (
                    "parallelism",
                    "completions",
                    "activeDeadlineSeconds",
                    "backoffLimit",
                    "ttlSecondsAfterFinished",
                    "backoffLimitPerIndex",
                    "maxFailedIndexes",
                )
            ],
            when(
                every(present(".maxFailedIndexes"), absent(".backoffLimitPerIndex")),
                under("backoffLimitPerIndex", required("when maxFailedIndexes is specified")),
            ),
            field("managedBy", if_present(call("domain_prefixed_path"), at_most_bytes(63))),
            field("completionMode", if_present(one_of("NonIndexed", "Indexed"))),
            when(
                INDEXED,
                *INDEXED_JOB,
                otherwise=[
                    when(
                        either(absent(".completionMode"), equals(".completionMode", "NonIndexed")),
                        *[
                            field(
                                name,
                                if_present(invalid("requires indexed completion mode", number())),
                            )
                            for name in ("backoffLimitPerIndex", "maxFailedIndexes")
                        ],
                    )
                ],
            ),
            FAILURE_POLICY,
            SUCCESS_POLICY,
            REPLACEMENT,
            field("template", use("pod template")),
            RESTART_POLICY,
        ],
    ],
]
"""A Job's specification, alone and in a CronJob; `job spec` in the shared checks."""

JOB_WITH_SELECTOR: list[Check] = [
    field(
        "spec",
        use("job spec"),
        field("selector", when(absent("."), required(), otherwise=[SELECTOR])),
        field("template", call("selected_template")),
    ),
]

JOB_SPEC_DEFAULTS: list[Step] = [
    made("template", apply("pod template")),
    items_of("podFailurePolicy.rules", items_of("onPodConditions", default_zero("status", "True"))),
]

JOB_DEFAULTS: list[Step] = [
    made(
        "spec",
        apply("job spec"),
        provided(every(absent(".completions"), absent(".parallelism")), put("completions", 1)),
        default("parallelism", 1),
        provided(
            present(".backoffLimitPerIndex"),
            default("backoffLimit", 2147483647),
            otherwise=[default("backoffLimit", 6)],
        ),
        default("completionMode", "NonIndexed"),
        default("suspend", False),
        provided(
            present(".podFailurePolicy"),
            default("podReplacementPolicy", "Failed"),
            otherwise=[default("podReplacementPolicy", "TerminatingOrFailed")],
        ),
        default("manualSelector", False),
    ),
    provided(
        either(present(".spec.selector"), equals(".spec.manualSelector", True)),
        run("labels_from_template"),
    ),
]

JOB_CREATE: list[Check] = [
    metadata(),
    call("generated_selector"),
    *JOB_WITH_SELECTOR,
    call("indexed_job_name"),
]

CRON_JOB: list[Check] = [
    field(
        "spec",
        field("schedule", need(valid("schedule"), call("schedule_zone"))),
        field("startingDeadlineSeconds", if_present(at_least(0))),
        unless(
            every(present("<spec"), same("/spec.timeZone", "<spec.timeZone")),
            field("timeZone", if_present(call("time_zone"))),
        ),
        field("concurrencyPolicy", need(one_of("Allow", "Forbid", "Replace"))),
        field(
            "jobTemplate",
            field("spec", use("job spec")),
            fields(
                "spec.selector",
                if_present(invalid("`selector` will be auto-generated", struct("LabelSelector"))),
            ),
            fields(
                "spec.manualSelector",
                when(equals(".", True), unsupported(["nil", "false"], pointer())),
            ),
        ),
        field("successfulJobsHistoryLimit", if_present(at_least(0))),
        field("failedJobsHistoryLimit", if_present(at_least(0))),
    ),
]

CRON_DEFAULTS: list[Step] = [
    made(
        "spec",
        made("jobTemplate", made("spec", apply("job spec"))),
        default_zero("concurrencyPolicy", "Allow"),
        default("suspend", False),
        default("successfulJobsHistoryLimit", 3),
        default("failedJobsHistoryLimit", 1),
    ),
]

KINDS = (
    Kind(
        "batch",
        "Job",
        defaults=JOB_DEFAULTS,
        prepare=[
            run("job_selector"),
            removed("status"),
            *FIRST_GENERATION,
        ],
        prepare_update=[kept("status"), generation(("spec", "JobSpec"))],
        prepare_status=[kept("spec")],
        create=JOB_CREATE,
        update=[
            *JOB_CREATE,
            metadata_update(),
            *JOB_WITH_SELECTOR,
            call("job_completions"),
            immutable("spec.selector", shape="LabelSelector", shown=struct("LabelSelector")),
            call("job_template_changes"),
            immutable("spec.completionMode"),
            immutable(
                "spec.podFailurePolicy", shape="PodFailurePolicy", shown=struct("PodFailurePolicy")
            ),
            immutable("spec.backoffLimitPerIndex"),
            immutable("spec.managedBy"),
            immutable("spec.successPolicy", shape="SuccessPolicy", shown=struct("SuccessPolicy")),
        ],
        status=[metadata_update(), call("job_status")],
    ),
    Kind(
        "batch",
        "CronJob",
        defaults=CRON_DEFAULTS,
        prepare=[removed("status"), *FIRST_GENERATION],
        prepare_update=[kept("status"), generation(("spec", "CronJobSpec"))],
        prepare_status=[kept("spec")],
        create=[
            metadata(),
            *CRON_JOB,
            when(
                compare(count("/metadata.name"), ">", 52),
                at_path(
                    "metadata.name",
                    invalid("must be no more than 52 characters", shows("/metadata.name")),
                ),
            ),
        ],
        update=[metadata_update(), *CRON_JOB],
    ),
)
