"""Reading fields of objects that may not be there, and the texts kubectl makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wavetank import _core

Object = Mapping[str, Any]


def dig(item: Any, *path: str, default: Any = None) -> Any:
    """Return the value down a path of keys; ``default`` where it is absent or null."""
    for key in path:
        if not isinstance(item, Mapping):
            return default
        item = item.get(key)
    return default if item is None else item


def name(item: Object) -> str:
    """Return the name of an object."""
    return str(dig(item, "metadata", "name", default=""))


def labels(mapping: Mapping[str, str] | None) -> str:
    """Return labels as ``a=b,c=d``, or ``<none>``."""
    return ",".join(f"{key}={value}" for key, value in sorted((mapping or {}).items())) or "<none>"


def selector(given: Object | None, empty: str = "<none>") -> str:
    """Return a label selector as text; one that cannot be read as ``<error>``."""
    if given is None:
        return empty
    try:
        return _core.canonical_selector(given) or empty
    except ValueError:
        return "<error>"


def quantity(value: Any, absent: str = "0") -> str:
    """Return a quantity in its canonical form."""
    if value is None:
        return absent
    try:
        return _core.canonical_quantity(value)
    except ValueError:
        return str(value)


def condition(item: Object, wanted: str) -> Object:
    """Return a condition of an object's status; an empty one when it has none."""
    for found in dig(item, "status", "conditions", default=()):
        if found.get("type") == wanted:
            return found  # type: ignore[no-any-return]
    return {}


def is_true(item: Object, wanted: str) -> bool:
    """Whether a condition of an object's status is true."""
    return condition(item, wanted).get("status") == "True"


def controller(item: Object) -> Object | None:
    """Return the owner reference that controls an object."""
    for owner in dig(item, "metadata", "ownerReferences", default=()):
        if owner.get("controller"):
            return owner  # type: ignore[no-any-return]
    return None


def group_kind(api_version: str, kind: str) -> str:
    """Return a kind as kubectl puts it before a name: ``deployment.apps``."""
    group = api_version.rpartition("/")[0]
    return f"{kind}.{group}".lower() if group else kind.lower()


def access_modes(modes: list[str] | None) -> str:
    """Return volume access modes by their short names."""
    short = {
        "ReadWriteOnce": "RWO",
        "ReadOnlyMany": "ROX",
        "ReadWriteMany": "RWX",
        "ReadWriteOncePod": "RWOP",
    }
    return ",".join(word for mode, word in short.items() if mode in (modes or ()))


def storage_class(item: Object) -> str:
    """Return the storage class of a volume or claim; the old annotation comes first."""
    old = dig(item, "metadata", "annotations", "volume.beta.kubernetes.io/storage-class")
    return str(old if old is not None else dig(item, "spec", "storageClassName", default=""))


def subjects(item: Object) -> tuple[list[str], list[str], list[str]]:
    """Return users, groups and service accounts of a role binding."""
    found: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in item.get("subjects") or ():
        kind, title = subject.get("kind"), str(subject.get("name", ""))
        if kind == "ServiceAccount":
            title = f"{subject.get('namespace', '')}/{title}"
        found.get(str(kind), []).append(title)
    return found["User"], found["Group"], found["ServiceAccount"]
