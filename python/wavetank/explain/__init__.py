"""Why a pod is where it is, or nowhere, and the smallest change that would let it in.

The core says what every filter thinks of every node (:mod:`.facts`); from that follows what could
be changed (:mod:`.steps`), and every change is tried on a fork by the real scheduler before it is
said (:mod:`.trials`). Read :func:`explain` first, then :mod:`.search`.
"""

from __future__ import annotations

from .answer import explain
from .change import KINDS, Change, Patch
from .explanation import Explanation, Group
from .subject import ExplainError

__all__ = ["KINDS", "Change", "ExplainError", "Explanation", "Group", "Patch", "explain"]
