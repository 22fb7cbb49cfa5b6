"""Service: addresses, ports and how traffic is spread."""

from __future__ import annotations

from .containers import PROTOCOLS
from .kind import Kind
from .metadata import LABELS, metadata, metadata_update
from .probes import PORT_NUMBER_OR_NAME
from .rule import (
    NAME,
    Check,
    Condition,
    absent,
    at_path,
    call,
    compare,
    count,
    differs,
    duplicate,
    each,
    either,
    empty,
    equals,
    every,
    field,
    fields,
    filled,
    forbidden,
    fresh,
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
    same,
    shows,
    switch,
    under,
    unique,
    unless,
    valid,
    when,
)
from .step import (
    Step,
    default,
    default_zero,
    inside,
    items_of,
    kept,
    made,
    provided,
    put,
    removed,
    run,
)

HINTS = ["/", "metadata", "annotations", "service.kubernetes.io/topology-aware-hints"]
MODE = ["/", "metadata", "annotations", "service.kubernetes.io/topology-mode"]

HEADLESS: Condition = equals("/spec.clusterIPs", ["None"])
ACCESSIBLE: Condition = either(
    equals("/spec.type", "LoadBalancer", "NodePort"),
    every(equals("/spec.type", "ClusterIP"), filled("/spec.externalIPs")),
)
"""Reachable from outside the cluster."""
HEALTH_CHECKED: Condition = every(
    equals("/spec.type", "LoadBalancer"), equals("/spec.externalTrafficPolicy", "Local")
)

TOPOLOGY_MODE: Check = when(
    every(present(HINTS), present(MODE), ["not", ["same", HINTS, MODE, None]]),
    at_path(
        "metadata.annotations[service.kubernetes.io/topology-mode]",
        invalid(
            "must match annotations[service.kubernetes.io/topology-aware-hints] when both are "
            "specified",
            shows(MODE),
        ),
    ),
)


def not_headless(kind: str) -> list[Check]:
    """A Service of this type must have an address."""
    message = f"may not be set to 'None' for {kind} services"
    return [
        when(HEADLESS, at_path("spec.clusterIPs[0]", invalid(message, shows("/spec.clusterIP"))))
    ]


EXTERNAL_NAME: list[Check] = [
    *[
        field(name, if_filled(forbidden("may not be set for ExternalName services")))
        for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
    ],
    field("externalName", call("external_name")),
]

PORT: list[Check] = [
    field(
        "name",
        when(
            every(compare(count("/spec.ports"), ">", 1), empty(".")),
            required(),
            otherwise=[if_filled(valid("dns_label"), unique("service port names"))],
        ),
    ),
    field("port", valid("port_number", style="number")),
    field("protocol", need(one_of(*PROTOCOLS))),
    field("targetPort", PORT_NUMBER_OR_NAME),
    field("appProtocol", if_present(valid("qualified_name"))),
]

AFFINITY_REASON = "when session affinity type is ClientIP"

SESSION_AFFINITY: list[Check] = [
    field("sessionAffinity", need(one_of("ClientIP", "None"))),
    switch(
        ".sessionAffinity",
        (
            "ClientIP",
            [
                field(
                    "sessionAffinityConfig",
                    when(
                        absent("."),
                        required(AFFINITY_REASON),
                        otherwise=[
                            field(
                                "clientIP",
                                when(
                                    absent("."),
                                    required(AFFINITY_REASON),
                                    otherwise=[
                                        field(
                                            "timeoutSeconds",
                                            when(
                                                absent("."),
                                                required(AFFINITY_REASON),
                                                otherwise=[
                                                    when(
                                                        either(
                                                            compare(".", "<=", 0),
                                                            compare(".", ">", 86400),
                                                        ),
                                                        invalid(
                                                            "must be greater than 0 and less "
                                                            "than 86400",
                                                            number(),
                                                        ),
                                                    )
                                                ],
                                            ),
                                        )
                                    ],
                                ),
                            )
                        ],
                    ),
                )
            ],
        ),
        (
            "None",
            [
                field(
                    "sessionAffinityConfig",
                    if_present(forbidden("must not be set when session affinity is None")),
                )
            ],
        ),
    ),
]

