"""The group `scheduling.k8s.io`: PriorityClass."""

from __future__ import annotations

from .kind import Kind
from .metadata import metadata, metadata_update
from .rule import (
    Check,
    call,
    compare,
    field,
    forbidden,
    if_present,
    immutable,
    need,
    one_of,
    same,
    starts,
    under,
    unless,
    when,
)
from .step import default
from .workloads import FIRST_GENERATION

HIGHEST_USER_PRIORITY = 1_000_000_000

PRIORITY_CLASS: list[Check] = [
    metadata("dns_subdomain", namespaced=False),
    when(
        starts("/metadata.name", "system-"),
        call("system_priority_class"),
        otherwise=[
            when(
                compare("/value", ">", HIGHEST_USER_PRIORITY),
                under(
                    "value",
                    forbidden(
                        "maximum allowed value of a user defined priority is "
                        f"{HIGHEST_USER_PRIORITY}"
                    ),
                ),
            )
        ],
    ),
    field("preemptionPolicy", if_present(need(one_of("PreemptLowerPriority", "Never")))),
]

KINDS = (
    Kind(
        "scheduling.k8s.io",
        "PriorityClass",
        namespaced=False,
        defaults=[default("value", 0), default("preemptionPolicy", "PreemptLowerPriority")],
        prepare=FIRST_GENERATION,
        create=PRIORITY_CLASS,
        update=[
            metadata_update(),
            unless(
                same("/value", "<value"),
                under("value", forbidden("may not be changed in an update.")),
            ),
            immutable("preemptionPolicy"),
        ],
    ),
)
