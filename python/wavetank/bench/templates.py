"""Go's text templates, as far as benchmark files use them.

An action is a pipeline of ``.Index``, ``.Count``, numbers, texts and the functions of
scheduler_perf: ``{{ DivideInt 30000 .Count }}``, ``{{ .Index | Mod 7 }}``, with ``{{-`` and
``-}}`` taking the white space beside them away. This is not all of Go's language: conditions,
loops and variables are refused by name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import WorkloadError

#: What an action comes to, given index and count.
Expression = Callable[[int, int], Any]

_ACTION = re.compile(r"\{\{(- )?(.*?)( -)?\}\}", re.DOTALL)
_COMMENT = re.compile(r"\s*/\*.*\*/\s*", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:(?P<mark>[()|])
    |(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    |(?P<number>[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])
    |(?P<field>\.\w*)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<other>\S))""",
    re.VERBOSE,
)
_STATEMENTS = {"if", "else", "end", "range", "with", "define", "template", "block", "break"}


class Template:
    """A text with actions.

    Parameters
    ----------
    text, source
        The text, and the name of the file it comes from, for messages.

    Raises
    ------
    WorkloadError
        When an action is none; it names file and line.

    Examples
    --------
    >>> Template("name: node-{{ DivideInt .Index 10 }}", "node.yaml").render(25, 100)
    'name: node-2'
    """

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self._parts: list[str | tuple[int, Expression]] = []
        self._fields: set[str] = set()
        self._read(text)

    @property
    def varies(self) -> bool:
        """Whether the text differs from one index to the next."""
        return ".Index" in self._fields

    def render(self, index: int, count: int) -> str:
        """Return the text for one of ``count`` objects.

        Raises
        ------
        WorkloadError
            When a function cannot take what it is given.
        """
        return "".join(
            part if isinstance(part, str) else self._value(*part, index, count)
            for part in self._parts
        )

    def _value(self, line: int, expression: Expression, index: int, count: int) -> str:
        try:
            value = expression(index, count)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise WorkloadError(f"{self.source}:{line}: {error}") from None
        return _escaped(go_float(value) if isinstance(value, float) else str(value))

    def _read(self, text: str) -> None:
        at, trim = 0, False
        for found in _ACTION.finditer(text):
            literal = text[at : found.start()]
            literal = literal.lstrip() if trim else literal
            self._parts.append(literal.rstrip() if found[1] else literal)
            at, trim = found.end(), bool(found[3])
            line = text.count("\n", 0, found.start()) + 1
            if not _COMMENT.fullmatch(found[2]):
                self._parts.append((line, self._action(found[2], line)))
        rest = text[at:]
        if "{{" in rest:
            line = text.count("\n", 0, at + rest.index("{{")) + 1
            raise WorkloadError(f"{self.source}:{line}: unclosed action")
        self._parts.append(rest.lstrip() if trim else rest)

    def _action(self, text: str, line: int) -> Expression:
        try:
            parser = _Parser(text)
            expression = parser.pipeline()
            parser.expect_end()
        except ValueError as error:
            raise WorkloadError(f"{self.source}:{line}: {{{{{text}}}}}: {error}") from None
        self._fields |= parser.fields
        return expression


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


class _Parser:
    """One action, by descent: pipelines of commands of operands."""

    def __init__(self, text: str) -> None:
        self._tokens = [
            _Token(str(found.lastgroup), str(found[found.lastgroup or 0]))
            for found in _TOKEN.finditer(text.rstrip())
        ]
        self._at = 0
        self.fields: set[str] = set()

    def pipeline(self) -> Expression:
        value = self._command(None)
        while self._peek() == _Token("mark", "|"):
            self._at += 1
            value = self._command(value)
        return value

    def expect_end(self) -> None:
        token = self._peek()
        if token is not None:
            raise ValueError(f"unexpected {token.text!r}")

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _command(self, piped: Expression | None) -> Expression:
        token = self._peek()
        if token is None:
            raise ValueError("missing value for command")
        if token.kind != "word":
            if piped is not None:
                raise ValueError(f"{token.text} is no function: nothing can be piped into it")
            return self._operand()
        self._at += 1
        arguments = []
        while (following := self._peek()) is not None and following.text not in {"|", ")"}:
            arguments.append(self._operand())
        if piped is not None:
            arguments.append(piped)
        return _call(token.text, arguments)

    def _operand(self) -> Expression:
        token = self._peek()
        assert token is not None  # noqa: S101 - both callers looked
        self._at += 1
        if token.kind == "number":
            number = _number(token.text)
            return lambda _index, _count: number
        if token.kind == "text":
            text = token.text[1:-1] if token.text[0] == "`" else json.loads(token.text)
            return lambda _index, _count: text
        if token.kind == "field":
            return self._field(token.text)
        if token.kind == "word":
            return _call(token.text, [])
        if token.text == "(":
            inner = self.pipeline()
            if self._peek() != _Token("mark", ")"):
                raise ValueError("unclosed left paren")
            self._at += 1
            return inner
        raise ValueError(f"unexpected {token.text!r}")

    def _field(self, name: str) -> Expression:
        self.fields.add(name)
        if name == ".Index":
            return lambda index, _count: index
        if name == ".Count":
            return lambda _index, count: count
        raise ValueError(f"there is no {name}: a template knows .Index and .Count")


