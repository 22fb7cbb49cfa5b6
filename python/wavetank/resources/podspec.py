"""The specification of a pod, alone and in templates."""

from __future__ import annotations

from typing import Any

from .containers import (
    CONTAINER,
    CONTAINER_DEFAULTS,
    CONTAINERS,
    EPHEMERAL_CONTAINERS,
    INIT_CONTAINERS,
    REQUESTS_FROM_LIMITS,
)
from .environment import FIELD_REFERENCE, RESOURCE_FIELD
from .metadata import ANNOTATIONS, LABELS
from .placement import AFFINITY, SPREAD, TOLERATIONS
from .probes import PROBE, PROBE_DEFAULTS
from .rule import (
    Check,
    absent,
    anchor,
    at_most_bytes,
    at_path,
    call,
    compare,
    duplicate,
    each,
    either,
    equals,
    every,
    field,
    fields,
    filled,
    forbidden,
    fresh,
    if_filled,
    if_present,
    insert,
    invalid,
    look_at,
    need,
    one_of,
    present,
    required,
    seen,
    shows,
    struct,
    under,
    unique,
    use,
    valid,
    when,
)
from .security import APP_ARMOR, GROUP, SECCOMP, USER
from .step import (
    Step,
    apply,
    copied,
    default,
    default_zero,
    inside,
    items_of,
    made,
    provided,
    put,
    quantities,
    run,
)
from .volumes import VOLUME_DEFAULTS, VOLUMES

SECURITY: list[Check] = [
    field("fsGroup", GROUP),
    field("runAsUser", USER),
    field("runAsGroup", GROUP),
    field("supplementalGroups", each(valid("group_id", style="number"))),
    when(
        every(equals("$pod.shareProcessNamespace", True), equals("$pod.hostPID", True)),
        under(
            "shareProcessNamespace",
            invalid(
                "ShareProcessNamespace and HostPID cannot both be enabled",
                shows("$pod.shareProcessNamespace", "flag"),
            ),
        ),
    ),
    field("sysctls", call("sysctls")),
    field("fsGroupChangePolicy", if_present(one_of("Always", "OnRootMismatch"))),
    field("seccompProfile", if_present(*SECCOMP)),
    field("windowsOptions", if_present(call("windows_options"))),
    field("appArmorProfile", if_present(*APP_ARMOR)),
    field("supplementalGroupsPolicy", if_present(one_of("Merge", "Strict"))),
    field("seLinuxChangePolicy", if_present(one_of("MountOption", "Recursive"))),
]

RESOURCE_CLAIM: list[Check] = [
    field(
        "name",
        need(
            when(
                seen("resource claims"),
                duplicate(),
                otherwise=[valid("dns_label"), insert("resource claims")],
            )
        ),
    ),
    when(
        every(present(".resourceClaimName"), present(".resourceClaimTemplateName")),
        invalid(
            "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
            struct("PodResourceClaim"),
        ),
    ),
    when(
        every(absent(".resourceClaimName"), absent(".resourceClaimTemplateName")),
        invalid(
            "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            struct("PodResourceClaim"),
        ),
    ),
    field("resourceClaimName", if_present(valid("dns_subdomain"))),
    field("resourceClaimTemplateName", if_present(valid("dns_subdomain"))),
]

MIRROR = "kubernetes.io/config.mirror"

RESOURCE_CLAIMS: Check = fresh(
    "resource claims",
    each(
        when(
            present(["$podmeta", "annotations", MIRROR]),
            at_path("[]", forbidden("static pods do not support resource claims")),
            otherwise=RESOURCE_CLAIM,
        )
    ),
)

HOST_NETWORK_PORTS: Check = when(
    equals(".hostNetwork", True),
    field(
        "containers",
        each(
            field(
                "ports",
                each(
                    when(
                        every(
                            either(present("$podmeta"), filled(".hostPort")),
                            compare(".hostPort", "!=", ".containerPort"),
                        ),
                        field(
                            "hostPort",
                            invalid(
                                "must match `containerPort` when `hostNetwork` is true",
                                shows(".", "number"),
                            ),
                        ),
                    )
                ),
            )
        ),
    ),
)

HOST_USERS: Check = when(
    every(present(".hostUsers"), equals(".hostUsers", False)),
    when(
        equals(".hostNetwork", True), under("hostNetwork", forbidden("when `hostUsers` is false"))
    ),
    when(equals(".hostPID", True), under("HostPID", forbidden("when `hostUsers` is false"))),
    when(equals(".hostIPC", True), under("HostIPC", forbidden("when `hostUsers` is false"))),
    *[
        field(
            name,
            each(field("volumeDevices", if_filled(forbidden("when `hostUsers` is false")))),
        )
        for name in ("initContainers", "containers", "ephemeralContainers")
    ],
)

HOST_NAME: Check = when(
    present(".hostnameOverride"),
    when(
        equals(".setHostnameAsFQDN", True),
        under("hostnameOverride", forbidden("may not be specified when setHostnameAsFQDN is true")),
    ),
    when(
        equals(".hostNetwork", True),
        under("hostnameOverride", forbidden("may not be specified when hostNetwork is true")),
    ),
    field(
        "hostnameOverride",
        at_most_bytes(64),
        valid("dns_subdomain"),
    ),
)

