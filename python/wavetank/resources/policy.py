"""The group `policy`: PodDisruptionBudget."""

from __future__ import annotations

from .kind import Kind
from .metadata import SELECTOR
from .rule import (
    Check,
    call,
    every,
    field,
    if_present,
    invalid,
    one_of,
    present,
    struct,
    when,
)
from .step import generation, kept, removed
from .workloads import FIRST_GENERATION, counts

BUDGET: list[Check] = [
    field(
        "spec",
        when(
            every(present(".minAvailable"), present(".maxUnavailable")),
            invalid(
                "minAvailable and maxUnavailable cannot be both set",
                struct("PodDisruptionBudgetSpec"),
            ),
        ),
        *[
            field(name, if_present(call("int_or_percent"), call("at_most_100_percent")))
            for name in ("minAvailable", "maxUnavailable")
        ],
        field("selector", SELECTOR),
        field("unhealthyPodEvictionPolicy", if_present(one_of("AlwaysAllow", "IfHealthyBudget"))),
    ),
]

COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")

KINDS = (
    Kind(
        "policy",
        "PodDisruptionBudget",
        prepare=[removed("status"), *FIRST_GENERATION],
        prepare_update=[kept("status"), generation(("spec", "PodDisruptionBudgetSpec"))],
        prepare_status=[kept("spec")],
        create=BUDGET,
        update=BUDGET,
        status=[field("status", *counts(*COUNTS))],
        unconditional_update=False,
    ),
)
