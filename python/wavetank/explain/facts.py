"""What every node says of a pod, in columns, as the core tells it.

Nodes that say the same share a verdict: the list of every filter's no. Everything here works on
verdicts, of which there are few, and on whole columns; nothing is made per node.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Resources whose lack has Kubernetes' own words.
_PODS = "Too many pods"
_INSUFFICIENT = "Insufficient "


@dataclass(frozen=True)
class No:
    """One filter's no.

    Attributes
    ----------
    plugin
        The plugin.
    code
        ``Unschedulable``, which preemption may change, or ``UnschedulableAndUnresolvable``.
    reasons
        Kubernetes' words.
    detail
        Bits of which of the pod's own terms it is about.
    taints
        Taints that are not tolerated: key, value, effect.
    """

    plugin: str
    code: str
    reasons: tuple[str, ...]
    detail: int
    taints: tuple[tuple[str, str, str], ...]

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources a node is short of; ``pods`` for a place."""
        return tuple(
            "pods" if reason == _PODS else reason.removeprefix(_INSUFFICIENT)
            for reason in self.reasons
            if reason == _PODS or reason.startswith(_INSUFFICIENT)
        )


@dataclass(frozen=True)
class Supply:
    """What a pod asks for of a resource, and what nodes have of it; milli-CPU for cpu."""

    asked: int
    free: NDArray[np.int64]
    allocatable: NDArray[np.int64]


@dataclass(frozen=True)
class Skew:
    """A hard spread constraint, and what the skew would be on each node; -1 for no label."""

    key: str
    most: int
    skews: NDArray[np.int64]


class Facts:
    """What every node says; see the module's text."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.nodes: list[str] = told.get("nodes", [])
        self.said: NDArray[np.int64] = told["said"]
        self.verdicts: list[tuple[No, ...]] = [
            tuple(_no(no) for no in verdict) for verdict in told["verdicts"]
        ]
        self.blocked: list[tuple[str, str]] = told["blocked"]
        self.supplies = {name: Supply(*given) for name, given in told["supplies"].items()}
        self.skews = [Skew(*given) for given in told["skews"]]
        self.requirements: list[str] = told["requirements"]
        self.kept_away_by: list[tuple[str, str, str]] = told["kept_away_by"]
        self.priorities: list[int] = told["priorities"]
        self.tried: dict[str, Any] = told["tried"]
        self.feasible: list[str] = told["feasible"]
        self.totals: NDArray[np.int64] = told["totals"]
        self.scores: dict[str, NDArray[np.int64]] = told["scores"]

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many nodes there are of each verdict."""
        return np.bincount(self.said[self.said >= 0], minlength=len(self.verdicts))

    def where(self, *verdicts: int) -> NDArray[np.intp]:
        """Return the nodes of some verdicts."""
        if not verdicts:
            return np.empty(0, dtype=np.intp)
        wanted = np.zeros(len(self.verdicts) + 1, dtype=bool)
        wanted[list(verdicts)] = True
        return np.flatnonzero(wanted[self.said])

    def only(self, *plugins: str) -> list[int]:
        """Return the verdicts in which these plugins, all of them, say no and nobody else."""
        wanted = set(plugins)
        return [at for at, noes in enumerate(self.verdicts) if {no.plugin for no in noes} == wanted]

    def no(self, verdict: int, plugin: str) -> No:
        """Return what a plugin said in a verdict."""
        return next(no for no in self.verdicts[verdict] if no.plugin == plugin)


def _no(told: dict[str, Any]) -> No:
    taints = tuple((key, value, effect) for key, value, effect in told["taints"])
    return No(told["plugin"], told["code"], tuple(told["reasons"]), told["detail"], taints)
