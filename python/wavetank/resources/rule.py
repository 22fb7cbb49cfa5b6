"""The vocabulary in which kinds declare their rules.

Every function here returns plain data; `rust/core/src/api/rules` compiles it once and runs it.
A *check* looks at the value that stands here and reports errors; a *condition* holds or not; a
*reference* names a value: ``.`` is what stands here, ``.a.b`` is below it, ``$pod.os`` is below
an anchor, ``/spec.type`` starts at the object's root and ``<spec.type`` at the old object's.
Keys that contain dots are given as a list: ``["/", "metadata", "annotations", "a.b/c"]``.

An absent field is ``null``; as in Go, checks on texts and numbers take it for ``""`` and ``0``.
Checks run in the order of their declaration, because that is the order clients see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Check: TypeAlias = list[Any]
Condition: TypeAlias = list[Any]
Number: TypeAlias = "int | str | list[Any]"
Reference: TypeAlias = "str | list[str]"
Shown: TypeAlias = "list[Any] | None"

# --- walking ---------------------------------------------------------------------------------


def field(name: str, *checks: Check, shown: str | None = None) -> Check:
    """Go to a field; ``shown`` is its name in error paths where Kubernetes uses another."""
    return ["field", name, shown, list(checks)]


def hidden_field(name: str, *checks: Check) -> Check:
    """Go to a field, but let errors point to where we came from."""
    return ["field", name, False, list(checks)]


def field_at(name: str, path: str, *checks: Check) -> Check:
    """Go to a field, but let errors begin at this whole path."""
    return ["field", name, [path], list(checks)]


def fields(path: str, *checks: Check) -> Check:
    """Go down several fields."""
    first, _, rest = path.partition(".")
    return field(first, fields(rest, *checks)) if rest else field(first, *checks)


def each(*checks: Check) -> Check:
    """Check every item of a list."""
    return ["each", False, list(checks)]


def each_hidden(*checks: Check) -> Check:
    """Check every item of a list; errors do not show the index."""
    return ["each", True, list(checks)]


def entries(*checks: Check) -> Check:
    """Check every value of a map; errors show the key."""
    return ["entries", list(checks)]


def anchor(name: str, *checks: Check) -> Check:
    """Name the value that stands here for references from below: ``$name``."""
    return ["anchor", name, list(checks)]


def look_at(value: Reference, *checks: Check) -> Check:
    """Check another value; errors point to where we stand."""
    return ["from", value, list(checks)]


def under(name: str, *checks: Check) -> Check:
    """Check the value that stands here; errors point to this field of it."""
    return ["under", name, list(checks)]


def at_path(path: str, *checks: Check) -> Check:
    """Check the value that stands here; errors point to this whole path."""
    return ["under", [path], list(checks)]


def up(steps: int, *checks: Check) -> Check:
    """Check the value that stands here; errors point that many steps up the path."""
    return ["up", steps, list(checks)]


def use(name: str) -> Check:
    """Checks declared under a name."""
    return ["use", name]


def call(check: str, /, **arguments: Any) -> Check:
    """A check written in Rust."""
    return ["call", check, arguments]


# --- choosing --------------------------------------------------------------------------------


def when(condition: Condition, *then: Check, otherwise: Sequence[Check] = ()) -> Check:
    """Choose by a condition."""
    return ["when", condition, list(then), list(otherwise)]


def unless(condition: Condition, *then: Check) -> Check:
    """Check when the condition does not hold."""
    return ["when", condition, [], list(then)]


def need(*checks: Check, detail: str = "") -> Check:
    """Required; the rest only when neither absent nor zero."""
    return ["need", detail, list(checks)]


def if_filled(*checks: Check) -> Check:
    """Check when neither absent nor zero."""
    return ["filled", list(checks)]


def if_present(*checks: Check) -> Check:
    """Check when present, be it zero."""
    return when(present("."), *checks)


def clean(checks: Sequence[Check], *then: Check) -> Check:
    """Go on only when the first checks find nothing."""
    return ["clean", list(checks), list(then)]


def switch(
    value: Reference, *cases: tuple[Any, Sequence[Check]], default: Sequence[Check] = ()
) -> Check:
    """Choose by the value found: each case is a value or a tuple of values, and its checks."""
    otherwise = list(default)
    for wanted, checks in reversed(cases):
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        otherwise = [when(equals(value, *values), *checks, otherwise=otherwise)]
    return otherwise[0]


# --- conditions ------------------------------------------------------------------------------


def present(value: Reference) -> Condition:
    """It is there, be it zero."""
    return ["present", value]


def absent(value: Reference) -> Condition:
    """It is not there."""
    return negate(present(value))


def filled(value: Reference) -> Condition:
    """It is neither absent nor zero (``""``, ``0``, ``false``, ``[]``, ``{}``)."""
    return ["filled", value]


def empty(value: Reference) -> Condition:
    """It is absent or zero."""
    return negate(filled(value))


def equals(value: Reference, *literals: Any) -> Condition:
    """It is one of these; absent equals the zero of a literal's type."""
    return ["is", value, list(literals)]


