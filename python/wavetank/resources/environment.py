"""A container's environment: variables and where they come from."""

from __future__ import annotations

from .rule import (
    Check,
    absent,
    anchor,
    call,
    each,
    every,
    field,
    if_filled,
    if_present,
    invalid,
    literal,
    need,
    present,
    up,
    valid,
    when,
)
from .step import (
    Step,
    default,
    default_zero,
    inside,
    quantity,
)

ENV_FIELD_PATHS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)

KEY_SELECTOR: list[Check] = [
    field("name", valid("dns_subdomain")),
    field("key", need(valid("config_map_key"))),
]

VALUE_FROM: list[Check] = [
    field("fieldRef", if_present(call("object_field_selector", paths=list(ENV_FIELD_PATHS)))),
    field("resourceFieldRef", if_present(call("resource_field_selector", volume=False))),
    field("configMapKeyRef", if_present(*KEY_SELECTOR)),
    field("secretKeyRef", if_present(*KEY_SELECTOR)),
    field(
        "fileKeyRef",
        if_present(
            field("key", need(valid("relaxed_env_var_name"))),
            field("volumeName", need(valid("dns_label"))),
            field("path", need(valid("path_no_backsteps"))),
        ),
    ),
    call(
        "env_sources",
        fields=["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"],
    ),
]

ENV: list[Check] = [
    each(
        anchor(
            "variable",
            field("name", need(valid("relaxed_env_var_name"))),
            field("valueFrom", if_present(*VALUE_FROM)),
        ),
    ),
]

ENV_FROM: list[Check] = [
    each(
        field("prefix", if_filled(valid("relaxed_env_var_name"))),
        field("configMapRef", if_present(field("name", need(valid("dns_subdomain_prefix"))))),
        field("secretRef", if_present(field("name", need(valid("dns_subdomain_prefix"))))),
        when(
            every(absent(".configMapRef"), absent(".secretRef")),
            up(1, invalid("must specify one of: `configMapRef` or `secretRef`", literal(""))),
        ),
        when(
            every(present(".configMapRef"), present(".secretRef")),
            up(1, invalid("may not have more than one field specified at a time", literal(""))),
        ),
    ),
]


FIELD_REFERENCE: list[Step] = [inside("fieldRef", default_zero("apiVersion", "v1"))]

RESOURCE_FIELD: list[Step] = [
    inside("resourceFieldRef", default("divisor", "0"), quantity("divisor"))
]
