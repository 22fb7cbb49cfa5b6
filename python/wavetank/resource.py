"""Objects as a client reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class Resource(dict[str, Any]):
    """A Kubernetes object: a dict with the names people use as attributes.

    It is a copy; change it and give it back to :meth:`Cluster.update`.
    """

    @property
    def kind(self) -> str:
        """``kind``."""
        return str(self["kind"])

    @property
    def api_version(self) -> str:
        """``apiVersion``."""
        return str(self["apiVersion"])

    @property
    def metadata(self) -> dict[str, Any]:
        """``metadata``."""
        metadata: dict[str, Any] = self["metadata"]
        return metadata

    @property
    def name(self) -> str:
        """``metadata.name``."""
        return str(self.metadata["name"])

    @property
    def namespace(self) -> str | None:
        """``metadata.namespace``; ``None`` for cluster-scoped kinds."""
        return self.metadata.get("namespace")

    @property
    def uid(self) -> str:
        """``metadata.uid``."""
        return str(self.metadata["uid"])

    @property
    def labels(self) -> dict[str, str]:
        """``metadata.labels``."""
        return self.metadata.get("labels") or {}

    @property
    def annotations(self) -> dict[str, str]:
        """``metadata.annotations``."""
        return self.metadata.get("annotations") or {}

    @property
    def spec(self) -> dict[str, Any]:
        """``spec``; empty for kinds without one."""
        return self.get("spec") or {}

    @property
    def status(self) -> dict[str, Any]:
        """``status``; empty when nothing was reported."""
        return self.get("status") or {}

    def __repr__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        phase = self.status.get("phase")
        return f"<{self.kind} {where}{self.name}{f' {phase}' if phase else ''}>"


def resources(objects: Iterable[dict[str, Any]]) -> list[Resource]:
    """Wrap plain objects."""
    return [Resource(item) for item in objects]
