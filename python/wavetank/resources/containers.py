"""Containers of a pod: ports, environment, mounts, probes, hooks, security."""

from __future__ import annotations

from .rule import (
    Check,
    absent,
    anchor,
    at_least,
    at_most_items,
    call,
    collect,
    compare,
    differs,
    duplicate,
    each,
    each_hidden,
    either,
    empty,
    equals,
    every,
    field,
    filled,
    forbidden,
    fresh,
    has_form,
    if_filled,
    if_present,
    insert,
    invalid,
    literal,
    look_at,
    member,
    need,
    negate,
    not_found,
    number,
    one_of,
    pointer,
    present,
    required,
    seen,
    shows,
    struct,
    switch,
    under,
    union,
    unique,
    unless,
    up,
    use,
    valid,
    when,
)
from .step import (
    Step,
    apply,
    completed,
    default,
    default_zero,
    inside,
    items_of,
    quantities,
    quantity,
    run,
)
from .volumes import PULL_POLICY

PROTOCOLS = ("SCTP", "TCP", "UDP")

PORTS: list[Check] = [
    fresh(
        "port names",
        each(
            field("name", if_filled(valid("port_name", unique("port names")))),
            field("containerPort", need(valid("port_number", style="number"))),
            field("hostPort", if_filled(valid("port_number", style="number"))),
            field("protocol", need(one_of(*PROTOCOLS))),
        ),
    ),
]

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

PRIVILEGED = equals("$container.securityContext.privileged", True)

READ_ONLY_MOUNT = switch(
    ".recursiveReadOnly",
    (None, []),
    ("Disabled", []),
    (
        ("Enabled", "IfPossible"),
        [
            unless(
                equals(".readOnly", True), forbidden("may only be specified when readOnly is true")
            ),
            when(
                every(present(".mountPropagation"), differs(".mountPropagation", "None")),
                forbidden("may only be specified when mountPropagation is None or not specified"),
            ),
        ],
    ),
    default=[look_at(".recursiveReadOnly", one_of("Disabled", "Enabled", "IfPossible"))],
)

MOUNTS: list[Check] = [
    fresh(
        "mount paths",
        each(
            field("name", need()),
            unless(seen("volumes", ".name"), field("name", not_found())),
            field("mountPath", need()),
            field(
                "mountPath",
                unique("mount paths", otherwise=[invalid("must be unique")]),
            ),
            when(
                seen("device names", ".name"),
                field("name", invalid("must not already exist in volumeDevices")),
            ),
            when(
                seen("device paths", ".mountPath"),
                field("mountPath", invalid("must not already exist as a path in volumeDevices")),
            ),
            up(1, field("subPath", if_filled(valid("local_descending_path")))),
            when(
                every(filled(".subPathExpr"), filled(".subPath")),
                field("subPathExpr", invalid("subPathExpr and subPath are mutually exclusive")),
            ),
            up(1, field("subPathExpr", if_filled(valid("local_descending_path")))),
            up(
                1,
                field(
                    "mountPropagation",
                    if_present(
                        one_of("Bidirectional", "HostToContainer", "None"),
                        when(
                            every(equals(".", "Bidirectional"), negate(PRIVILEGED)),
                            forbidden(
                                "Bidirectional mount propagation is available only to "
                                "privileged containers"
                            ),
                        ),
                    ),
                ),
            ),
            up(1, under("recursiveReadOnly", READ_ONLY_MOUNT)),
        ),
    ),
]

DEVICES: list[Check] = [
    fresh(
        "seen device paths",
        fresh(
            "seen device names",
            each(
                field("name", need()),
                when(seen("seen device names", ".name"), field("name", invalid("must be unique"))),
                when(
                    every(seen("volumes", ".name"), negate(seen("claim volumes", ".name"))),
                    field(
                        "name",
                        invalid(
                            "can only use volume source type of PersistentVolumeClaim or "
                            "Ephemeral for block mode"
                        ),
                    ),
                ),
                unless(seen("volumes", ".name"), field("name", not_found())),
                field("devicePath", need()),
                when(
                    seen("seen device paths", ".devicePath"),
                    field("devicePath", invalid("must be unique")),
                ),
                when(
                    every(
                        filled(".devicePath"), negate(has_form(".devicePath", "path_no_backsteps"))
                    ),
                    field("devicePath", invalid("can not contain backsteps ('..')")),
                    otherwise=[insert("seen device paths", ".devicePath")],
                ),
                when(
                    seen("mount names", ".name"),
                    field("name", invalid("must not already exist in volumeMounts")),
                ),
                when(
                    seen("mount targets", ".devicePath"),
                    field(
                        "devicePath", invalid("must not already exist as a path in volumeMounts")
                    ),
                ),
                when(filled(".name"), insert("seen device names", ".name")),
            ),
        ),
    ),
]