PORT_CONFLICTS: list[Check] = [
    when(
        equals(".type", "ClusterIP"),
        field(
            "ports",
            each(
                field(
                    "nodePort",
                    if_filled(forbidden("may not be used when `type` is 'ClusterIP'")),
                )
            ),
        ),
    ),
    fresh(
        "node ports",
        field(
            "ports",
            each(
                when(
                    filled(".nodePort"),
                    unique(
                        "node ports",
                        ".protocol",
                        ".nodePort",
                        otherwise=[field("nodePort", duplicate(number()))],
                    ),
                )
            ),
        ),
    ),
    fresh(
        "service ports",
        field(
            "ports",
            each(
                unique(
                    "service ports",
                    ".protocol",
                    ".port",
                    otherwise=[call("duplicate_service_port")],
                )
            ),
        ),
    ),
]

TRAFFIC: list[Check] = [
    when(
        ACCESSIBLE,
        field("externalTrafficPolicy", need(one_of("Cluster", "Local"))),
        otherwise=[
            field(
                "externalTrafficPolicy",
                if_filled(invalid("may only be set for externally-accessible services", NAME)),
            )
        ],
    ),
    when(
        HEALTH_CHECKED,
        field("healthCheckNodePort", need(valid("port_number", style="number"))),
        otherwise=[
            field(
                "healthCheckNodePort",
                if_filled(
                    invalid(
                        "may only be set when `type` is 'LoadBalancer' and "
                        "`externalTrafficPolicy` is 'Local'",
                        number(),
                    )
                ),
            )
        ],
    ),
    when(
        every(
            absent(".internalTrafficPolicy"),
            equals(".type", "NodePort", "LoadBalancer", "ClusterIP"),
        ),
        under("internalTrafficPolicy", required()),
    ),
    field("internalTrafficPolicy", if_present(one_of("Cluster", "Local"))),
    field(
        "trafficDistribution",
        if_present(one_of("PreferClose", "PreferSameZone", "PreferSameNode", style="text")),
    ),
]

BALANCER_ONLY = "may only be used when `type` is 'LoadBalancer'"

LOAD_BALANCER: list[Check] = [
    call("source_ranges"),
    when(
        every(present(".allocateLoadBalancerNodePorts"), differs(".type", "LoadBalancer")),
        under("allocateLoadBalancerNodePorts", forbidden(BALANCER_ONLY)),
    ),
    when(
        every(equals(".type", "LoadBalancer"), absent(".allocateLoadBalancerNodePorts")),
        at_path("allocateLoadBalancerNodePorts", required()),
    ),
]

CLASS: Check = field(
    "loadBalancerClass",
    if_present(
        when(
            equals("/spec.type", "LoadBalancer"),
            valid("qualified_name"),
            otherwise=[forbidden(BALANCER_ONLY)],
        )
    ),
)

SERVICE: list[Check] = [
    TOPOLOGY_MODE,
    field(
        "spec",
        when(
            every(empty(".ports"), differs(".type", "ExternalName")),
            unless(HEADLESS, under("ports", required())),
        ),
        switch(
            ".type",
            ("LoadBalancer", not_headless("LoadBalancer")),
            ("NodePort", not_headless("NodePort")),
            ("ExternalName", EXTERNAL_NAME),
        ),
        fresh("service port names", field("ports", each(*PORT))),
        field("selector", LABELS),
        *SESSION_AFFINITY,
        call("service_addresses"),
        field("externalIPs", each(call("endpoint_ip", known="externalIPs"))),
        field("type", need(one_of("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"))),
        *PORT_CONFLICTS,
        *LOAD_BALANCER,
        CLASS,
        *TRAFFIC,
    ),
]

