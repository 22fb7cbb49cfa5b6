"""Containers of a pod: ports, environment, mounts, probes, hooks, security."""

from __future__ import annotations

from .environment import ENV, ENV_FROM
from .probes import HANDLER_DEFAULTS, LIFECYCLE, PROBES
from .rule import (
    Check,
    absent,
    anchor,
    at_most_items,
    call,
    collect,
    differs,
    duplicate,
    each,
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
    look_at,
    need,
    negate,
    not_found,
    one_of,
    present,
    required,
    seen,
    shows,
    switch,
    under,
    unique,
    unless,
    up,
    use,
    valid,
    when,
)
from .security import PRIVILEGED, SECURITY
from .step import (
    Step,
    apply,
    completed,
    default,
    default_zero,
    inside,
    items_of,
    quantities,
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
