"""How the scheduler is configured: a ``KubeSchedulerConfiguration`` from wherever it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from . import _core

#: What a dict need not say of itself.
HEADER = {
    "apiVersion": "kubescheduler.config.k8s.io/v1",
    "kind": "KubeSchedulerConfiguration",
}


class Configuration(NamedTuple):
    """A configuration's text, empty for the default, and the file it is from, if any."""

    text: str
    file: str = ""


def configuration(given: Any) -> Configuration:
    """Return a configuration given as a file, text or a dict, which may leave out the header.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    TypeError
        When it is something else.
    ValueError
        When the file is empty or no text.
    """
    if given is None:
        return Configuration("")
    if isinstance(given, Mapping):
        is_bare = "apiVersion" not in given and "kind" not in given
        return Configuration(_core.to_json({**HEADER, **given} if is_bare else given))
    if not isinstance(given, (str, os.PathLike)):
        kind = type(given).__name__
        raise TypeError(f"a scheduler configuration is a file, text or a dict, not {kind}")
    if isinstance(given, str) and ("\n" in given or given.lstrip().startswith("{")):
        return Configuration(given)
    return _from_file(given)


def _from_file(given: str | os.PathLike[str]) -> Configuration:
    if not os.path.isfile(given):  # noqa: PTH113 - "" is not the current folder
        raise FileNotFoundError(f'the scheduler configuration "{given}" does not exist')
    try:
        text = Path(given).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{given}: a scheduler configuration is text in UTF-8") from None
    if not text.strip():
        raise ValueError(f"{given}: the scheduler configuration is empty")
    return Configuration(text, str(given))
