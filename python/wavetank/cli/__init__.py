"""The command ``wavetank``.

A command is a module of this package with a function ``register(app)``. Only the module that is
asked for is imported, so that every command starts fast.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

#: The commands, in the order of the help text.
COMMANDS = ("plan", "run", "get", "describe")


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
    application(sys.argv[1:])(prog_name="wavetank")
