"""The vocabulary in which kinds declare their defaults and what a write does to an object.

Like the checks of `rule.py` these are plain data, compiled and run in Rust. A step changes the
value that stands here; conditions are those of `rule.py`, with references that start here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rule import Condition, Reference

Step: TypeAlias = list[Any]


def default(name: str, value: Any) -> Step:
    """Set a field that is absent."""
    return ["default", name, value, False]


def default_zero(name: str, value: Any) -> Step:
    """Set a field that is absent or zero, as Go does where a field is no pointer."""
    return ["default", name, value, True]


def put(name: str, value: Any) -> Step:
    """Set a field in any case."""
    return ["set", name, value]


def inside(name: str, *steps: Step) -> Step:
    """Go to a field, if it is there; dots go deeper."""
    first, _, rest = name.partition(".")
    return ["field", first, [inside(rest, *steps)] if rest else list(steps)]


def made(name: str, *steps: Step) -> Step:
    """Go to a field, made an empty map when absent."""
    return ["make", name, list(steps)]


def every_item(*steps: Step) -> Step:
    """Every item of a list."""
    return ["each", list(steps)]


def items_of(name: str, *steps: Step) -> Step:
    """Every item of the list in a field; dots go deeper."""
    return inside(name, every_item(*steps))


def provided(condition: Condition, *then: Step, otherwise: Sequence[Step] = ()) -> Step:
    """Choose by a condition."""
    return ["when", condition, list(then), list(otherwise)]


def copied(name: str, source: Reference) -> Step:
    """Set a field that is absent or zero from another, if that is there."""
    return ["copy", name, source]


def completed(name: str, source: str) -> Step:
    """Put the entries of one map into another, where absent there."""
    return ["fill", name, source]


def removed(name: str) -> Step:
    """Remove a field."""
    return ["remove", name]


def quantities(name: str) -> Step:
    """Print the quantities of a map in canonical form, rounded up to a thousandth."""
    return ["quantities", name]


def quantity(name: str) -> Step:
    """Print a quantity in canonical form."""
    return ["quantity", name]


def kept(name: str) -> Step:
    """Make the value at this path from the root what it was in the old object."""
    return ["keep", name]


def generation(*parts: Sequence[str | None]) -> Step:
    """Count a change: each part is a path from the root and the Go type that compares it."""
    return ["generation", [list(part) for part in parts]]


def apply(name: str) -> Step:
    """Steps declared under a name."""
    return ["use", name]


def run(name: str) -> Step:
    """A step written in Rust."""
    return ["call", name]
