"""The rules of all kinds, compiled once per process and shared by all clusters."""

from __future__ import annotations

from functools import cache

from . import _core


@cache
def rules() -> _core.Rules:
    """Return the compiled defaulting and validation rules of every built-in kind."""
    from .resources import program  # noqa: PLC0415

    return _core.Rules(program())
