"""Nodes by the dozen: pools of equal machines, by type, by size or from manifests.

Read :mod:`.pool` for what a pool is, :mod:`.parse` for its form on the command line,
:mod:`.reserved` for what a kubelet keeps of a machine, and :mod:`.add` for how nodes come to be.
"""

from __future__ import annotations

from .add import add_nodes, add_pool
from .parse import parse
from .pool import POOL_LABEL, Pool, PoolError

__all__ = ["POOL_LABEL", "Pool", "PoolError", "add_nodes", "add_pool", "parse"]
