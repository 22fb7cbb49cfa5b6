"""What the commands share: consoles, errors, plain output."""

from __future__ import annotations

import functools
import json
import os
import sys
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from wavetank.errors import WavetankError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

P = ParamSpec("P")
R = TypeVar("R")

#: Exit codes: what was asked does not hold, and the question made no sense.
NO, BAD_INPUT = 1, 2
INTERRUPTED = 130
_BROKEN_PIPE = 141
#: Columns of output that is no terminal: tables take what they need.
_UNBOUNDED = 10_000
#: Warnings printed unless all are asked for.
WARNINGS = 10
#: Columns that bars are sized for.
WIDTH = 80


def help_text(text: str) -> str:
    r"""Return a help text with every paragraph on one line: terminals differ in width.

    >>> help_text("one\ntwo\n\n  three")
    'one two\n\n  three'
    """
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(
        "  " * paragraph.startswith("  ") + " ".join(paragraph.split()) for paragraph in paragraphs
    )


def console() -> Console:
    """Return the console of standard output: coloured and cut to the width on a terminal only."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=_UNBOUNDED)


def show(out: Console, what: RenderableType) -> None:
    """Print a table, without blanks at the ends of lines where no terminal reads them."""
    if out.is_terminal:
        out.print(what)
        return
    with out.capture() as captured:
        out.print(what)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())


def say(text: str, style: str = "") -> None:
    """Print a sentence on standard error."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(escape(text), style=style or None)


def say_all(label: str, texts: Sequence[str], style: str, most: int | None = None) -> None:
    """Print sentences on standard error, each on one line; no more than ``most``."""
    for text in texts[:most]:
        first, newline, _ = text.partition("\n")
        say(f"{label}: {first}{' ...' if newline else ''}", style)
    if most is not None and len(texts) > most:
        say(f"{label}: ... and {len(texts) - most:,} more", style)


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Turn what a user can cause into one sentence and an exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except BrokenPipeError:
            # Whoever read our output has seen enough; do not complain at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(_BROKEN_PIPE) from None
        except KeyboardInterrupt:
            say("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except (WavetankError, OSError, ValueError, OverflowError) as error:
            say(f"error: {_sentence(error)}", "red")
            raise typer.Exit(BAD_INPUT) from None

    return run


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def print_data(data: Any, form: str) -> None:
    """Print plain data as JSON or YAML."""
    if form == "json":
        typer.echo(json.dumps(data, indent=4, ensure_ascii=False))
    else:
        import yaml  # noqa: PLC0415 - only where it is needed

        typer.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), nl=False)