RESIZE_POLICY: list[Check] = [
    fresh(
        "resized resources",
        each(
            unique(
                "resized resources",
                ".resourceName",
                otherwise=[duplicate(shows(".resourceName", "name"))],
            ),
            up(
                1,
                look_at(".resourceName", need(one_of("cpu", "memory"))),
                look_at(".restartPolicy", need(one_of("NotRequired", "RestartContainer"))),
                when(
                    every(
                        equals("$pod.restartPolicy", "Never"),
                        differs(".restartPolicy", "NotRequired"),
                    ),
                    invalid(
                        "must be 'NotRequired' when pod `restartPolicy` is 'Never'",
                        shows(".restartPolicy", "name"),
                    ),
                ),
            ),
        ),
    ),
]

SECCOMP: list[Check] = [
    field(
        "type",
        need(
            one_of("Localhost", "RuntimeDefault", "Unconfined"),
            detail="type is required when seccompProfile is set",
        ),
    ),
    when(
        equals(".type", "Localhost"),
        field(
            "localhostProfile",
            when(
                present("."),
                valid("local_descending_path"),
                otherwise=[required("must be set when seccomp type is Localhost")],
            ),
        ),
        otherwise=[
            when(
                present(".localhostProfile"),
                under(
                    "localhostProfile",
                    invalid(
                        "can only be set when seccomp type is Localhost", struct("SeccompProfile")
                    ),
                ),
            )
        ],
    ),
]

APP_ARMOR: list[Check] = [
    switch(
        ".type",
        ("Localhost", [field("localhostProfile", call("app_armor_profile"))]),
        (
            ("RuntimeDefault", "Unconfined"),
            [
                field(
                    "localhostProfile",
                    if_present(
                        invalid("can only be set when AppArmor type is Localhost", pointer())
                    ),
                )
            ],
        ),
        default=[
            field(
                "type",
                need(
                    one_of("Localhost", "RuntimeDefault", "Unconfined"),
                    detail="type is required when appArmorProfile is set",
                ),
            )
        ],
    )
]

USER: Check = if_present(valid("user_id", style="number"))
GROUP: Check = if_present(valid("group_id", style="number"))

HOST_USERS = negate(every(present("$pod.hostUsers"), equals("$pod.hostUsers", False)))
"""Whether the pod shares the host's users; it does unless it says no."""

SECURITY: list[Check] = [
    field("runAsUser", USER),
    field("runAsGroup", GROUP),
    field(
        "procMount",
        if_present(
            one_of("Default", "Unmasked"),
            when(
                every(HOST_USERS, equals(".", "Unmasked")),
                invalid("`hostUsers` must be false to use `Unmasked`", pointer()),
            ),
        ),
    ),
    field("seccompProfile", if_present(*SECCOMP)),
    when(
        every(present(".allowPrivilegeEscalation"), equals(".allowPrivilegeEscalation", False)),
        when(
            equals(".privileged", True),
            invalid(
                "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
                struct("SecurityContext"),
            ),
        ),
        anchor(
            "security",
            look_at(
                ".capabilities.add",
                each_hidden(
                    when(
                        equals(".", "CAP_SYS_ADMIN"),
                        invalid(
                            "cannot set `allowPrivilegeEscalation` to false and "
                            "`capabilities.Add` CAP_SYS_ADMIN",
                            struct("SecurityContext", "$security"),
                        ),
                    )
                ),
            ),
        ),
    ),
    field("windowsOptions", if_present(call("windows_options"))),
    field("appArmorProfile", if_present(*APP_ARMOR)),
]

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

RULES_NEED_POLICY: Check = required("must specify restartPolicy when restart rules are used")

RESTART_RULES: list[Check] = [
    field("restartPolicy", if_present(one_of("Always", "Never", "OnFailure"))),
    when(
        every(absent(".restartPolicy"), filled(".restartPolicyRules")),
        under("restartPolicy", RULES_NEED_POLICY),
    ),
    field(
        "restartPolicyRules",
        at_most_items(20),
        each(
            field("action", one_of("Restart", "RestartAllContainers")),
            field(
                "exitCodes",
                when(
                    present("."),
                    field("operator", one_of("In", "NotIn")),
                    field("values", at_most_items(255)),
                    otherwise=[required("must be specified")],
                ),
            ),
        ),
    ),
]

CONTAINER: list[Check] = [
    anchor(
        "container",
        field("name", need(valid("dns_label"))),
        field("image", need()),
        field("terminationMessagePolicy", need(one_of("File", "FallbackToLogsOnError"))),
        fresh("device names", collect("device names", ".volumeDevices", "name")),
        fresh("device paths", collect("device paths", ".volumeDevices", "devicePath")),
        fresh("mount names", collect("mount names", ".volumeMounts", "name")),
        fresh("mount targets", collect("mount targets", ".volumeMounts", "mountPath")),
        field("ports", *PORTS),
        field("env", *ENV),
        field("envFrom", *ENV_FROM),
        field("volumeMounts", *MOUNTS),
        field("volumeDevices", *DEVICES),
        field("imagePullPolicy", PULL_POLICY),
        field("resources", call("resources", names="container")),
        field("resizePolicy", *RESIZE_POLICY),
        field("securityContext", if_present(*SECURITY)),
    ),
]
"""What holds for every container; `container` in the shared checks."""