def differs(value: Reference, *literals: Any) -> Condition:
    """It is none of these."""
    return negate(equals(value, *literals))


def same(first: Reference, second: Reference, shape: str | None = None) -> Condition:
    """Both are equal; ``shape`` names the Go type that decides what absent means."""
    return ["same", first, second, shape]


def compare(first: Number, how: str, second: Number) -> Condition:
    """Two numbers compare so; absent is zero, ``["count", reference]`` is a length."""
    return ["compare", first, how, second]


def count(value: Reference) -> Number:
    """The items of a list, the keys of a map or the bytes of a text, for :func:`compare`."""
    return ["count", value]


def starts(value: Reference, text: str) -> Condition:
    """A text begins so."""
    return ["starts", value, text]


def ends(value: Reference, text: str) -> Condition:
    """A text ends so."""
    return ["ends", value, text]


def contains(value: Reference, text: str) -> Condition:
    """A text contains this."""
    return ["contains", value, text]


def has_form(value: Reference, form: str) -> Condition:
    """A text or number has this form."""
    return ["has", value, form]


def holds(container: Reference, item: Reference) -> Condition:
    """A list has this item, or a map this key."""
    return ["holds", container, item]


def seen(name: str, *values: Reference) -> Condition:
    """The set has this value."""
    return ["seen", name, list(values or (".",))]


def unseen(name: str) -> Condition:
    """The set is empty."""
    return ["unseen", name]


def every(*conditions: Condition) -> Condition:
    """All hold."""
    return ["all", list(conditions)]


def either(*conditions: Condition) -> Condition:
    """At least one holds."""
    return ["any", list(conditions)]


def negate(condition: Condition) -> Condition:
    """It does not hold."""
    return ["not", condition]


# --- what an error shows ---------------------------------------------------------------------


def shows(value: Reference, style: str = "text", shape: str | None = None) -> list[Any]:
    """The value found, printed as Go prints a value of this style.

    Styles: ``text`` (string), ``name`` (named string type), ``number``, ``flag``, ``quantity``,
    ``json`` (pointer, list, map). ``shape`` names an internal Go struct.
    """
    return ["value", value, style, shape]


def number(value: Reference = ".") -> list[Any]:
    """The number found."""
    return shows(value, "number")


def pointer(value: Reference = ".") -> list[Any]:
    """The value found as JSON, ``null`` when absent."""
    return shows(value, "json")


def struct(shape: str, value: Reference = ".") -> list[Any]:
    """The value found as an internal Go struct."""
    return shows(value, "json", shape)


def literal(value: Any) -> list[Any]:
    """A value as it is."""
    return ["literal", value]


def items(value: Reference = ".") -> list[Any]:
    """The number of items found."""
    return ["count", value]


def joined(template: str) -> list[Any]:
    """Texts and ``{references}`` joined to one text."""
    return ["joined", template]


KEY: list[Any] = ["key"]
TEXT: list[Any] = shows(".")
NAME: list[Any] = shows(".", "name")

# --- errors ----------------------------------------------------------------------------------


def _fail(
    kind: str, shown: Shown, detail: str = "", supported: Sequence[str] = (), limit: int = 0
) -> Check:
    return ["fail", kind, shown, detail, list(supported), limit]


def required(detail: str = "") -> Check:
    """A value is missing."""
    return _fail("required", None, detail)


