"""kubectl's JSONPath: templates such as ``{.items[*].metadata.name}``.

The dialect is Kubernetes' own: text outside braces is copied, ``{range}`` and ``{end}`` repeat,
several results stand next to each other with a space between. Results of ``*`` and ``..`` over
a map come in the order of its keys, where Go leaves the order to chance.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: From the nodes at hand to those a step leads to.
Step = Callable[[list[Any]], list[Any]]

_NAME = re.compile(r"(?:\\.|[^\\\s.,\[\]$@{}])+")
_SLICE = re.compile(r"(-?\d*)(?::(-?\d*))?(?::(-?\d*))?")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)")
_NUMBER = re.compile(r"[+-]?[\d.]+")

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class _Block:
    """A pair of braces: steps, or one of the words ``range`` and ``end``."""

    steps: tuple[Step, ...] = ()
    word: str = ""


class JSONPath:
    """A template, parsed once.

    Parameters
    ----------
    template
        The text, with its braces.
    allow_missing
        Whether a key that nothing has is passed over; an error otherwise.

    Raises
    ------
    ValueError
        When the template makes no sense.

    Examples
    --------
    >>> JSONPath("{.spec.ports[*].port}").text({"spec": {"ports": [{"port": 80}, {"port": 443}]}})
    '80 443'
    """

    def __init__(self, template: str, *, allow_missing: bool = True) -> None:
        self._missing_is_fine = allow_missing
        self._nodes: list[str | _Block] = list(self._parse(template))

    def find(self, data: Any) -> list[Any]:
        """Return what the first pair of braces finds."""
        for node in self._nodes:
            if isinstance(node, _Block):
                return _walk([data], node.steps)
        return []

    def text(self, data: Any) -> str:
        """Return the template filled in."""
        return "".join(self._fill(data, iter(self._nodes)))

    def _fill(self, data: Any, nodes: Iterator[str | _Block]) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, str):
                yield node
            elif node.word == "end":
                return
            elif node.word == "range":
                body = _body(nodes)
                for item in _walk([data], node.steps):
                    yield from self._fill(item, iter(body))
            else:
                yield " ".join(printed(item) for item in _walk([data], node.steps))

    def _parse(self, template: str) -> Iterator[str | _Block]:
        at = 0
        while at < len(template):
            start = template.find("{", at)
            if start < 0:
                yield template[at:]
                return
            if start > at:
                yield template[at:start]
            block, at = self._block(template, start + 1)
            yield block

    def _block(self, text: str, at: int) -> tuple[_Block, int]:
        """Read what stands in a pair of braces; return it and where it ends."""
        steps: list[Step] = []
        word = ""
        while True:
            if at >= len(text) or text[at] in "\r\n":
                raise ValueError("unclosed action")
            if text[at] == "}":
                return _Block(tuple(steps), word), at + 1
            if text[at].isalpha() or text[at] == "_":
                name = _match(_NAME, text, at)
                at += len(name)
                if name in ("true", "false"):
                    steps.append(_constant(name == "true"))
                elif name in ("range", "end"):
                    word = name
                else:
                    raise ValueError(f"unrecognized identifier {name}")
                continue
            step, at = self._step(text, at)
            if step is not None:
                steps.append(step)

    def _step(self, text: str, at: int) -> tuple[Step | None, int]:  # noqa: PLR0911 - by symbol
        symbol = text[at]
        if text.startswith("[?(", at):
            return self._filter(text, at)
        if text.startswith("..", at):
            return _recursive, at + (2 if text[at + 2 : at + 3] in ("[", ".", "}", "") else 1)
        if symbol in " @$":
            return None, at + 1
        if symbol == ".":
            name = _match(_NAME, text, at + 1)
            field = name.replace("\\", "")
            step = _wildcard if name == "*" else self._field(field)
            return step, at + 1 + len(name)
        if symbol == "[":
            return self._brackets(text, at)
        if symbol in "\"'":
            return self._quoted(text, at)
        if symbol in "+-" or symbol.isdigit():
            number = _match(_NUMBER, text, at)
            return _constant(_as_number(number)), at + len(number)
        raise ValueError(f"unrecognized character in action: U+{ord(symbol):04X} '{symbol}'")

    def _field(self, name: str) -> Step:
        def step(values: list[Any]) -> list[Any]:
            found = [
                value[name] for value in values if isinstance(value, Mapping) and name in value
            ]
            if values and not found and not self._missing_is_fine:
                raise ValueError(f"{name} is not found")
            return found

        return step

    def _quoted(self, text: str, at: int) -> tuple[Step, int]:
        end = at + 1
        while end < len(text) and (text[end] != text[at] or text[end - 1] == "\\"):
            end += 1
        if end >= len(text):
            raise ValueError("unterminated quoted string")
        inner = text[at + 1 : end]
        word = inner.encode("latin-1", "backslashreplace").decode("unicode_escape")
        return _constant(word), end + 1

    def _brackets(self, text: str, at: int) -> tuple[Step, int]:
        end = text.find("]", at)
        if end < 0:
            raise ValueError("unterminated array")
        steps = [self._index(part.strip()) for part in text[at + 1 : end].split(",")]
        if len(steps) == 1:
            return steps[0], end + 1
        return (lambda values: [item for step in steps for item in step(values)]), end + 1

    def _index(self, part: str) -> Step:
        if part == "*":
            return _slice(None, None, None)
        if len(part) > 1 and part[0] == part[-1] == "'":
            # What stands in quotes is read like what follows a dot: a dot in it ends a name.
            steps = self._block(f".{part[1:-1]}}}", 0)[0].steps
            return lambda values: _walk(values, steps)
        found = _SLICE.fullmatch(part)
        if not found or not part:
            raise ValueError(f"invalid array index {part}")
        start, stop, step = (int(number) if number else None for number in found.groups())
        if ":" not in part:
            return _single(int(part))
        return _slice(start, stop, step)

    def _filter(self, text: str, at: int) -> tuple[Step, int]:
        end = _end_of_filter(text, at + 3)
        if text[end + 1 : end + 2] != "]":
            raise ValueError("unclosed array expect ]")
        condition = text[at + 3 : end]
        found = _COMPARISON.fullmatch(condition)
        lenient = JSONPath("", allow_missing=True)
        if not found:
            path = lenient._block(condition + "}", 0)[0].steps
            return _filtered(lambda item: bool(_walk([item], path))), end + 2
        left, sign, right = found.groups()
        compare = _OPERATORS.get(sign)
        if compare is None:
            raise ValueError(f"unrecognized filter operator {sign}")
        sides = [lenient._block(side.strip() + "}", 0)[0].steps for side in (left, right)]

        def matches(item: Any) -> bool:
            first, second = (_walk([item], side) for side in sides)
            return len(first) == 1 == len(second) and _compared(compare, first[0], second[0])

        return _filtered(matches), end + 2


def _end_of_filter(text: str, at: int) -> int:
    """Return where the parenthesis of a filter closes; one in quotes is none."""
    quote = ""
    for end in range(at, len(text)):
        symbol = text[end]
        if quote:
            quote = "" if symbol == quote and text[end - 1] != "\\" else quote
        elif symbol in "\"'":
            quote = symbol
        elif symbol == ")":
            return end
    raise ValueError("unterminated filter")


def relaxed(expression: str) -> str:
    """Return a path with the braces and the leading dot people leave out."""
    inner = expression.strip()
    if inner.startswith("{") != inner.endswith("}"):
        raise ValueError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or "
            "'{name1.name2}' or '{.name1.name2}'"
        )
    inner = inner[1:-1] if inner.startswith("{") else inner
    return "{" + (inner if inner.startswith((".", "[", "$", "@")) else "." + inner) + "}"


def printed(value: Any) -> str:
    """Return a result as text: maps and lists as compact JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _walk(values: list[Any], steps: Sequence[Step]) -> list[Any]:
    for step in steps:
        values = step(values)
    return values


