"""The group `networking.k8s.io`: Ingress, IngressClass, NetworkPolicy."""

from __future__ import annotations

from .kind import Kind
from .metadata import SELECTOR, metadata, metadata_update
from .rule import (
    Check,
    absent,
    at_most_bytes,
    at_path,
    call,
    compare,
    contains,
    count,
    each,
    empty,
    ends,
    equals,
    every,
    field,
    fields,
    filled,
    forbidden,
    if_filled,
    if_present,
    immutable,
    invalid,
    literal,
    need,
    one_of,
    pointer,
    present,
    required,
    shows,
    starts,
    switch,
    under,
    unless,
    unsupported,
    valid,
    when,
)
from .step import (
    Step,
    default,
    generation,
    inside,
    items_of,
    kept,
    made,
    provided,
    put,
    removed,
)
from .workloads import FIRST_GENERATION

# --- Ingress ---------------------------------------------------------------------------------

LOCAL_REFERENCE: list[Check] = [
    field("apiGroup", if_present(valid("dns_subdomain"))),
    field("kind", need(valid("path_segment"))),
    field("name", need(valid("path_segment"))),
]

SERVICE_BACKEND: list[Check] = [
    fields("service.name", need(valid("dns_label"))),
    when(
        every(filled(".service.port.name"), filled(".service.port.number")),
        invalid("cannot set both port name & port number", literal("")),
        otherwise=[
            when(
                filled(".service.port.name"),
                fields("service.port.name", valid("port_name")),
                otherwise=[
                    when(
                        filled(".service.port.number"),
                        fields("service.port.number", valid("port_number", style="number")),
                        otherwise=[required("port name or number is required")],
                    )
                ],
            )
        ],
    ),
]

BACKEND: list[Check] = [
    when(
        every(present(".resource"), present(".service")),
        invalid("cannot set both resource and service backends", literal("")),
        otherwise=[
            when(
                present(".resource"),
                field("resource", *LOCAL_REFERENCE),
                otherwise=[
                    when(
                        present(".service"),
                        *SERVICE_BACKEND,
                        otherwise=[invalid("resource or service backend is required", literal(""))],
                    )
                ],
            )
        ],
    ),
]

ABSOLUTE: Check = unless(starts(".", "/"), invalid("must be an absolute path"))

EXACT_PATH: Check = field(
    "path",
    ABSOLUTE,
    *[
        when(contains(".", part), invalid(f"must not contain '{part}'"))
        for part in ("//", "/./", "/../", "%2f", "%2F")
    ],
    *[when(ends(".", part), invalid(f"cannot end with '{part}'")) for part in ("/..", "/.")],
)

PATH: list[Check] = [
    when(
        absent(".pathType"),
        under("pathType", required("pathType must be specified")),
        otherwise=[
            switch(
                ".pathType",
                (("Exact", "Prefix"), [EXACT_PATH]),
                ("ImplementationSpecific", [field("path", if_filled(ABSOLUTE))]),
                default=[
                    field("pathType", unsupported(["Exact", "ImplementationSpecific", "Prefix"]))
                ],
            ),
            field("backend", *BACKEND),
        ],
    ),
]

HOST: Check = when(
    contains(".", "*"), valid("wildcard_subdomain"), otherwise=[valid("dns_subdomain")]
)

INGRESS: list[Check] = [
    field(
        "spec",
        when(
            every(empty(".rules"), absent(".defaultBackend")),
            invalid("either `defaultBackend` or `rules` must be specified", pointer(".rules")),
        ),
        field("defaultBackend", if_present(*BACKEND)),
        field(
            "rules",
            each(
                field("host", if_filled(call("not_an_ip"), HOST)),
                field("http", if_present(field("paths", need(), each(*PATH)))),
            ),
        ),
        field(
            "tls",
            each(
                field("hosts", each(HOST)),
                field("secretName", if_filled(valid("dns_subdomain"))),
            ),
        ),
        field("ingressClassName", if_present(valid("dns_subdomain"))),
    ),
]

CLASS_ANNOTATION = ["/", "metadata", "annotations", "kubernetes.io/ingress.class"]

CLASS_MATCHES: Check = when(
    every(
        present(CLASS_ANNOTATION),
        present("/spec.ingressClassName"),
        ["not", ["same", CLASS_ANNOTATION, "/spec.ingressClassName", None]],
    ),
    at_path(
        "annotations.kubernetes.io/ingress.class",
        invalid("must match `ingressClassName` when both are specified", shows(CLASS_ANNOTATION)),
    ),
)

