"""Tables of custom resources: the columns their definition declares, by JSONPath."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.printing.ages import since
from wavetank.printing.jsonpath import JSONPath, printed
from wavetank.printing.layout import Layout, Object
from wavetank.printing.objects import name
from wavetank.printing.tables.core import plain

if TYPE_CHECKING:
    from wavetank.kinds import Kind


def custom_layout(kind: Kind) -> Layout:
    """Return the table of a custom kind."""
    if not kind.columns:
        return plain
    paths = [(JSONPath(f"{{{path}}}"), type_) for _, type_, path, _ in kind.columns]
    headings = [f"{title}*" if priority else title for title, _, _, priority in kind.columns]

    def cells(item: Object, now_ns: int) -> tuple[object, ...]:
        return name(item), *(_cell(path, type_, item, now_ns) for path, type_ in paths)

    return Layout(("Name", *headings), cells)


def _cell(path: JSONPath, type_: str, item: Object, now_ns: int) -> object:
    """Return the value at a path, if it is of the column's type."""
    try:
        found = path.find(item)
    except ValueError:
        return None
    if not found:
        return None
    value: Any = found[0]
    if type_ == "string":
        return "<nil>" if value is None else printed(value)
    if type_ == "date" and isinstance(value, str):
        return _date(value, now_ns)
    wanted = {"integer": (int, float), "number": (int, float), "boolean": (bool,)}.get(type_, ())
    if not isinstance(value, wanted) or (isinstance(value, bool) and type_ != "boolean"):
        return None
    return int(value) if type_ == "integer" else value


def _date(value: str, now_ns: int) -> str:
    try:
        return since(value, now_ns)
    except ValueError:
        return "<invalid>"
