"""The control loops of a cluster, and the contract for writing one."""

from __future__ import annotations

from .base import DONE, FAILED, Answer, Context, Controller, Watch, after, timeout
from .deployment import DeploymentController
from .namespace import NamespaceController
from .replicaset import ReplicaSetController

__all__ = [
    "DONE",
    "FAILED",
    "Answer",
    "Context",
    "Controller",
    "DeploymentController",
    "NamespaceController",
    "ReplicaSetController",
    "Watch",
    "after",
    "built_in",
    "timeout",
]


def built_in() -> list[Controller]:
    """Return a fresh set of the controllers every cluster runs."""
    return [DeploymentController(), ReplicaSetController(), NamespaceController()]
