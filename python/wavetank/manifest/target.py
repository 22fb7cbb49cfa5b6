"""What manifests are applied to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from wavetank import _core


class Target(Protocol):
    """A cluster, as far as manifests are concerned."""

    @property
    def world(self) -> _core.World:
        """The compiled cluster."""
