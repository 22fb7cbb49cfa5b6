"""Field paths as error messages print them, and the places in a document they stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wavetank import _core

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Step = str | int

_PART = re.compile(r"\.?([^.\[\]]+)|\[([^\]]*)\]")
_GO_FIELD = re.compile(
    r"cannot unmarshal (\w+) into Go (?:struct field [^.\s]+\.(\S+)|value) of type"
)
_UNKNOWN = re.compile(r'(?:unknown|duplicate) field "([^"]+)"')

#: Maps of quantities, and fields that hold one.
_AMOUNTS = frozenset(
    [
        "allocatable",
        "capacity",
        "default",
        "defaultRequest",
        "hard",
        "limits",
        "max",
        "maxLimitRequestRatio",
        "min",
        "overhead",
        "podFixed",
        "requests",
        "used",
    ]
)
_QUANTITIES = frozenset(
    ("averageValue", "divisor", "maximumVolumeSize", "sizeLimit", "targetAverageValue", "value")
)

_JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "bool": bool,
    "array": list,
    "object": dict,
}


def steps(field: str, value: Any = None) -> list[Step]:
    """Take a field path apart: ``spec.ports[0].name``, ``metadata.labels[a/b.c]``.

    ``value`` is the object the path leads into: what stands in brackets is an index where it
    has a list and a key where it has a map.
    """
    path: list[Step] = []
    for plain, bracketed in _PART.findall(field):
        is_index = not plain and bracketed.isdigit() and not isinstance(value, Mapping)
        step: Step = int(bracketed) if is_index else plain or bracketed
        path.append(step)
        value = _below(value, step)
    return path


def line(document: _core.Document, field: str) -> int:
    """Return the line a field stands on, or that of its nearest parent."""
    return document.line(steps(field, document.object()) if field else [])


def of_message(message: str, value: Any) -> str:
    """Return the field a decoding error is about, with the indexes such messages leave out."""
    unknown = _UNKNOWN.search(message)
    if unknown:
        return unknown.group(1)
    if "quantit" in message:
        return _bad_quantity(value) or ""
    found = _GO_FIELD.search(message)
    if not found or not found.group(2):
        return ""
    wrong = _JSON_TYPES.get(found.group(1), object)
    return _search(value, found.group(2).split("."), wrong) or found.group(2)


def _search(value: Any, names: Sequence[str], wrong: type | tuple[type, ...]) -> str | None:
    """Find the first place down a path without indexes that holds a value of the wrong type."""
    if not names:
        right = isinstance(value, wrong) and not (isinstance(value, bool) and wrong is not bool)
        return "" if right else None
    if isinstance(value, list):
        for at, item in enumerate(value):
            rest = _search(item, names, wrong)
            if rest is not None:
                return f"[{at}]" + (f".{rest}" if rest and not rest.startswith("[") else rest)
        return None
    if not isinstance(value, Mapping) or names[0] not in value:
        return None
    rest = _search(value[names[0]], names[1:], wrong)
    if rest is None:
        return None
    return names[0] + (f".{rest}" if rest and not rest.startswith("[") else rest)


def _bad_quantity(value: Any, *, is_amounts: bool = False) -> str | None:
    """Find the first quantity that cannot be read, as a path; such messages do not name it."""
    if isinstance(value, list):
        items: Iterable[tuple[str, Any]] = ((f"[{at}]", item) for at, item in enumerate(value))
    elif isinstance(value, Mapping):
        items = ((str(key), item) for key, item in value.items())
    else:
        return None
    for key, item in items:
        if isinstance(item, (str, int, float)) and (is_amounts or key in _QUANTITIES):
            rest = None if _is_quantity(item) else ""
        else:
            rest = _bad_quantity(item, is_amounts=key in _AMOUNTS)
        if rest is not None:
            return key + (f".{rest}" if rest and not rest.startswith("[") else rest)
    return None


def _is_quantity(value: Any) -> bool:
    try:
        _core.canonical_quantity(value)
    except ValueError:
        return False
    return True


def at(value: Any, field: str) -> Any:
    """Return what stands at a field path."""
    for step in steps(field, value):
        value = _below(value, step)
    return value


def _below(value: Any, step: Step) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
