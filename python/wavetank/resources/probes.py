"""Probes and lifecycle handlers of containers."""

from __future__ import annotations

from .rule import (
    Check,
    at_least,
    call,
    compare,
    each_hidden,
    either,
    equals,
    every,
    field,
    if_present,
    invalid,
    look_at,
    member,
    need,
    number,
    one_of,
    pointer,
    present,
    required,
    union,
    unless,
    use,
    valid,
    when,
)
from .step import (
    Step,
    default,
    default_zero,
    inside,
)

PORT_NUMBER_OR_NAME: Check = call("port_number_or_name")

HTTP_GET: list[Check] = [
    field("path", need()),
    field("port", PORT_NUMBER_OR_NAME),
    field("scheme", one_of("HTTP", "HTTPS")),
    field("httpHeaders", each_hidden(look_at(".name", valid("http_header_name")))),
]

EXEC: Check = field("command", need())
ONE_HANDLER = "may not specify more than 1 handler type"
NO_HANDLER = [required("must specify a handler type")]

PROBE: list[Check] = [
    union(
        member("exec", EXEC),
        member("httpGet", *HTTP_GET),
        member("tcpSocket", field("port", PORT_NUMBER_OR_NAME)),
        member("grpc", field("port", valid("port_number", style="number"))),
        many=ONE_HANDLER,
        none=NO_HANDLER,
    ),
    *[
        field(name, at_least(0))
        for name in (
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        )
    ],
    field(
        "terminationGracePeriodSeconds",
        if_present(when(compare(".", "<=", 0), invalid("must be greater than 0", number()))),
    ),
]

ONE_SUCCESS: Check = field(
    "successThreshold", unless(equals(".", 1), invalid("must be 1", number()))
)

PROBES: list[Check] = [
    field("livenessProbe", if_present(use("probe"), ONE_SUCCESS)),
    field(
        "readinessProbe",
        if_present(
            use("probe"),
            field(
                "terminationGracePeriodSeconds",
                if_present(invalid("must not be set for readinessProbes", pointer())),
            ),
        ),
    ),
    field("startupProbe", if_present(use("probe"), ONE_SUCCESS)),
]

HANDLER: list[Check] = [
    union(
        member("exec", EXEC),
        member("httpGet", *HTTP_GET),
        member("tcpSocket", field("port", PORT_NUMBER_OR_NAME)),
        member(
            "sleep",
            when(
                every(
                    present("$pod.terminationGracePeriodSeconds"),
                    either(
                        compare(".seconds", "<", 0),
                        compare(".seconds", ">", "$pod.terminationGracePeriodSeconds"),
                    ),
                ),
                invalid(
                    "must be non-negative and less than terminationGracePeriodSeconds "
                    "({$pod.terminationGracePeriodSeconds})",
                    number(".seconds"),
                ),
            ),
        ),
        many=ONE_HANDLER,
        none=NO_HANDLER,
    ),
]

LIFECYCLE: list[Check] = [
    field("postStart", if_present(*HANDLER)),
    field("preStop", if_present(*HANDLER)),
]


PROBE_DEFAULTS: list[Step] = [
    inside("httpGet", default_zero("path", "/"), default_zero("scheme", "HTTP")),
    inside("grpc", default("service", "")),
    default_zero("timeoutSeconds", 1),
    default_zero("periodSeconds", 10),
    default_zero("successThreshold", 1),
    default_zero("failureThreshold", 3),
]

HANDLER_DEFAULTS: list[Step] = [
    inside("httpGet", default_zero("path", "/"), default_zero("scheme", "HTTP"))
]
