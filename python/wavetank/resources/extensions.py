"""The group `apiextensions.k8s.io`: CustomResourceDefinition.

Names, versions and scope are checked; whether a schema is structural is not.
"""

from __future__ import annotations

from .kind import Kind
from .metadata import metadata, metadata_update
from .rule import (
    Check,
    absent,
    at_path,
    call,
    contains,
    differs,
    each,
    either,
    empty,
    ends,
    equals,
    field,
    fields,
    filled,
    forbidden,
    if_filled,
    invalid,
    need,
    one_of,
    present,
    required,
    same,
    shows,
    under,
    unless,
    up,
    valid,
    when,
)
from .step import Step, default, generation, kept, made, provided, removed, run
from .workloads import FIRST_GENERATION

APPROVED = "api-approved.kubernetes.io"
APPROVAL: Check = when(
    either(
        equals("/spec.group", "k8s.io", "kubernetes.io"),
        ends("/spec.group", ".k8s.io"),
        ends("/spec.group", ".kubernetes.io"),
    ),
    when(
        absent(["/", "metadata", "annotations", APPROVED]),
        at_path(
            f"metadata.annotations[{APPROVED}]",
            required(
                f'protected groups must have approval annotation "{APPROVED}", see '
                "https://github.com/kubernetes/enhancements/pull/1111"
            ),
        ),
    ),
)

NAMES: list[Check] = [
    field("plural", if_filled(valid("dns1035_label"))),
    field("singular", if_filled(valid("dns1035_label"))),
    field("kind", if_filled(call("mixed_case_label"))),
    field("listKind", if_filled(call("mixed_case_label"))),
    field("shortNames", each(valid("dns1035_label"))),
    when(
        filled(".kind"),
        when(
            same(".kind", ".listKind"),
            under("listKind", invalid("kind and listKind may not be the same", shows(".listKind"))),
        ),
    ),
    field("categories", each(valid("dns1035_label"))),
]

CONVERSION: Check = field(
    "conversion",
    when(present("."), field("strategy", need(one_of("None", "Webhook", style="text")))),
    when(
        differs(".strategy", "Webhook"),
        field(
            "webhook",
            when(
                present(".clientConfig"),
                up(
                    1,
                    under(
                        "webhookClientConfig",
                        forbidden("should not be set when strategy is not set to Webhook"),
                    ),
                ),
            ),
            when(
                filled(".conversionReviewVersions"),
                up(
                    1,
                    under(
                        "conversionReviewVersions",
                        forbidden("should not be set when strategy is not set to Webhook"),
                    ),
                ),
            ),
        ),
    ),
)

SPEC: Check = field(
    "spec",
    field(
        "group",
        need(
            valid(
                "dns_subdomain",
                unless(contains(".", "."), invalid("should be a domain with at least one dot")),
            )
        ),
    ),
    field("scope", need(one_of("Cluster", "Namespaced", style="text"))),
    field(
        "versions",
        each(fields("schema.openAPIV3Schema", when(absent("."), required()))),
        each(field("name", valid("dns1035_label")), call("version_schema")),
        call("definition_versions"),
    ),
    field(
        "names",
        *[field(name, need()) for name in ("plural", "singular", "kind", "listKind")],
        *NAMES,
    ),
    call("shared_schema"),
    CONVERSION,
)

STATUS: list[Check] = [
    call("stored_versions"),
    APPROVAL,
    fields(
        "spec.preserveUnknownFields",
        when(
            equals(".", True),
            invalid(
                "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                "spec.versions[*].schema instead",
                shows(".", "flag"),
            ),
        ),
    ),
]

NAME: list[Check] = [
    metadata("dns_subdomain", namespaced=False, finalizers=False),
    call("definition_name"),
]

DEFAULTS: list[Step] = [
    made("spec", run("definition_names"), default("conversion", {"strategy": "None"})),
    provided(empty(".status.storedVersions"), run("stored_versions")),
]

KINDS = (
    Kind(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        namespaced=False,
        defaults=DEFAULTS,
        prepare=[removed("status"), run("stored_versions"), *FIRST_GENERATION],
        prepare_update=[kept("status"), run("stored_versions"), generation(("spec", None))],
        prepare_status=[kept("spec")],
        create=[*NAME, SPEC, *STATUS],
        update=[metadata_update(finalizers=False), SPEC, call("definition_changes"), *STATUS],
        status=[metadata_update(finalizers=False), fields("status.acceptedNames", *NAMES)],
        unconditional_update=False,
    ),
)
