"""Where pods may go: node affinity, pod affinity, spread constraints, tolerations."""

from __future__ import annotations

from .metadata import SELECTOR
from .rule import (
    NAME,
    Check,
    call,
    compare,
    count,
    differs,
    each,
    each_hidden,
    either,
    empty,
    every,
    field,
    filled,
    forbidden,
    if_filled,
    if_present,
    invalid,
    look_at,
    need,
    number,
    one_of,
    pointer,
    present,
    required,
    shows,
    switch,
    under,
    unsupported,
    valid,
    when,
)

WEIGHT: Check = field(
    "weight",
    when(
        either(compare(".", "<=", 0), compare(".", ">", 100)),
        invalid("must be in the range 1-100", number()),
    ),
)

NODE_REQUIREMENT = switch(
    ".operator",
    (
        ("In", "NotIn"),
        [
            field(
                "values",
                need(detail="must be specified when `operator` is 'In' or 'NotIn'"),
            )
        ],
    ),
    (
        ("Exists", "DoesNotExist"),
        [
            field(
                "values",
                if_filled(
                    forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
                ),
            )
        ],
    ),
    (
        ("Gt", "Lt"),
        [
            when(
                compare(count(".values"), "!=", 1),
                under(
                    "values",
                    required("must be specified single value when `operator` is 'Lt' or 'Gt'"),
                ),
            )
        ],
    ),
    default=[field("operator", invalid("not a valid selector operator", NAME))],
)

NODE_FIELD = [
    switch(
        ".operator",
        (
            ("In", "NotIn"),
            [
                when(
                    compare(count(".values"), "!=", 1),
                    under(
                        "values",
                        required(
                            "must be only one value when `operator` is 'In' or 'NotIn' for node "
                            "field selector"
                        ),
                    ),
                )
            ],
        ),
        default=[field("operator", invalid("not a valid selector operator", NAME))],
    ),
    when(
        differs(".key", "metadata.name"),
        field("key", invalid("not a valid field selector key")),
        otherwise=[field("values", each(valid("dns_subdomain")))],
    ),
]


def node_term(*, check_values: bool) -> list[Check]:
    """A term of a node selector; values of preferred terms may be no label values."""
    values = [field("values", each(valid("label_value")))] if check_values else []
    return [
        field(
            "matchExpressions",
            each(NODE_REQUIREMENT, field("key", valid("qualified_name")), *values),
        ),
        field("matchFields", each(*NODE_FIELD)),
    ]


NODE_SELECTOR: list[Check] = [
    field(
        "nodeSelectorTerms",
        need(
            each(*node_term(check_values=True)),
            detail="must have at least one node selector term",
        ),
    ),
]

NODE_AFFINITY: list[Check] = [
    field("requiredDuringSchedulingIgnoredDuringExecution", if_present(*NODE_SELECTOR)),
    field(
        "preferredDuringSchedulingIgnoredDuringExecution",
        each(WEIGHT, field("preference", *node_term(check_values=False))),
    ),
]

POD_TERM: list[Check] = [
    field("labelSelector", SELECTOR),
    field("namespaceSelector", SELECTOR),
    look_at(".namespaces", under("namespace", each_hidden(valid("dns_label")))),
    call("match_label_keys"),
    field("topologyKey", need(detail="can not be empty"), valid("qualified_name")),
]

POD_AFFINITY: list[Check] = [
    field("requiredDuringSchedulingIgnoredDuringExecution", each(*POD_TERM)),
    field(
        "preferredDuringSchedulingIgnoredDuringExecution",
        each(WEIGHT, field("podAffinityTerm", *POD_TERM)),
    ),
]

AFFINITY: list[Check] = [
    field("nodeAffinity", if_present(*NODE_AFFINITY)),
    field("podAffinity", if_present(*POD_AFFINITY)),
    field("podAntiAffinity", if_present(*POD_AFFINITY)),
]

SPREAD: list[Check] = [
    each(
        field(
            "maxSkew",
            when(compare(".", "<=", 0), invalid("must be greater than zero", number())),
        ),
        field("topologyKey", need(detail="can not be empty")),
        field("whenUnsatisfiable", one_of("DoNotSchedule", "ScheduleAnyway")),
        call("repeated_constraint"),
        when(
            present(".minDomains"),
            field(
                "minDomains",
                when(compare(".", "<=", 0), invalid("must be greater than zero", number())),
            ),
            when(
                differs(".whenUnsatisfiable", "DoNotSchedule"),
                under(
                    "minDomains",
                    invalid(
                        "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not "
                        "{.whenUnsatisfiable}",
                        pointer(".minDomains"),
                    ),
                ),
            ),
        ),
        field("nodeAffinityPolicy", if_present(one_of("Honor", "Ignore"))),
        field("nodeTaintsPolicy", if_present(one_of("Honor", "Ignore"))),
        call("match_label_keys"),
        field("labelSelector", SELECTOR),
    ),
]

TAINT_EFFECT: Check = one_of("NoSchedule", "PreferNoSchedule", "NoExecute")

TOLERATIONS: list[Check] = [
    each(
        field("key", if_filled(valid("qualified_name"))),
        when(
            every(empty(".key"), differs(".operator", "Exists")),
            field(
                "operator",
                invalid(
                    'operator must be Exists when `key` is empty, which means "match all values '
                    'and all keys"',
                    NAME,
                ),
            ),
        ),
        when(
            every(present(".tolerationSeconds"), differs(".effect", "NoExecute")),
            field(
                "effect",
                invalid("effect must be 'NoExecute' when `tolerationSeconds` is set", NAME),
            ),
        ),
        switch(
            ".operator",
            (
                ("Equal", ""),
                [under("operator", look_at(".value", call("joined_problems", form="label_value")))],
            ),
            (
                "Exists",
                [
                    when(
                        filled(".value"),
                        under(
                            "operator",
                            invalid(
                                "value must be empty when `operator` is 'Exists'", shows(".value")
                            ),
                        ),
                    )
                ],
            ),
            (("Lt", "Gt"), [field("operator", unsupported(["Equal", "Exists", "Lt", "Gt"]))]),
            default=[field("operator", unsupported(["Equal", "Exists"]))],
        ),
        field("effect", if_filled(TAINT_EFFECT)),
    ),
]
