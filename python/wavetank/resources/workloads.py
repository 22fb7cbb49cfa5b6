"""What the specifications and statuses of workloads have in common."""

from __future__ import annotations

from .metadata import SELECTOR
from .rule import (
    Check,
    absent,
    at_least,
    at_path,
    call,
    compare,
    count,
    equals,
    every,
    field,
    fields,
    forbidden,
    if_present,
    immutable,
    invalid,
    number,
    pointer,
    present,
    required,
    struct,
    under,
    unless,
    unsupported,
    use,
    when,
)
from .step import (
    Step,
    made,
    put,
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


LESS_THAN_REPLICAS = "cannot be greater than status.replicas"


FIRST_GENERATION: list[Step] = [made("metadata", put("generation", 1))]


SAME_SELECTOR: Check = immutable(
    "spec.selector", shape="LabelSelector", shown=struct("LabelSelector")
)