LOAD_BALANCER_STATUS: list[Check] = [
    fields(
        "status.loadBalancer.ingress",
        when(
            every(filled("."), differs("/spec.type", "LoadBalancer")),
            forbidden("may only be used when `spec.type` is 'LoadBalancer'"),
            otherwise=[
                each(
                    field("ip", if_filled(valid("ip"))),
                    when(
                        absent(".ipMode"),
                        when(
                            filled(".ip"),
                            under("ipMode", required("must be specified when `ip` is set")),
                        ),
                        otherwise=[
                            when(
                                empty(".ip"),
                                under(
                                    "ipMode",
                                    forbidden("may not be specified when `ip` is not set"),
                                ),
                                otherwise=[field("ipMode", one_of("Proxy", "VIP"))],
                            )
                        ],
                    ),
                    field("hostname", if_filled(valid("dns_subdomain"), call("not_an_ip"))),
                )
            ],
        ),
    )
]

DEFAULTS: list[Step] = [
    made(
        "spec",
        default_zero("sessionAffinity", "None"),
        provided(equals(".sessionAffinity", "None"), removed("sessionAffinityConfig")),
        provided(
            every(
                equals(".sessionAffinity", "ClientIP"),
                absent(".sessionAffinityConfig.clientIP.timeoutSeconds"),
            ),
            put("sessionAffinityConfig", {"clientIP": {"timeoutSeconds": 10800}}),
        ),
        default_zero("type", "ClusterIP"),
        items_of(
            "ports",
            default_zero("protocol", "TCP"),
            run("target_port"),
        ),
        provided(
            either(
                equals(".type", "LoadBalancer", "NodePort"),
                every(equals(".type", "ClusterIP"), filled(".externalIPs")),
            ),
            default_zero("externalTrafficPolicy", "Cluster"),
        ),
        provided(
            equals(".type", "NodePort", "LoadBalancer", "ClusterIP"),
            default("internalTrafficPolicy", "Cluster"),
        ),
        provided(equals(".type", "LoadBalancer"), default("allocateLoadBalancerNodePorts", True)),
        # What is wrong stays for the checks to find.
        provided(
            every(
                equals(".type", "ExternalName"),
                equals(".internalTrafficPolicy", "Cluster", "Local"),
            ),
            removed("internalTrafficPolicy"),
        ),
    ),
    provided(
        equals(".spec.type", "LoadBalancer"),
        inside(
            "status.loadBalancer",
            items_of("ingress", provided(filled(".ip"), default("ipMode", "VIP"))),
        ),
    ),
]

SERVICE_KIND = Kind(
    "",
    "Service",
    defaults=DEFAULTS,
    prepare=[removed("status")],
    prepare_update=[kept("status"), run("service_update")],
    prepare_status=[kept("spec")],
    allocate=[field("spec", call("service_addresses"))],
    create=[metadata("dns_label"), *SERVICE],
    update=[
        metadata_update(),
        call("service_address_changes"),
        look_at(
            "/spec",
            when(
                every(equals("/spec.type", "LoadBalancer"), equals("<spec.type", "LoadBalancer")),
                unless(
                    same(".loadBalancerClass", "<spec.loadBalancerClass"),
                    at_path(
                        "spec.loadBalancerClass",
                        invalid("may not change once set", pointer(".loadBalancerClass")),
                    ),
                ),
            ),
        ),
        field("spec", CLASS),
        when(
            every(
                HEALTH_CHECKED,
                equals("<spec.type", "LoadBalancer"),
                equals("<spec.externalTrafficPolicy", "Local"),
                ["not", ["same", "/spec.healthCheckNodePort", "<spec.healthCheckNodePort", None]],
            ),
            at_path("spec.healthCheckNodePort", forbidden("field is immutable")),
        ),
        *SERVICE,
    ],
    status=[metadata_update(), *LOAD_BALANCER_STATUS],
)
