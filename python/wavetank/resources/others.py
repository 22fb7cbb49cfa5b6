"""Kinds of small groups: RuntimeClass, Lease."""

from __future__ import annotations

from .kind import Kind
from .metadata import LABELS, metadata, metadata_update
from .placement import TOLERATIONS
from .rule import (
    Check,
    absent,
    call,
    compare,
    duplicate,
    each,
    field,
    fresh,
    if_present,
    immutable,
    invalid,
    need,
    pointer,
    shows,
    unique,
    valid,
    when,
)
from .step import inside, provided, quantities, removed

RUNTIME_CLASS: list[Check] = [
    metadata("dns_subdomain", namespaced=False, finalizers=False),
    field("handler", need(valid("dns_label"))),
    field("overhead", ["from", ".podFixed", [if_present(call("overhead"))]]),
    field(
        "scheduling",
        field("nodeSelector", LABELS),
        field(
            "tolerations",
            *TOLERATIONS,
            fresh(
                "tolerations",
                each(
                    unique(
                        "tolerations",
                        ".key",
                        ".operator",
                        ".value",
                        ".effect",
                        otherwise=[duplicate(["value", ".", "json", "Toleration"])],
                    )
                ),
            ),
        ),
    ),
]

LEASE: Check = field(
    "spec",
    field(
        "leaseDurationSeconds",
        if_present(when(compare(".", "<=", 0), invalid("must be greater than 0", pointer()))),
    ),
    field(
        "leaseTransitions",
        if_present(
            when(compare(".", "<", 0), invalid("must be greater than or equal to 0", pointer()))
        ),
    ),
)

KINDS = (
    Kind(
        "node.k8s.io",
        "RuntimeClass",
        namespaced=False,
        defaults=[inside("overhead", quantities("podFixed"))],
        create=RUNTIME_CLASS,
        update=[
            *RUNTIME_CLASS,
            metadata_update(finalizers=False),
            immutable("handler", shown=shows(".")),
        ],
        unconditional_update=False,
        create_on_update=True,
    ),
    Kind(
        "coordination.k8s.io",
        "Lease",
        prepare=[inside("spec", removed("strategy"), removed("preferredHolder"))],
        prepare_update=[
            provided(absent("<spec.strategy"), inside("spec", removed("strategy"))),
            provided(absent("<spec.preferredHolder"), inside("spec", removed("preferredHolder"))),
        ],
        create=[metadata(finalizers=False), LEASE],
        update=[metadata_update(finalizers=False), LEASE],
        unconditional_update=False,
        create_on_update=True,
    ),
)
