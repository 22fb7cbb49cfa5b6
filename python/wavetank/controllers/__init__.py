"""The control loops of a cluster, and the contract for writing one."""

from __future__ import annotations

from .base import DONE, FAILED, Answer, Context, Controller, Object, Watch, after, timeout

__all__ = [
    "DONE",
    "FAILED",
    "Answer",
    "Context",
    "Controller",
    "Object",
    "Watch",
    "after",
    "built_in",
    "timeout",
]


def built_in() -> list[Controller]:
    """Return a fresh set of the controllers every cluster runs."""
    # Here, not above: who only reads the contract need not load NumPy.
    from .deployment import DeploymentController  # noqa: PLC0415
    from .ingress import IngressController  # noqa: PLC0415
    from .namespace import NamespaceController  # noqa: PLC0415
    from .replicaset import ReplicaSetController  # noqa: PLC0415

    return [
        DeploymentController(),
        ReplicaSetController(),
        NamespaceController(),
        IngressController(),
    ]
