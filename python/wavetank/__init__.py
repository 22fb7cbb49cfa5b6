"""wavetank: a Kubernetes cluster as a library.

The same objects, the same scheduling decisions and the same service routing as the real thing,
on a virtual clock, in one process. Start with :class:`Cluster`.

>>> import wavetank as wt
>>> cluster = wt.Cluster(seed=7)
>>> cluster.now.isoformat()
'2026-01-01T00:00:00+00:00'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ._core import __version__
from .cluster import Cluster
from .errors import (
    AlreadyExistsError,
    ApiError,
    ApiTimeoutError,
    ApplyError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    ManifestError,
    NotFoundError,
    WavetankError,
)
from .latencies import Latencies

if TYPE_CHECKING:
    from . import bench, explain, plan, scheduling

__all__ = [
    "AlreadyExistsError",
    "ApiError",
    "ApiTimeoutError",
    "ApplyError",
    "BadRequestError",
    "Cluster",
    "ConflictError",
    "ForbiddenError",
    "GoneError",
    "InvalidError",
    "Latencies",
    "ManifestError",
    "NotFoundError",
    "WavetankError",
    "__version__",
    "bench",
    "explain",
    "plan",
    "scheduling",
]

#: Parts that are imported when they are first asked for.
_LAZY = {"bench", "explain", "plan", "scheduling"}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return importlib.import_module(f"wavetank.{name}")
    message = f"module 'wavetank' has no attribute {name!r}"
    raise AttributeError(message)
