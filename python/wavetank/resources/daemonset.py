"""DaemonSets: defaults and rules."""

from __future__ import annotations

from .metadata import SELECTOR, metadata_update
from .rule import (
    Check,
    absent,
    at_least,
    call,
    compare,
    count,
    equals,
    field,
    if_present,
    invalid,
    pointer,
    required,
    struct,
    switch,
    under,
    unless,
    unsupported,
    use,
    when,
)
from .step import (
    Step,
    apply,
    default,
    default_zero,
    made,
    provided,
)
from .workloads import collisions_grow, counts, restarts_always

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
