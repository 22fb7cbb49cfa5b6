"""The group `rbac.authorization.k8s.io`: roles and bindings."""

from __future__ import annotations

from .kind import Kind
from .metadata import SELECTOR, metadata, metadata_update
from .rule import (
    Check,
    at_path,
    each,
    either,
    empty,
    equals,
    field,
    filled,
    if_filled,
    if_present,
    invalid,
    literal,
    need,
    one_of,
    pointer,
    required,
    same,
    struct,
    switch,
    under,
    unless,
    valid,
    when,
)
from .step import Step, default_zero, items_of, made, provided

GROUP = "rbac.authorization.k8s.io"


def rules(*, namespaced: bool) -> Check:
    """What a role allows."""
    refused = [
        field(
            "nonResourceURLs",
            invalid("namespaced rules cannot apply to non-resource URLs", pointer()),
        )
    ]
    return field(
        "rules",
        each(
            field("verbs", need(detail="verbs must contain at least one value")),
            when(
                filled(".nonResourceURLs"),
                *(refused if namespaced else []),
                when(
                    either(filled(".apiGroups"), filled(".resources"), filled(".resourceNames")),
                    field(
                        "nonResourceURLs",
                        invalid(
                            "rules cannot apply to both regular resources and non-resource URLs",
                            pointer(),
                        ),
                    ),
                ),
                otherwise=[
                    field(
                        "apiGroups",
                        need(detail="resource rules must supply at least one api group"),
                    ),
                    field(
                        "resources",
                        need(detail="resource rules must supply at least one resource"),
                    ),
                ],
            ),
        ),
    )


def subject(*, namespaced: bool) -> list[Check]:
    """Whom a binding names."""
    needs_namespace = (
        [] if namespaced else [when(empty(".namespace"), under("namespace", required()))]
    )
    of_group = field("apiGroup", one_of(GROUP, style="text"))
    return [
        field("name", need()),
        switch(
            ".kind",
            (
                "ServiceAccount",
                [
                    field("name", if_filled(valid("dns_subdomain"))),
                    field("apiGroup", if_filled(one_of("", style="text"))),
                    *needs_namespace,
                ],
            ),
            (("User", "Group"), [of_group]),
            default=[
                field("kind", one_of("ServiceAccount", "User", "Group", style="text")),
            ],
        ),
    ]


def binding(*kinds: str, namespaced: bool) -> list[Check]:
    """A binding to roles of these kinds."""
    return [
        metadata("path_segment", namespaced=namespaced),
        field(
            "roleRef",
            field("apiGroup", one_of(GROUP, style="text")),
            field("kind", one_of(*kinds, style="text")),
            field("name", need(valid("path_segment"))),
        ),
        field("subjects", each(*subject(namespaced=namespaced))),
    ]


SAME_ROLE: Check = unless(
    same("/roleRef", "<roleRef"),
    at_path("roleRef", ["from", "/roleRef", [invalid("cannot change roleRef", struct("RoleRef"))]]),
)

AGGREGATION: Check = field(
    "aggregationRule",
    if_present(
        field(
            "clusterRoleSelectors",
            need(detail="at least one clusterRoleSelector required if aggregationRule is non-nil"),
            each(
                SELECTOR,
                unless(["has", ".", "selector"], invalid("invalid label selector.", literal(None))),
            ),
        )
    ),
)

ROLE: list[Check] = [metadata("path_segment"), rules(namespaced=True)]
CLUSTER_ROLE: list[Check] = [
    metadata("path_segment", namespaced=False),
    rules(namespaced=False),
    AGGREGATION,
]

BINDING_DEFAULTS: list[Step] = [
    made("roleRef", default_zero("apiGroup", GROUP)),
    items_of(
        "subjects",
        provided(equals(".kind", "User", "Group"), default_zero("apiGroup", GROUP)),
    ),
]

KINDS = (
    Kind(
        GROUP,
        "Role",
        create=ROLE,
        update=[*ROLE, metadata_update()],
        create_on_update=True,
    ),
    Kind(
        GROUP,
        "ClusterRole",
        namespaced=False,
        create=CLUSTER_ROLE,
        update=[*CLUSTER_ROLE, metadata_update()],
        create_on_update=True,
    ),
    Kind(
        GROUP,
        "RoleBinding",
        defaults=BINDING_DEFAULTS,
        create=binding("Role", "ClusterRole", namespaced=True),
        update=[*binding("Role", "ClusterRole", namespaced=True), metadata_update(), SAME_ROLE],
        create_on_update=True,
    ),
    Kind(
        GROUP,
        "ClusterRoleBinding",
        namespaced=False,
        defaults=BINDING_DEFAULTS,
        create=binding("ClusterRole", namespaced=False),
        update=[*binding("ClusterRole", namespaced=False), metadata_update(), SAME_ROLE],
        create_on_update=True,
    ),
)