def _body(nodes: Iterator[str | _Block]) -> list[str | _Block]:
    """Take what stands between ``range`` and its ``end``."""
    body: list[str | _Block] = []
    depth = 0
    for node in nodes:
        word = node.word if isinstance(node, _Block) else ""
        if word == "end" and depth == 0:
            return body
        depth += {"range": 1, "end": -1}.get(word, 0)
        body.append(node)
    return body


def _constant(value: Any) -> Step:
    return lambda values: [value for _ in values]


def _wildcard(values: list[Any]) -> list[Any]:
    return [item for value in values for item in _children(value)]


def _recursive(values: list[Any]) -> list[Any]:
    found = []
    for value in values:
        children = _children(value)
        if children:
            found += [value, *_recursive(children)]
    return found


def _children(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [value[key] for key in sorted(value)]
    return list(value) if isinstance(value, list) else []


def _single(index: int) -> Step:
    def step(values: list[Any]) -> list[Any]:
        found = []
        for value in filter(lambda value: value is not None, values):
            if not isinstance(value, list):
                raise ValueError(f"{type(value).__name__} is not array or slice")  # noqa: TRY004
            if not -len(value) <= index < len(value):
                raise ValueError(f"array index out of bounds: index {index}, length {len(value)}")
            found.append(value[index])
        return found

    return step


def _slice(start: int | None, stop: int | None, step: int | None) -> Step:
    chosen = slice(start, stop, step)
    return lambda values: [
        item for value in values if isinstance(value, list) for item in value[chosen]
    ]


def _filtered(matches: Callable[[Any], bool]) -> Step:
    return lambda values: [
        item for value in values if isinstance(value, list) for item in value if matches(item)
    ]


def _compared(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    try:
        return bool(compare(left, right))
    except TypeError:
        raise ValueError("incompatible types for comparison") from None


def _match(pattern: re.Pattern[str], text: str, at: int) -> str:
    found = pattern.match(text, at)
    if not found:
        raise ValueError("a name is expected after the dot" if at else "an empty path")
    return found.group()


def _as_number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
