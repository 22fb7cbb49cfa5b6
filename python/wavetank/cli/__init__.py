"""The command ``wavetank``.

A command is a module of this package with a function ``register(app)``. Only the module that is
asked for is imported, so that every command starts fast.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

#: The commands, in the order of the help text.
COMMANDS = (
    "plan",
    "run",
    "get",
    "describe",
    "explain",
    "iptables",
    "trace",
    "curl",
    "dig",
    "dns",
    "bench",
)


def application(arguments: Sequence[str]) -> typer.Typer:
    """Return the application with the command that the arguments name; with all if none."""
    import typer  # noqa: PLC0415 - slow to import

    app = typer.Typer(
        help="A Kubernetes cluster as a library, on a virtual clock: plan it, run it, look at it.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def options(
        version: bool = typer.Option(
            False,
            "--version",
            help="Print the version and exit.",
            callback=_print_version,
            is_eager=True,
        ),
    ) -> None:
        """Take the options before the command."""

    first = next((word for word in arguments if not word.startswith("-")), "")
    for name in [first] if first in COMMANDS else COMMANDS:
        importlib.import_module(f"{__name__}.{name}").register(app)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        import typer  # noqa: PLC0415

        from wavetank import __version__  # noqa: PLC0415

        typer.echo(f"wavetank {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command of this process's arguments."""
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:
            # Closed by whoever started us: nobody wants to read it.
            setattr(sys, stream, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    try:
        application(sys.argv[1:])(prog_name="wavetank")
    except (KeyboardInterrupt, RuntimeError) as error:
        # Ctrl-C before the command began, while its modules were read: Python before 3.12 makes
        # a RuntimeError of one that comes while a class is made.
        if not isinstance(error.__cause__ or error, KeyboardInterrupt):
            raise
        sys.stderr.write("interrupted\n")
        sys.exit(130)
