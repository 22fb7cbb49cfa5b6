"""Manifests read the readable way: PyYAML's parser, and kubectl's rules written down in full.

This is what the compiled reader is tested against, and the place to look up what kubectl makes
of ``yes``, ``010`` or ``1_000``. It is slow, gives no lines and stops at the first mistake with
PyYAML's words. It leaves out what no manifest has and the compiled reader knows all the same:
the tags ``!``, ``!!binary`` and ``!!timestamp``, anchors defined twice, and the places where
PyYAML's parser takes less than kubectl's: tabs between tokens, for the most.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import struct
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAG = "tag:yaml.org,2002:"
#: Stands for the tag of a scalar that has neither a tag nor quotes.
_UNTAGGED = "plain"

_TRUE = frozenset(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"))
_FALSE = frozenset(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"))
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_NOT_FINITE = frozenset(
    sign + word
    for sign, words in (
        ("", (".nan", ".NaN", ".NAN")),
        ("", (".inf", ".Inf", ".INF")),
        ("+", (".inf", ".Inf", ".INF")),
        ("-", (".inf", ".Inf", ".INF")),
    )
    for word in words
)

_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
#: What may begin with a dot: digits may be separated by single underscores.
_DOTTED = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")
_INTEGER = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)")
_INNER_SIGN = re.compile(r"0b([-+])([01]+)")

_INT_MIN, _INT_MAX = -(1 << 63), (1 << 63) - 1
_UNSIGNED_MAX = (1 << 64) - 1


def read(text: str) -> list[Any]:
    """Return the documents of a manifest, empty ones left out.

    Raises
    ------
    ValueError
        When it cannot be read.
    """
    try:
        return [value for part in split(text) if (value := _document(part)) is not None]
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    except RecursionError:
        raise ValueError("nested too deeply") from None


def split(text: str) -> Iterator[str]:
    """Yield the parts between lines that begin with ``---``, as kubectl cuts a file up."""
    lines: list[str] = []
    for line in text.removesuffix("\n").split("\n"):
        if not line.startswith("---"):
            lines.append(f"{line}\n")
            continue
        rest = line[3:].strip()
        if rest and not rest.startswith("#"):
            raise ValueError(f"invalid Yaml document separator: {rest}")
        yield "".join(lines)
        lines = []
    yield "".join(lines)


def scalar(text: str) -> Any:
    """Return what a plain scalar is: text, number, truth value or ``None``.

    >>> [scalar(text) for text in ("yes", "010", "1_000", "1e3", "0x1F", "12:30", "~", "1.50")]
    [True, 8, 1000, 1000, 31, '12:30', None, 1.5]

    Raises
    ------
    ValueError
        For what JSON has no word for: infinities and not-a-number.
    """
    return _through_json(_plain(text))


def _plain(text: str) -> Any:
    """Return what YAML makes of a plain scalar, before it becomes JSON."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in _NOT_FINITE:
        return float(text.lower().replace(".", ""))
    number = _number(text)
    return text if number is None else number


def _through_json(value: Any) -> Any:
    """Return a scalar as it comes out of JSON, where a whole number is an integer.

    Go writes floats below 1e21 without an exponent: all their digits, then zeros.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"unsupported value: {value}")
        digits = Decimal(repr(value))
        is_whole = digits == digits.to_integral_value() and abs(value) < 1e21
        return int(digits) if is_whole and _INT_MIN <= int(digits) <= _INT_MAX else value
    is_large = isinstance(value, int) and value > _INT_MAX
    return float(value) if is_large else value


def _number(text: str) -> int | float | None:
    if text[0] == ".":
        return _float(text.replace("_", "")) if _DOTTED.fullmatch(text) else None
    if text[0] not in "+-0123456789":
        return None
    digits = text.replace("_", "")
    whole = _integer(digits)
    most = _INT_MAX if digits[0] in "+-" else _UNSIGNED_MAX
    if whole is not None and _INT_MIN <= whole <= most:
        return whole
    return _float(digits) if _DECIMAL.fullmatch(digits) else None


def _integer(digits: str) -> int | None:
    found = _INTEGER.fullmatch(digits) or _INNER_SIGN.fullmatch(digits)
    if found is None:
        return None
    sign, size = found.groups()
    if found.re is _INNER_SIGN:
        base = 2
    elif size[:2].lower() in ("0x", "0o", "0b"):
        base = {"x": 16, "o": 8, "b": 2}[size[1].lower()]
        size = size[2:]
    else:
        base = 8 if size.startswith("0") else 10
    return int(f"{sign}{size}", base)


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


#: Keys from ten to this power on are written with an exponent.
_KEY_EXPONENT = 6


class _Loader(yaml.SafeLoader):
    """PyYAML's parser without its own ideas of what a scalar is."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:  # noqa: ARG002
        if kind is yaml.ScalarNode:
            return _UNTAGGED if implicit[0] else f"{_TAG}str"
        return f"{_TAG}seq" if kind is yaml.SequenceNode else f"{_TAG}map"


def _document(text: str) -> Any:
    if text.lstrip().startswith("{"):
        with contextlib.suppress(ValueError):
            return json.loads(text)
    loader = _Loader(text)
    try:
        # What follows the first document of a part is never looked at.
        node = loader.get_node() if loader.check_node() else None
    finally:
        loader.dispose()
    return None if node is None else _value(node)


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _through_json(_scalar_of(node))
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    found: dict[str, Any] = {}
    for key, item in node.value:
        if key.tag == _UNTAGGED and key.value == "<<":
            _merge(found, item)
        else:
            found[_key(key)] = _value(item)
    return found


def _merge(found: dict[str, Any], node: yaml.Node) -> None:
    """Add what a merge key brings over what is there; of several maps the first one wins."""
    maps = node.value if isinstance(node, yaml.SequenceNode) else [node]
    for one in reversed(maps):
        value = _value(one)
        if not isinstance(value, dict):
            raise ValueError("map merge requires map or sequence of maps as the value")  # noqa: TRY004
        found.update(value)


def _key(node: yaml.Node) -> str:
    value = _scalar_of(node) if isinstance(node, yaml.ScalarNode) else node
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) or (isinstance(value, int) and value <= _INT_MAX):
        return str(value)
    if isinstance(value, float):
        return _float_key(value)
    raise ValueError(f"invalid map key: {value!r}")


def _float_key(value: float) -> str:
    """Return a number as a key: as Go writes it with the digits a 32-bit float needs."""
    short = struct.pack("f", value)
    (value,) = struct.unpack("f", short)
    if not math.isfinite(value):
        return {"inf": ".inf", "-inf": "-.inf"}.get(str(value), ".nan")
    wanted = (f"{value:.{digits}e}" for digits in range(9))
    text = next(text for text in wanted if struct.pack("f", float(text)) == short)
    mantissa, _, exponent = text.partition("e")
    if -4 <= int(exponent) < _KEY_EXPONENT:
        decimals = len(mantissa.partition(".")[2]) - int(exponent)
        return f"{value:.{max(0, decimals)}f}"
    return text


def _scalar_of(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.tag == _UNTAGGED:
        return _plain(text)
    name = node.tag.removeprefix(_TAG)
    if name not in ("bool", "int", "float", "null"):
        return text
    value = _plain(text)
    fits = {
        "bool": isinstance(value, bool),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, float) or (type(value) is int and value <= _INT_MAX),
        "null": value is None,
    }
    if not fits[name]:
        raise ValueError(f"cannot decode `{text}` as a !!{name}")
    return float(value) if name == "float" else value
