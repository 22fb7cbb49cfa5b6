"""The core group: pods and what is no workload of its own."""

from __future__ import annotations

from . import claims, node, service
from .containers import PROTOCOLS
from .kind import Kind
from .metadata import metadata, metadata_update
from .podspec import POD, POD_DEFAULTS
from .rule import (
    Check,
    absent,
    anchor,
    at_least,
    at_path,
    call,
    compare,
    count,
    each,
    each_hidden,
    empty,
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
    need,
    one_of,
    required,
    same,
    shows,
    under,
    unless,
    use,
    valid,
    when,
)
from .step import (
    apply,
    copied,
    default,
    default_zero,
    generation,
    inside,
    items_of,
    kept,
    made,
    put,
    quantities,
    removed,
    run,
)
from .workloads import FIRST_GENERATION, LESS_THAN_REPLICAS, counts, no_more_than, restarts_always

# --- pods ------------------------------------------------------------------------------------

POD_CREATE: list[Check] = [
    metadata(),
    *POD,
    fields("spec.ephemeralContainers", if_filled(forbidden("cannot be set on create"))),
    when(
        every(filled(".spec.nodeName"), filled(".spec.schedulingGates")),
        fields(
            "spec.nodeName", forbidden("cannot be set until all schedulingGates have been cleared")
        ),
    ),
    call("profile_annotations"),
]

POD_KIND = Kind(
    "",
    "Pod",
    defaults=POD_DEFAULTS,
    prepare=[
        run("pod_status"),
        *FIRST_GENERATION,
        run("merged_label_keys"),
        run("dropped_pod_fields"),
    ],
    prepare_update=[kept("status"), generation(("spec", "PodSpec"))],
    prepare_status=[
        kept("spec"),
        kept("metadata.ownerReferences"),
        made("status", copied("qosClass", "<status.qosClass")),
    ],
    create=POD_CREATE,
    update=[
        metadata_update(),
        metadata(),
        *POD,
        call("pod_annotation_changes"),
        call("pod_changes"),
    ],
    status=[metadata_update(), call("pod_annotation_changes"), call("pod_status")],
)

POD_TEMPLATE_KIND = Kind(
    "",
    "PodTemplate",
    defaults=[made("template", apply("pod template"))],
    prepare=FIRST_GENERATION,
    prepare_update=[generation(("template", "PodTemplateSpec"))],
    create=[metadata(), field("template", use("pod template"))],
    update=[metadata_update(), field("template", use("pod template"))],
)

REPLICATION_CONTROLLER: list[Check] = [
    field(
        "spec",
        field("minReadySeconds", at_least(0)),
        field("selector", need()),
        field("replicas", when(absent("."), required(), otherwise=[at_least(0)])),
        field(
            "template",
            when(
                absent("."),
                required(),
                otherwise=[
                    call("selected_by_map"),
                    use("pod template"),
                    *restarts_always("ReplicationController"),
                ],
            ),
        ),
    ),
]

REPLICATION_CONTROLLER_KIND = Kind(
    "",
    "ReplicationController",
    defaults=[
        made(
            "spec",
            inside("template", made("spec", apply("pod spec"))),
            default("replicas", 1),
            run("selector_from_template"),
        ),
        run("labels_from_template"),
    ],
    prepare=[removed("status"), *FIRST_GENERATION],
    prepare_update=[kept("status"), generation(("spec", "ReplicationControllerSpec"))],
    prepare_status=[kept("spec")],
    create=[
        fields("metadata.name", if_filled(valid("dns_subdomain_bytes"))),
        metadata("any"),
        *REPLICATION_CONTROLLER,
    ],
    update=[metadata_update(), *REPLICATION_CONTROLLER],
    status=[
        metadata_update(),
        field(
            "status",
            *counts(
                "replicas",
                "fullyLabeledReplicas",
                "readyReplicas",
                "availableReplicas",
                "observedGeneration",
            ),
            no_more_than("fullyLabeledReplicas", "replicas", LESS_THAN_REPLICAS),
            no_more_than("readyReplicas", "replicas", LESS_THAN_REPLICAS),
            no_more_than("availableReplicas", "replicas", LESS_THAN_REPLICAS),
            no_more_than(
                "availableReplicas", "readyReplicas", "cannot be greater than readyReplicas"
            ),
        ),
    ],
)

# --- configuration ---------------------------------------------------------------------------

IMMUTABLE_DATA = "field is immutable when `immutable` is set"


def frozen(*names: str) -> Check:
    """Data that was declared immutable stays, and stays so."""
    return when(
        equals("<immutable", True),
        unless(equals("/immutable", True), under("immutable", forbidden(IMMUTABLE_DATA))),
        *[
            unless(same(f"/{name}", f"<{name}", "map"), under(name, forbidden(IMMUTABLE_DATA)))
            for name in names
        ],
    )


CONFIG_MAP: list[Check] = [metadata(), call("config_map_data")]

CONFIG_MAP_KIND = Kind(
    "",
    "ConfigMap",
    create=CONFIG_MAP,
    update=[metadata_update(), frozen("data", "binaryData"), *CONFIG_MAP],
)

SECRET: list[Check] = [metadata(), call("secret_data")]

