"""What the commands share: consoles, errors, plain output, amounts as people read them."""

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
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

#: Exit codes: what was asked does not hold, and the question made no sense.
NO, BAD_INPUT = 1, 2
INTERRUPTED = 130
_BROKEN_PIPE = 141
#: Columns of output that is no terminal: tables take what they need.
_UNBOUNDED = 10_000


def console() -> Console:
    """Return the console of standard output: coloured and cut to the width on a terminal only."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=_UNBOUNDED)


def say(text: str, style: str = "") -> None:
    """Print a sentence on standard error."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(escape(text), style=style or None)


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
        except (WavetankError, OSError, ValueError) as error:
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


def cores(milli: int) -> str:
    """Return CPU as people sum it up: ``5.79``."""
    return f"{milli / 1000:,.2f}".rstrip("0").rstrip(".")


def cpu(milli: int) -> str:
    """Return CPU as manifests have it: ``250m``, ``2``."""
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def size(count: int) -> str:
    """Return bytes in the largest binary unit that leaves a figure of at least one.

    >>> size(268435456), size(1610612736), size(0)
    ('256Mi', '1.5Gi', '0')
    """
    for unit, power in (("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)):
        if abs(count) >= 2**power:
            value = count / 2**power
            text = f"{value:.0f}" if value >= 100 else f"{value:.1f}".removesuffix(".0")
            return f"{text}{unit}"
    return str(count)


def amount(resource: str, count: int) -> str:
    """Return an amount of a resource."""
    if resource == "cpu":
        return cores(count)
    if resource in {"memory", "ephemeral-storage"} or resource.startswith("hugepages-"):
        return size(count)
    return f"{count:,}"