def invalid(detail: str, shown: Shown = TEXT) -> Check:
    """A value is malformed; ``detail`` may hold ``{references}``."""
    return _fail("invalid", shown, detail)


def unsupported(values: Sequence[str], shown: Shown = NAME) -> Check:
    """A value is outside a closed list."""
    return _fail("not_supported", shown, supported=values)


def forbidden(detail: str) -> Check:
    """A value is not allowed here."""
    return _fail("forbidden", None, detail)


def duplicate(shown: Shown = TEXT, detail: str = "") -> Check:
    """A value occurs twice."""
    return _fail("duplicate", shown, detail)


def not_found(shown: Shown = TEXT, detail: str = "") -> Check:
    """A value refers to nothing."""
    return _fail("not_found", shown, detail)


def too_long(limit: int) -> Check:
    """A text has more bytes than this."""
    return _fail("too_long", None, limit=limit)


def too_many(limit: int, value: Reference = ".") -> Check:
    """A list has more items than this."""
    return _fail("too_many", items(value), limit=limit)


# --- common checks ---------------------------------------------------------------------------


def one_of(
    *values: str,
    shown: Sequence[str] | None = None,
    style: str = "name",
    shape: str | None = None,
) -> Check:
    """The text must be one of these, listed in the message in this or the ``shown`` order."""
    return ["one_of", list(values), list(shown or values), style, shape]


def valid(form: str, *then: Check, style: str = "text") -> Check:
    """The text or number must have this form; the rest only when it has."""
    return ["valid", form, style, list(then)]


def valid_key(form: str) -> Check:
    """The map key must have this form."""
    return ["valid_key", form]


def at_least(minimum: int, *, detail: str | None = None) -> Check:
    """The number must not be smaller."""
    text = detail or f"must be greater than or equal to {minimum}"
    return when(compare(".", "<", minimum), invalid(text, number()))


def positive() -> Check:
    """The number must be greater than zero."""
    return when(compare(".", "<=", 0), invalid("must be greater than zero", number()))


def between(low: int, high: int, *, shown: Shown = None) -> Check:
    """The number must lie in this closed range."""
    return when(
        either(compare(".", "<", low), compare(".", ">", high)),
        invalid(f"must be between {low} and {high}, inclusive", shown or number()),
    )


def at_most_bytes(limit: int) -> Check:
    """The text must not be longer."""
    return when(compare(count("."), ">", limit), too_long(limit))


def at_most_items(limit: int) -> Check:
    """The list must not be longer."""
    return when(compare(count("."), ">", limit), too_many(limit))


def immutable(
    path: str,
    *,
    shape: str | None = None,
    shown_at: str | None = None,
    shown: Shown = None,
    detail: str = "field is immutable",
) -> Check:
    """The value at this path from the root must be what it was."""
    check = look_at(
        f"/{path}",
        unless(same(".", f"<{path}", shape), invalid(detail, shown or pointer())),
    )
    return at_path(shown_at or path, check)


# --- sets ------------------------------------------------------------------------------------


def fresh(name: str, *checks: Check) -> Check:
    """A new, empty set for the checks inside."""
    return ["fresh", name, list(checks)]


def collect(name: str, values: Reference, key: str | None = None) -> Check:
    """Put every item of a list, or this field of it, into a set."""
    return ["collect", name, values, key]


def insert(name: str, *values: Reference) -> Check:
    """Put a value into a set."""
    return ["insert", name, list(values or (".",))]


def unique(name: str, *values: Reference, otherwise: Sequence[Check] | None = None) -> Check:
    """The value must be new to the set and is put there; else it is a duplicate."""
    return ["unique", name, list(values or (".",)), list(otherwise or (duplicate(),))]


# --- unions ----------------------------------------------------------------------------------


def member(
    name: str, *checks: Check, shown: str | None = None, refused_as: str | None = None
) -> list[Any]:
    """A field of a union."""
    return [name, refused_as or name, shown or name, list(checks)]


def union(*members: list[Any], many: str, none: Sequence[Check] = ()) -> Check:
    """At most one of these fields; ``many`` refuses the others, ``none`` runs without any."""
    return ["union", list(members), many, list(none)]
