"""Security contexts, of containers and in part of pods."""

from __future__ import annotations

from .rule import (
    Check,
    anchor,
    call,
    each_hidden,
    equals,
    every,
    field,
    if_present,
    invalid,
    look_at,
    need,
    negate,
    one_of,
    pointer,
    present,
    required,
    struct,
    switch,
    under,
    valid,
    when,
)

PRIVILEGED = equals("$container.securityContext.privileged", True)


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
