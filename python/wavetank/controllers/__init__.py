"""The control loops of a cluster, and the contract for writing one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import DONE, FAILED, Answer, Context, Controller, Object, Watch, after, timeout

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def built_in(load_balancer_pool: str | Sequence[str] | None = None) -> list[Controller]:
    """Return a fresh set of the controllers every cluster runs.

    Parameters
    ----------
    load_balancer_pool
        As for :class:`wavetank.Cluster`.
    """
    # Here, not above: who only reads the contract need not load NumPy.
    from .deployment import DeploymentController  # noqa: PLC0415
    from .ingress import IngressController  # noqa: PLC0415
    from .loadbalancer import POOL, LoadBalancerController  # noqa: PLC0415
    from .namespace import NamespaceController  # noqa: PLC0415
    from .replicaset import ReplicaSetController  # noqa: PLC0415

    return [
        DeploymentController(),
        ReplicaSetController(),
        NamespaceController(),
        IngressController(),
        LoadBalancerController(load_balancer_pool or POOL),
    ]
