"""What a cluster is made of, checked: its seed, its controllers, NumPy."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from . import show

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from . import _core
    from .controllers.base import Controller
    from .kinds import Kind

#: Holds something once the core has found NumPy.
_NUMPY_READ: list[bool] = []


def read_numpy(world: _core.World) -> None:
    """Let the core find NumPy before there is anything to interrupt.

    It looks for it when it first makes an array, and a Ctrl-C that waits there is a panic.
    """
    if not _NUMPY_READ:
        import numpy as np  # noqa: F401, PLC0415 - slow to import

        world.pod_counts([])
        _NUMPY_READ.append(True)


def whole_seed(given: int) -> int:
    """Return a seed the core takes."""
    if not hasattr(given, "__index__"):
        raise TypeError(f"a seed is a whole number, not {given!r}")
    if not 0 <= given < 2**64:
        raise ValueError(f"a seed is a number from 0 to 2^64-1, not {given}")
    return given


def copied(controller: Controller) -> Controller:
    """Return a controller for a fork.

    Raises
    ------
    TypeError
        When it cannot be copied.
    """
    try:
        return copy.deepcopy(controller)
    except Exception as error:
        raise TypeError(
            f"the controller {controller.name!r} cannot be copied for a fork: {error}"
        ) from error


def as_page(world: _core.World, kinds: Sequence[Kind], now: datetime) -> str:
    """Return what a notebook shows of a cluster: how many objects there are of each kind."""
    # The events of events.k8s.io are those of the core group.
    kinds = [kind for kind in kinds if kind.group != "events.k8s.io"]
    counts = ((kind.resource, len(world.matching(kind.id))) for kind in kinds)
    rows = [[name, f"{count:,}"] for name, count in counts if count]
    title = f"<p><b>Cluster</b> at {now:%Y-%m-%d %H:%M:%S} UTC</p>"
    return title + show.as_html(["kind", "objects"], rows, len(rows))