CONTAINERS: list[Check] = [
    need(
        fresh(
            "container names",
            each(
                use("container"),
                field("name", unique("container names")),
                field("lifecycle", if_present(*LIFECYCLE)),
                *PROBES,
                *RESTART_RULES,
            ),
        ),
        call("host_ports"),
    ),
]

NOT_FOR_INIT = "may not be set for init containers without restartPolicy=Always"
IS_SIDECAR = equals(".restartPolicy", "Always")

INIT_CONTAINERS: list[Check] = [
    fresh(
        "init container names",
        collect("init container names", "$pod.containers", "name"),
        each(
            use("container"),
            when(
                absent(".restartPolicy"),
                when(filled(".restartPolicyRules"), under("restartPolicy", RULES_NEED_POLICY)),
                otherwise=RESTART_RULES,
            ),
            field(
                "name",
                when(
                    seen("init container names"),
                    duplicate(),
                    otherwise=[if_filled(insert("init container names"))],
                ),
            ),
            call("init_host_ports"),
            when(
                IS_SIDECAR,
                field("lifecycle", if_present(*LIFECYCLE)),
                *PROBES,
                otherwise=[
                    field(name, if_present(forbidden(NOT_FOR_INIT)))
                    for name in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
                ],
            ),
            unless(
                IS_SIDECAR,
                field(
                    "resizePolicy",
                    each(
                        field(
                            "restartPolicy",
                            when(
                                equals(".", "RestartContainer"),
                                invalid(
                                    "must not be set to 'RestartContainer' for non-sidecar "
                                    "initContainers",
                                    shows(".", "name"),
                                ),
                            ),
                        )
                    ),
                ),
            ),
        ),
    ),
]

NOT_EPHEMERAL = "cannot be set for an Ephemeral Container"

EPHEMERAL_CONTAINERS: list[Check] = [
    when(
        filled("."),
        fresh(
            "other names",
            collect("other names", "$pod.containers", "name"),
            collect("other names", "$pod.initContainers", "name"),
        ),
        fresh(
            "ephemeral names",
            collect("ephemeral names", "$pod.containers", "name"),
            collect("ephemeral names", "$pod.initContainers", "name"),
            each(
                use("container"),
                field("image", call("trimmed_image")),
                field("name", unique("ephemeral names")),
                when(
                    every(
                        filled(".targetContainerName"),
                        negate(seen("other names", ".targetContainerName")),
                    ),
                    field("targetContainerName", not_found()),
                ),
                *[
                    field(name, if_present(unless(empty("."), forbidden(NOT_EPHEMERAL))))
                    for name in (
                        "ports",
                        "resources",
                        "resizePolicy",
                        "restartPolicy",
                        "restartPolicyRules",
                        "livenessProbe",
                        "readinessProbe",
                        "startupProbe",
                        "lifecycle",
                    )
                ],
                field(
                    "volumeMounts",
                    each(
                        field("subPath", if_filled(forbidden(NOT_EPHEMERAL))),
                        field("subPathExpr", if_filled(forbidden(NOT_EPHEMERAL))),
                    ),
                ),
            ),
        ),
    ),
]

# --- defaults --------------------------------------------------------------------------------

FIELD_REFERENCE: list[Step] = [inside("fieldRef", default_zero("apiVersion", "v1"))]

RESOURCE_FIELD: list[Step] = [
    inside("resourceFieldRef", default("divisor", "0"), quantity("divisor"))
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

CONTAINER_DEFAULTS: list[Step] = [
    items_of("ports", default_zero("protocol", "TCP")),
    items_of(
        "env",
        inside(
            "valueFrom",
            apply("field reference"),
            apply("resource field"),
            inside("fileKeyRef", default("optional", False)),
        ),
    ),
    inside("resources", quantities("limits"), quantities("requests")),
    inside("livenessProbe", apply("probe")),
    inside("readinessProbe", apply("probe")),
    inside("startupProbe", apply("probe")),
    inside("lifecycle.postStart", *HANDLER_DEFAULTS),
    inside("lifecycle.preStop", *HANDLER_DEFAULTS),
    run("image_pull_policy"),
    default_zero("terminationMessagePath", "/dev/termination-log"),
    default_zero("terminationMessagePolicy", "File"),
]

REQUESTS_FROM_LIMITS: Step = inside("resources", completed("requests", "limits"))
