"""How the scheduler is configured: a ``KubeSchedulerConfiguration`` from wherever it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import _core


def configuration(given: str | Path | Mapping[str, Any] | None) -> str:
    """Return the text of a configuration given as a file, text or a dict; empty for the default.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    """
    if given is None:
        return ""
    if isinstance(given, Mapping):
        return _core.to_json(given)
    if isinstance(given, str) and ("\n" in given or given.lstrip().startswith("{")):
        return given
    path = Path(given)
    if not path.is_file():
        raise FileNotFoundError(f'the scheduler configuration "{path}" does not exist')
    return path.read_text(encoding="utf-8")