INGRESS_STATUS: Check = fields(
    "status.loadBalancer.ingress",
    each(
        field("ip", if_filled(valid("ip"))),
        field("hostname", if_filled(valid("dns_subdomain"), call("not_an_ip"))),
    ),
)

# --- IngressClass ----------------------------------------------------------------------------

PARAMETERS: list[Check] = [
    *LOCAL_REFERENCE,
    field(
        "scope",
        when(
            absent("."),
            required(),
            otherwise=[one_of("Cluster", "Namespace", style="text")],
        ),
    ),
    when(
        equals(".scope", "Namespace"),
        field(
            "namespace",
            when(
                absent("."),
                required("`parameters.scope` is set to 'Namespace'"),
                otherwise=[valid("dns_label")],
            ),
        ),
    ),
    when(
        every(equals(".scope", "Cluster"), present(".namespace")),
        under("namespace", forbidden("`parameters.scope` is set to 'Cluster'")),
    ),
]

INGRESS_CLASS: list[Check] = [
    metadata("dns_subdomain", namespaced=False),
    field(
        "spec",
        field("controller", at_most_bytes(250), call("domain_prefixed_path")),
        field("parameters", if_present(*PARAMETERS)),
    ),
]

# --- NetworkPolicy ---------------------------------------------------------------------------

NO_PORT = "may not be specified when `port` is not specified"
NAMED_PORT = "may not be specified when `port` is non-numeric"

POLICY_PORT: list[Check] = [
    field("protocol", if_present(one_of("TCP", "UDP", "SCTP"))),
    call("policy_port"),
]

POLICY_PEER: list[Check] = [
    field("podSelector", SELECTOR),
    field("namespaceSelector", SELECTOR),
    field("ipBlock", if_present(call("ip_block"))),
    when(
        every(absent(".podSelector"), absent(".namespaceSelector"), absent(".ipBlock")),
        required("must specify a peer"),
    ),
    when(
        every(
            present(".ipBlock"),
            ["any", [present(".podSelector"), present(".namespaceSelector")]],
        ),
        forbidden("may not specify both ipBlock and another peer"),
    ),
]

NETWORK_POLICY: Check = field(
    "spec",
    field("podSelector", SELECTOR),
    field(
        "ingress",
        each(field("ports", each(*POLICY_PORT)), field("from", each(*POLICY_PEER))),
    ),
    field(
        "egress",
        each(field("ports", each(*POLICY_PORT)), field("to", each(*POLICY_PEER))),
    ),
    field(
        "policyTypes",
        when(
            compare(count("."), ">", 2),
            invalid("may not specify more than two policyTypes", pointer()),
            otherwise=[each(one_of("Ingress", "Egress"))],
        ),
    ),
)

PORT_DEFAULTS: Step = items_of("ports", default("protocol", "TCP"))

KINDS = (
    Kind(
        "networking.k8s.io",
        "Ingress",
        prepare=[removed("status"), *FIRST_GENERATION],
        prepare_update=[kept("status"), generation(("spec", "IngressSpec"))],
        prepare_status=[kept("spec")],
        create=[metadata(), *INGRESS, CLASS_MATCHES],
        update=[metadata_update(), metadata(), *INGRESS],
        status=[metadata_update(), INGRESS_STATUS],
    ),
    Kind(
        "networking.k8s.io",
        "IngressClass",
        namespaced=False,
        defaults=[inside("spec.parameters", default("scope", "Cluster"))],
        prepare=FIRST_GENERATION,
        prepare_update=[generation(("spec", "IngressClassSpec"))],
        create=INGRESS_CLASS,
        update=[
            metadata_update(),
            immutable("spec.controller", shown=shows(".")),
            *INGRESS_CLASS,
        ],
    ),
    Kind(
        "networking.k8s.io",
        "NetworkPolicy",
        defaults=[
            made(
                "spec",
                items_of("ingress", PORT_DEFAULTS),
                items_of("egress", PORT_DEFAULTS),
                provided(
                    empty(".policyTypes"),
                    provided(
                        filled(".egress"),
                        put("policyTypes", ["Ingress", "Egress"]),
                        otherwise=[put("policyTypes", ["Ingress"])],
                    ),
                ),
            )
        ],
        prepare=FIRST_GENERATION,
        prepare_update=[generation(("spec", "NetworkPolicySpec"))],
        create=[metadata(), NETWORK_POLICY],
        update=[metadata_update(), NETWORK_POLICY],
    ),
)