def _call(name: str, arguments: Sequence[Expression]) -> Expression:
    if name in _STATEMENTS:
        raise ValueError(f"{name} is not supported: only values and functions are")
    if name not in FUNCTIONS:
        known = ", ".join(sorted(FUNCTIONS))
        raise ValueError(f'function "{name}" not defined: there are {known}')
    function, wanted = FUNCTIONS[name]
    if wanted is not None and len(arguments) != wanted:
        given = len(arguments)
        raise ValueError(f"wrong number of args for {name}: want {wanted} got {given}")

    def value(index: int, count: int) -> Any:
        try:
            return function(*(argument(index, count) for argument in arguments))
        except ArithmeticError as error:
            raise ValueError(f"error calling {name}: {error}") from None

    return value


def _escaped(text: str) -> str:
    """Return a value as html/template writes it, which scheduler_perf uses for its YAML."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "+": "&#43;"}


def _number(text: str) -> int | float:
    text = text.replace("_", "")
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)


def _float(value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"cannot cast {value} to float64") from None


def _add(*numbers: Any) -> float:
    return sum(map(_float, numbers), 0.0)


def _multiply(*numbers: Any) -> float:
    return math.prod(map(_float, numbers), start=1.0)


def _subtract(first: Any, second: Any) -> float:
    return _float(first) - _float(second)


def _divide(first: Any, second: Any) -> float:
    if _float(second) == 0:
        raise ZeroDivisionError("division by zero")
    return _float(first) / _float(second)


def _mod(first: Any, second: Any) -> int:
    """Return the rest of a division as Go has it: with the sign of the first."""
    whole, by = int(_float(first)), int(_float(second))
    if by == 0:
        raise ZeroDivisionError("integer divide by zero")
    return int(math.fmod(whole, by)) if abs(whole) < 2**53 else whole - by * int(whole / by)


def _whole(function: Callable[..., float]) -> Callable[..., int]:
    return lambda *numbers: int(function(*numbers))


#: The functions of templates and how many arguments they take; any number when ``None``.
FUNCTIONS: dict[str, tuple[Callable[..., Any], int | None]] = {
    "AddFloat": (_add, None),
    "AddInt": (_whole(_add), None),
    "DivideFloat": (_divide, 2),
    "DivideInt": (_whole(_divide), 2),
    "Mod": (_mod, 2),
    "MultiplyFloat": (_multiply, None),
    "MultiplyInt": (_whole(_multiply), None),
    "SubtractFloat": (_subtract, 2),
    "SubtractInt": (_whole(_subtract), 2),
}


def go_float(value: float) -> str:
    """Return a float as Go prints it.

    >>> [go_float(value) for value in (3.0, 0.25, 1e6, 1234567.5, 0.00001, -0.0)]
    ['3', '0.25', '1e+06', '1.2345675e+06', '1e-05', '-0']
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    # The shortest digits that read back the same are the same in both languages.
    mantissa = repr(value).partition("e")[0]
    power = int(f"{value:.16e}".partition("e")[2])
    if value == 0 or -4 <= power < _EXPONENT_FROM:
        return mantissa.removesuffix(".0")
    digits = mantissa.replace(".", "").lstrip("-").strip("0")
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[0]}{fraction}e{'+' if power >= 0 else '-'}{abs(power):02d}"


#: From this power of ten on Go prints floats with an exponent.
_EXPONENT_FROM = 6
