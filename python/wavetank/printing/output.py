"""The formats of ``kubectl get``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wavetank import _core

from .jsonpath import JSONPath, relaxed
from .table import Options, lines
from .text import align

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wavetank.resource import Resource

    from .query import Answer

#: What ``-o`` takes, in kubectl's order.
FORMATS = ("custom-columns", "json", "jsonpath", "name", "wide", "yaml")

_COMMA = ",\n"
_ESCAPED = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}

#: A value's text in a custom column that has nothing to show.
_NONE = "<none>"


def check(form: str) -> None:
    """Refuse a format that there is not.

    Raises
    ------
    ValueError
        In kubectl's words.
    """
    word, _, rest = form.partition("=")
    with_template = word in ("custom-columns", "jsonpath")
    if form and (word not in FORMATS or bool(rest) != with_template):
        allowed = ",".join(
            f"{one}=..." if one in ("custom-columns", "jsonpath") else one for one in FORMATS
        )
        raise ValueError(
            f'unable to match a printer suitable for the output format "{form}", allowed formats '
            f"are: {allowed}"
        )


def printed(answer: Answer, form: str, now_ns: int, options: Options, *, single: bool) -> str:
    """Return objects in a format.

    Parameters
    ----------
    form
        ``""`` for a table, or what ``-o`` takes.
    single
        Whether one object was asked for by name; it is printed alone, not as a list.
    """
    word, _, rest = form.partition("=")
    if word in ("", "wide"):
        return tables(answer, now_ns, options)
    if word == "name":
        groups = ((group.kind, item) for group in answer.groups for item in group.items)
        return "".join(f"{kind.title}/{item.name}\n" for kind, item in groups)
    if word == "custom-columns":
        return _custom_columns(answer.items, rest, headings=options.headings)
    whole = document(answer.items, single=single)
    if word == "jsonpath":
        return JSONPath(rest).text(whole)
    return _core.to_yaml(whole) if word == "yaml" else as_json(whole)


def as_json(item: Any) -> str:
    """Return an object as kubectl prints it in JSON."""
    return _json(item, "") + "\n"


def _json(value: Any, indent: str) -> str:
    inner = f"{indent}    "
    if isinstance(value, dict) and value:
        parts = [f"{inner}{_string(key)}: {_json(value[key], inner)}" for key in sorted(value)]
        return f"{{\n{_COMMA.join(parts)}\n{indent}}}"
    if isinstance(value, list) and value:
        parts = [inner + _json(part, inner) for part in value]
        return f"[\n{_COMMA.join(parts)}\n{indent}]"
    if isinstance(value, str):
        return _string(value)
    # Python writes floats in its own way.
    return _core.to_json(value) if isinstance(value, float) else json.dumps(value)


def _string(text: str) -> str:
    """Return a text in quotes; Go escapes what HTML could mistake, too."""
    return json.dumps(text, ensure_ascii=False).translate(_ESCAPED)


def document(items: Sequence[Resource], *, single: bool) -> dict[str, Any]:
    """Return the document for some objects: one alone, or a list."""
    if single and len(items) == 1:
        return items[0]
    metadata = {"resourceVersion": ""}
    return {"apiVersion": "v1", "items": list(items), "kind": "List", "metadata": metadata}


def tables(answer: Answer, now_ns: int, options: Options) -> str:
    """Return objects as tables, one per kind."""
    groups = [group for group in answer.groups if group.items]
    found = []
    for group in groups:
        one = Options(
            **{**vars(options), "namespaces": options.namespaces and group.kind.namespaced}
        )
        found.append("".join(f"{line}\n" for line in lines(group.kind, group.items, now_ns, one)))
    return "\n".join(found)


def sort_items(items: list[Resource], expression: str) -> None:
    """Sort objects by the value at a path; those without one come first.

    Raises
    ------
    ValueError
        When the path makes no sense, or its values cannot be compared.
    """
    path = JSONPath(relaxed(expression))
    found = [path.find(item) for item in items]
    if items and not any(found):
        raise ValueError(
            f"couldn't find any field with path {relaxed(expression)!r} in the list of objects"
        )
    keys = [_sort_key(values[0] if values else None) for values in found]
    order = sorted(range(len(items)), key=keys.__getitem__)
    items[:] = [items[at] for at in order]


def _sort_key(value: Any) -> tuple[int, Any]:
    """Numbers by size, quantities by amount, text by its letters; what is missing first."""
    if value is None:
        return 0, 0
    if isinstance(value, (bool, int, float)):
        return 1, value
    try:
        return 1, _core.Quantity(value).milli_value
    except (ValueError, TypeError):
        return 2, str(value)


def _custom_columns(items: Sequence[Resource], template: str, *, headings: bool) -> str:
    columns = [_column(part) for part in template.split(",")]
    rows = [[shown(item) for _, shown in columns] for item in items]
    if headings:
        rows.insert(0, [title for title, _ in columns])
    return "".join(f"{line}\n" for line in align(rows))


def _column(part: str) -> tuple[str, Callable[[Resource], str]]:
    title, colon, expression = part.partition(":")
    if not colon:
        raise ValueError(
            f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
        )
    path = JSONPath(relaxed(expression))

    def shown(item: Resource) -> str:
        return ",".join(_NONE if value is None else go(value) for value in path.find(item)) or _NONE

    return title, shown


def go(value: Any) -> str:
    """Return a value as Go's ``%v`` prints it."""
    from .describe.common import go as go_text  # noqa: PLC0415 - for this format alone

    return go_text(value)
