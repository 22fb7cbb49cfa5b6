"""The group `discovery.k8s.io`: EndpointSlice."""

from __future__ import annotations

from .containers import PROTOCOLS
from .kind import Kind
from .metadata import metadata
from .rule import (
    Check,
    absent,
    at_most_items,
    call,
    clean,
    compare,
    count,
    duplicate,
    each,
    field,
    fresh,
    if_filled,
    if_present,
    immutable,
    need,
    one_of,
    pointer,
    required,
    same,
    shows,
    too_many,
    unique,
    unless,
    valid,
    when,
)
from .step import Step, default, generation, items_of, removed
from .workloads import FIRST_GENERATION

PORTS: Check = field(
    "ports",
    clean(
        [at_most_items(20000)],
        fresh(
            "slice ports",
            each(
                field("name", if_filled(valid("dns_label"))),
                field("name", unique("slice ports", otherwise=[duplicate(pointer())])),
                field(
                    "protocol",
                    when(absent("."), required(), otherwise=[one_of(*PROTOCOLS)]),
                ),
                field("appProtocol", if_present(valid("qualified_name"))),
            ),
        ),
    ),
)


def hints(name: str, form: str) -> Check:
    """Zones or nodes that an endpoint is meant for."""
    return field(
        name,
        fresh(
            f"hinted {name}",
            each(field("name", unique(f"hinted {name}"), valid(form))),
        ),
    )


ENDPOINT: list[Check] = [
    field(
        "addresses",
        need(
            when(compare(count("."), ">", 100), too_many(100)),
            detail="must contain at least 1 address",
        ),
        call("slice_addresses"),
    ),
    field("nodeName", if_present(valid("dns_subdomain"))),
    field("hostname", if_present(valid("dns_label"))),
    field(
        "hints",
        clean(
            [field("forZones", at_most_items(8))],
            hints("forZones", "label_value"),
            clean(
                [field("forNodes", at_most_items(8))],
                hints("forNodes", "dns_subdomain"),
            ),
        ),
    ),
]

ENDPOINTS: Check = field("endpoints", clean([at_most_items(1000)], each(*ENDPOINT)))

HEAD: list[Check] = [
    metadata(),
    field("addressType", need(one_of("FQDN", "IPv4", "IPv6"))),
    PORTS,
]

DEFAULTS: list[Step] = [
    items_of("ports", default("name", ""), default("protocol", "TCP")),
]

KINDS = (
    Kind(
        "discovery.k8s.io",
        "EndpointSlice",
        defaults=DEFAULTS,
        prepare=[items_of("endpoints", removed("deprecatedTopology")), *FIRST_GENERATION],
        prepare_update=[
            generation(
                ("addressType", None),
                ("endpoints", None),
                ("ports", None),
                ("metadata.labels", "map"),
            )
        ],
        create=[*HEAD, ENDPOINTS],
        update=[
            *HEAD,
            unless(same("/endpoints", "<endpoints"), ENDPOINTS),
            immutable("addressType", shown=shows(".", "name")),
        ],
    ),
)
