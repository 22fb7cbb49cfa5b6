"""Kinds, as ``kubectl api-resources`` shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    Attributes
    ----------
    id
        The number the core knows it by.
    versions
        Its versions, the preferred one first.
    version
        The version that was asked for, as in ``deployments.v1.apps``; else the preferred one.
    columns
        What a custom kind prints beside the name: heading, type, JSONPath and priority.
    """

    id: int
    group: str
    kind: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    categories: tuple[str, ...]
    namespaced: bool
    versions: tuple[str, ...]
    version: str
    subresources: tuple[str, ...]
    columns: tuple[tuple[str, str, str, int], ...]
    custom: bool
    verbs: tuple[str, ...]

    @property
    def resource(self) -> str:
        """The resource with its group, as messages print it: ``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def title(self) -> str:
        """The kind with its group, as kubectl puts it before a name: ``deployment.apps``."""
        return f"{self.kind}.{self.group}".lower() if self.group else self.kind.lower()

    @property
    def api_version(self) -> str:
        """The ``apiVersion`` that was asked for, or the preferred one."""
        return f"{self.group}/{self.version}" if self.group else self.version


def as_kind(entry: dict[str, Any]) -> Kind:
    """Return a kind from the core's description."""
    lists = ("short_names", "categories", "versions", "subresources", "columns", "verbs")
    found: dict[str, Any] = {
        key: tuple(value) if key in lists else value for key, value in entry.items()
    }
    return Kind(**found)
