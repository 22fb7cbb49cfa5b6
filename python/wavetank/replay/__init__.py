"""Replaying recorded cases of the real components: ``python -m wavetank.replay KIND FILE...``.

Each file holds one case, ``{"input": ...}``, plain or gzipped; for each one JSON line is
printed, ``{"file": ..., "results": ...}``, in the form the recordings have under ``expected``.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .deployment import replay_deployment
from .proxy import replay_proxy
from .scheduler import replay_scheduler

if TYPE_CHECKING:
    from collections.abc import Callable

#: The kinds of case that can be replayed.
KINDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "deployment": replay_deployment,
    "proxy": replay_proxy,
    "scheduler": replay_scheduler,
}


def read_case(path: str | Path) -> dict[str, Any]:
    """Read a case from a file, gzipped or not."""
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    case = json.loads(data)
    if not isinstance(case, dict) or "input" not in case:
        raise ValueError(f"{path}: not a recorded case: it has no input")
    return case