SECRET_KIND = Kind(
    "",
    "Secret",
    defaults=[run("secret_data"), removed("stringData"), default_zero("type", "Opaque")],
    prepare_update=[copied("type", "<type")],
    create=SECRET,
    update=[
        metadata_update(),
        immutable("type", shown=shows(".", "name")),
        frozen("data"),
        *SECRET,
    ],
)

SERVICE_ACCOUNT_KIND = Kind(
    "",
    "ServiceAccount",
    create=[metadata()],
    update=[metadata_update(), metadata()],
)

# --- namespaces ------------------------------------------------------------------------------

NAMESPACE: list[Check] = [
    metadata("dns_label", namespaced=False),
    fields("spec.finalizers", each_hidden(call("namespace_finalizer"))),
]

NAMESPACE_KIND = Kind(
    "",
    "Namespace",
    namespaced=False,
    defaults=[run("name_label"), made("status", default_zero("phase", "Active"))],
    prepare=[put("status", {"phase": "Active"}), made("spec", run("namespace_finalizers"))],
    prepare_update=[kept("status"), kept("spec")],
    prepare_status=[kept("spec")],
    create=NAMESPACE,
    update=[*NAMESPACE, metadata_update()],
    status=[
        metadata_update(),
        when(
            absent("/metadata.deletionTimestamp"),
            unless(
                equals("/status.phase", "Active"),
                at_path(
                    "status.Phase",
                    invalid(
                        "may only be 'Active' if `deletionTimestamp` is empty",
                        shows("/status.phase", "name"),
                    ),
                ),
            ),
            otherwise=[
                unless(
                    equals("/status.phase", "Terminating"),
                    at_path(
                        "status.Phase",
                        invalid(
                            "may only be 'Terminating' if `deletionTimestamp` is not empty",
                            shows("/status.phase", "name"),
                        ),
                    ),
                )
            ],
        ),
    ],
)

LIMIT_RANGE: list[Check] = [metadata(), fields("spec.limits", call("limits"))]

LIMIT_RANGE_KIND = Kind(
    "",
    "LimitRange",
    defaults=[
        made(
            "spec",
            items_of(
                "limits",
                run("limit_defaults"),
                run("limit_default_requests"),
                *[
                    quantities(name)
                    for name in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
                ],
            ),
        )
    ],
    prepare=[inside("metadata", copied("name", ".uid"))],
    create=LIMIT_RANGE,
    update=LIMIT_RANGE,
    create_on_update=True,
)

QUOTA: Check = field("spec", call("quota_spec"))

QUOTA_STATUS: Check = field(
    "status",
    field("hard", call("quota_amounts")),
    field("used", call("quota_amounts")),
)

RESOURCE_QUOTA_KIND = Kind(
    "",
    "ResourceQuota",
    defaults=[
        inside("spec", quantities("hard")),
        inside("status", quantities("hard"), quantities("used")),
    ],
    prepare=[removed("status")],
    prepare_update=[kept("status")],
    prepare_status=[kept("spec")],
    create=[metadata(), QUOTA, QUOTA_STATUS],
    update=[metadata_update(), QUOTA, call("quota_scopes_stay")],
    status=[metadata_update(), QUOTA_STATUS],
)

# --- endpoints and events --------------------------------------------------------------------

ENDPOINT_ADDRESS: list[Check] = [
    field("ip", valid("ip")),
    field("hostname", if_filled(valid("dns_label"))),
    field("nodeName", if_present(valid("dns_subdomain"))),
    field("ip", call("endpoint_ip_range")),
]

SUBSETS: Check = field(
    "subsets",
    each(
        when(
            every(empty(".addresses"), empty(".notReadyAddresses")),
            required("must specify `addresses` or `notReadyAddresses`"),
        ),
        field("addresses", each(*ENDPOINT_ADDRESS)),
        field("notReadyAddresses", each(*ENDPOINT_ADDRESS)),
        anchor(
            "subset",
            field(
                "ports",
                each(
                    field(
                        "name",
                        when(
                            every(compare(count("$subset.ports"), ">", 1), empty(".")),
                            required(),
                            otherwise=[if_filled(valid("dns_label"))],
                        ),
                    ),
                    field("port", valid("port_number", style="number")),
                    field("protocol", need(one_of(*PROTOCOLS))),
                    field("appProtocol", if_present(valid("qualified_name"))),
                ),
            ),
        ),
    ),
)

ENDPOINTS_KIND = Kind(
    "",
    "Endpoints",
    defaults=[items_of("subsets", items_of("ports", default_zero("protocol", "TCP")))],
    create=[metadata(), SUBSETS],
    update=[metadata_update(), metadata(), unless(same("/subsets", "<subsets"), SUBSETS)],
    create_on_update=True,
)

EVENT_KIND = Kind(
    "",
    "Event",
    create=[call("event")],
    update=[call("event")],
    create_on_update=True,
)

KINDS = (
    POD_KIND,
    POD_TEMPLATE_KIND,
    REPLICATION_CONTROLLER_KIND,
    CONFIG_MAP_KIND,
    SECRET_KIND,
    SERVICE_ACCOUNT_KIND,
    NAMESPACE_KIND,
    LIMIT_RANGE_KIND,
    RESOURCE_QUOTA_KIND,
    ENDPOINTS_KIND,
    EVENT_KIND,
    *claims.KINDS,
    service.SERVICE_KIND,
    node.NODE_KIND,
)
