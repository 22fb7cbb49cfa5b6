"""Cases of kube-proxy: the rules of a node, and what they do with packets."""

from __future__ import annotations

from typing import Any

from wavetank import _core


def replay_proxy(case: dict[str, Any]) -> dict[str, Any]:
    """Answer the lines of the rules, and per packet its ends and whether it is masqueraded."""
    return _core.replay_proxy(case)
