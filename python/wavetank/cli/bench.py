"""``wavetank bench``: benchmarks of others. Each is a module of its own, loaded with the group."""

from __future__ import annotations

import importlib

import typer

#: The modules of the group's commands, in the order of the help text.
COMMANDS = ("bench_scheduler_perf", "bench_openb")


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    group = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in COMMANDS:
        importlib.import_module(f"wavetank.cli.{name}").register(group)
    app.add_typer(
        group,
        name="bench",
        help="Run published benchmarks of schedulers.",
        short_help="Run published benchmarks.",
    )

    @group.callback()
    def options() -> None:
        """Run published benchmarks of schedulers."""
