"""What a kind declares about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .step import inside, kept, removed, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rule import Check
    from .step import Step

PREPARE: list[Step] = [inside("metadata", run("owners"))]
"""What every write does to an object before it is checked."""

PREPARE_CREATE: list[Step] = [
    *PREPARE,
    inside("metadata", removed("deletionTimestamp"), removed("deletionGracePeriodSeconds")),
]
"""What every create does."""

PREPARE_UPDATE: list[Step] = [*PREPARE, kept("metadata.generation")]
"""What every update does."""


@dataclass(frozen=True)
class Kind:
    """One kind of object and its rules.

    Versions that need different defaults are declared apart; all others share one declaration.

    Parameters
    ----------
    group, kind
        As ``apiVersion`` and ``kind`` have them; the core group is ``""``.
    versions
        The versions this declaration is for.
    namespaced
        Whether objects live in a namespace.
    defaults
        What decoding an object adds.
    prepare, prepare_update, prepare_status
        What a create, an update and an update of ``status`` do to the object before it is
        checked.
    allocate
        Checks of the stage between preparation and validation that hands out addresses.
    create, update, status
        Checks of a new object, of an update and of an update of ``status``. Those of ``update``
        and ``status`` come after the checks of metadata that all kinds share.
    unconditional_update
        Whether an update may leave out the resourceVersion.
    create_on_update
        Whether a PUT creates an object that is missing.
    """

    group: str
    kind: str
    versions: tuple[str, ...] = ("v1",)
    namespaced: bool = True
    defaults: Sequence[Step] = ()
    prepare: Sequence[Step] = ()
    prepare_update: Sequence[Step] = ()
    prepare_status: Sequence[Step] = ()
    allocate: Sequence[Check] = ()
    create: Sequence[Check] = ()
    update: Sequence[Check] = ()
    status: Sequence[Check] = ()
    unconditional_update: bool = True
    create_on_update: bool = False

    def rules(self) -> dict[str, Any]:
        """The declaration as plain data, for the compiler in Rust."""
        updates = ("prepare_update", "prepare_status")
        checks = ("allocate", "create", "update", "status")
        return {
            "group": self.group,
            "kind": self.kind,
            "versions": list(self.versions),
            "namespaced": self.namespaced,
            "unconditional_update": self.unconditional_update,
            "create_on_update": self.create_on_update,
            "defaults": list(self.defaults),
            "prepare": [*PREPARE_CREATE, *self.prepare],
            **{name: [*PREPARE_UPDATE, *getattr(self, name)] for name in updates},
            **{name: list(getattr(self, name)) for name in checks},
        }
