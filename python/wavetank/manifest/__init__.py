"""Manifests: YAML and JSON in, objects of a cluster out.

:func:`load` reads, :func:`apply` does what ``kubectl apply`` does, :func:`restore` takes the
dump of a cluster as the state to go on from. :mod:`.advice` has what a planner would want to
know; :mod:`.plain` is the readable form of the rules the compiled reader follows.
"""

from __future__ import annotations

from wavetank._core import Document

from .applied import Applied, AppliedObject, Cause, Failure, Notice, Place
from .apply import apply
from .load import load
from .restore import restore

__all__ = [
    "Applied",
    "AppliedObject",
    "Cause",
    "Document",
    "Failure",
    "Notice",
    "Place",
    "apply",
    "load",
    "restore",
]
