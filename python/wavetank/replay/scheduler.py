"""Cases of the scheduler: one pod after the other, each seeing the effects of those before."""

from __future__ import annotations

from typing import Any

from wavetank import _core
from wavetank.program import rules


def replay_scheduler(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Schedule the pods of a case; one entry per pod, in order."""
    results: list[dict[str, Any]] = _core.replay_scheduler(case, rules())
    return results