POD_SPEC: list[Check] = [
    anchor(
        "pod",
        field("terminationGracePeriodSeconds", when(absent("."), required())),
        field("volumes", *VOLUMES),
        field("resourceClaims", RESOURCE_CLAIMS),
        field("containers", *CONTAINERS),
        field("initContainers", *INIT_CONTAINERS),
        field("ephemeralContainers", *EPHEMERAL_CONTAINERS),
        when(present(".resources"), call("pod_level_resources")),
        HOST_NETWORK_PORTS,
        field("restartPolicy", need(one_of("Always", "OnFailure", "Never"))),
        field(
            "dnsPolicy",
            need(one_of("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")),
        ),
        field("nodeSelector", LABELS),
        field("securityContext", if_present(*SECURITY)),
        field("affinity", if_present(*AFFINITY)),
        call("dns_config"),
        field("readinessGates", each(field("conditionType", valid("qualified_name")))),
        field(
            "schedulingGates",
            fresh(
                "scheduling gates",
                each(look_at(".name", valid("qualified_name"), unique("scheduling gates"))),
            ),
        ),
        field("topologySpreadConstraints", *SPREAD),
        call("windows_host_process"),
        HOST_USERS,
        HOST_NAME,
        field("serviceAccountName", if_filled(valid("dns_subdomain"))),
        field("nodeName", if_filled(valid("dns_subdomain"))),
        field("activeDeadlineSeconds", if_present(valid("active_deadline", style="number"))),
        field("hostname", if_filled(valid("dns_label"))),
        field("subdomain", if_filled(valid("dns_label"))),
        field("tolerations", *TOLERATIONS),
        field(
            "hostAliases",
            each(
                field("ip", valid("ip")),
                field("hostnames", each(valid("dns_subdomain"))),
            ),
        ),
        field("priorityClassName", if_filled(valid("dns_subdomain"))),
        field("runtimeClassName", if_present(valid("dns_subdomain"))),
        field("preemptionPolicy", if_present(need(one_of("PreemptLowerPriority", "Never")))),
        field("overhead", if_present(call("overhead"))),
        when(present(".os"), call("operating_system")),
        call("file_key_volumes"),
    ),
]
"""A pod's specification; `pod spec` in the shared checks."""


def template_checks() -> list[Check]:
    """The template of a pod; `pod template` in the shared checks."""
    return [
        look_at(".metadata.labels", under("labels", LABELS)),
        look_at(".metadata.annotations", under("annotations", ANNOTATIONS)),
        call("pod_annotations", metadata=False),
        field("spec", use("pod spec")),
        call("profile_annotations"),
        fields(
            "spec.ephemeralContainers",
            if_filled(forbidden("ephemeral containers not allowed in pod template")),
        ),
    ]


POD: list[Check] = [
    call("pod_annotations", metadata=True),
    look_at("/metadata", anchor("podmeta", look_at("/spec", under("spec", use("pod spec"))))),
    when(
        equals("/spec.serviceAccountName", ""),
        fields(
            "spec.volumes",
            each(
                fields(
                    "projected.sources",
                    each(
                        field(
                            "serviceAccountToken",
                            if_present(
                                forbidden(
                                    "must not be specified when serviceAccountName is not set"
                                )
                            ),
                        )
                    ),
                )
            ),
        ),
    ),
    fields("spec.containers", each(field("image", call("trimmed_image")))),
    fields("spec.initContainers", each(field("image", call("trimmed_image")))),
]
"""A pod's metadata beyond what all kinds share, and its specification."""

# --- defaults --------------------------------------------------------------------------------

POD_SPEC_DEFAULTS: list[Step] = [
    items_of("volumes", apply("volume")),
    items_of("initContainers", apply("container")),
    items_of("containers", apply("container")),
    items_of("ephemeralContainers", apply("container")),
    inside("resources", quantities("limits"), quantities("requests")),
    quantities("overhead"),
    copied("serviceAccountName", ".serviceAccount"),
    run("service_account"),
    default_zero("dnsPolicy", "ClusterFirst"),
    default_zero("restartPolicy", "Always"),
    made("securityContext"),
    default("terminationGracePeriodSeconds", 30),
    default_zero("schedulerName", "default-scheduler"),
]
"""What decoding adds to every pod specification; `pod spec` in the shared steps."""

HOST_PORT_DEFAULTS: Step = provided(
    equals(".hostNetwork", True),
    items_of("containers", run("host_ports")),
    items_of("initContainers", run("host_ports")),
)

POD_DEFAULTS: list[Step] = [
    made(
        "spec",
        apply("pod spec"),
        items_of("containers", REQUESTS_FROM_LIMITS),
        items_of("initContainers", REQUESTS_FROM_LIMITS),
        run("pod_level_resources"),
        default("enableServiceLinks", True),
        provided(
            compare(".terminationGracePeriodSeconds", "<", 0),
            put("terminationGracePeriodSeconds", 1),
        ),
        HOST_PORT_DEFAULTS,
    ),
    inside("status", run("pod_ips"), run("pod_ip")),
]
"""What decoding adds to a pod, but not to a template."""

TEMPLATE_DEFAULTS: list[Step] = [made("spec", apply("pod spec"))]
"""What decoding adds to a template; `pod template` in the shared steps."""


def shared() -> dict[str, Any]:
    """The checks this module declares under a name."""
    return {
        "container": CONTAINER,
        "probe": PROBE,
        "pod spec": POD_SPEC,
        "pod template": template_checks(),
    }


def shared_steps() -> dict[str, Any]:
    """The steps this module declares under a name."""
    return {
        "volume": VOLUME_DEFAULTS,
        "container": CONTAINER_DEFAULTS,
        "probe": PROBE_DEFAULTS,
        "field reference": FIELD_REFERENCE,
        "resource field": RESOURCE_FIELD,
        "pod spec": POD_SPEC_DEFAULTS,
        "pod template": TEMPLATE_DEFAULTS,
    }
