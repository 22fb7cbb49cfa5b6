"""The pod a plugin is asked about."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wavetank import _core


class Pod:
    """A pod that is being scheduled; read-only, and good for the duration of the call.

    Attributes
    ----------
    name, namespace
        As in its metadata.
    priority
        ``spec.priority``.
    """

    def __init__(
        self,
        world: _core.World,
        key: int,
        facts: tuple[str, str, int, Sequence[tuple[str, int]]],
    ) -> None:
        self._world = world
        self._key = key
        self.namespace, self.name, self.priority, self._requests = facts

    @cached_property
    def requests(self) -> dict[str, int]:
        """What it requests: ``cpu`` in thousandths of a core, others in bytes or units."""
        return dict(self._requests)

    def request(self, resource: str) -> int:
        """Return what it requests of a resource; 0 when nothing."""
        return self.requests.get(resource, 0)

    @property
    def cpu_milli(self) -> int:
        """What it requests of cpu, in thousandths of a core."""
        return self.request("cpu")

    @property
    def memory_bytes(self) -> int:
        """What it requests of memory, in bytes."""
        return self.request("memory")

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return self.object["metadata"].get("labels") or {}

    @property
    def annotations(self) -> Mapping[str, str]:
        """Its annotations."""
        return self.object["metadata"].get("annotations") or {}

    @cached_property
    def object(self) -> dict[str, Any]:
        """The whole object, as the API has it."""
        [found] = self._world.get_many([self._key])
        return dict(found)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    def __repr__(self) -> str:
        return f"<Pod {self}>"
