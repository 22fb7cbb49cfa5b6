"""Capacity planning: does it fit, how many more fit, and what ends it.

Every answer comes from running the real decisions on a branch of the cluster; nothing is
estimated. Read :mod:`.settle` for what "at rest" means, then :mod:`.fit` and :mod:`.headroom`.
"""

from __future__ import annotations

from .fit import Fit, Reason, Workload, fit
from .headroom import Headroom, headroom, headroom_of
from .inputs import InputError, Inputs, build
from .rows import Rows
from .usage import Amount, NodeUse, PoolUse

__all__ = [
    "Amount",
    "Fit",
    "Headroom",
    "InputError",
    "Inputs",
    "NodeUse",
    "PoolUse",
    "Reason",
    "Rows",
    "Workload",
    "build",
    "fit",
    "headroom",
    "headroom_of",
]
