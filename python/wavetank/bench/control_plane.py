"""The cluster workloads run in: API server and scheduler, and little else.

So it is in the real test: no kubelet runs the pods that are bound, no controller but the garbage
collector acts, and of the API server's admission plugins ServiceAccount, TaintNodesByCondition
and Priority are off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank import _core, clock
from wavetank.cluster import Cluster
from wavetank.controllers.base import DONE, Answer, Context, Controller, Watch
from wavetank.latencies import Constant, Latencies
from wavetank.program import rules
from wavetank.scheduler import HEADER, configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_WITHOUT = ("kubelets", "endpoints", "priority-admission")


class FakeVolumes(Controller):
    """The real test's stand-in for the volume controller: a volume's claim learns its name."""

    name = "fake-persistent-volumes"

    def watches(self) -> Sequence[Watch]:
        """Return volumes."""
        return [Watch("persistentvolumes")]

    def sync(self, context: Context, key: int) -> Answer:
        """Bind the claim a volume refers to, if it is not bound yet."""
        volume: dict[str, Any] | None = context.world.get_many([key])[0]
        reference = volume and volume["spec"].get("claimRef")
        if not volume or not reference:
            return DONE
        kind = context.kind("persistentvolumeclaims")
        found = context.world.find(kind, reference["name"], reference.get("namespace"))
        if found is None:
            return DONE
        claim: dict[str, Any] = context.world.get_many([found])[0]
        if not claim["spec"].get("volumeName"):
            claim["spec"]["volumeName"] = volume["metadata"]["name"]
            annotations = claim["metadata"].setdefault("annotations", {})
            annotations["pv.kubernetes.io/bind-completed"] = "yes"
            context.world.update(claim)
        return DONE


class ControlPlane(Cluster):
    """A cluster of API server and scheduler.

    Parameters
    ----------
    seed
        What every random choice derives from.
    cycle_ns
        Virtual nanoseconds from one scheduling cycle to the next.
    scheduler
        As for :class:`wavetank.Cluster`.
    tie_break
        How one of several best nodes is chosen, unless the configuration says: ``"oracle"``,
        ``"seeded"`` or ``"first-by-name"``.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        cycle_ns: int = 0,
        scheduler: str | Path | Mapping[str, Any] | None = None,
        tie_break: str = "oracle",
    ) -> None:
        world = _core.World(
            rules(),
            seed=seed,
            start_ns=clock.time_ns(clock.START),
            latencies=Latencies(scheduling_cycle=Constant(cycle_ns)).to_core(),
            scheduler=_configured(scheduler, tie_break),
            without=_WITHOUT,
        )
        self._attach(world, (), ())
        self.add_controller(FakeVolumes())

    def run_to(self, time_ns: int, on_step: Callable[[], None] | None = None) -> None:
        """Let virtual time pass up to a moment; ``on_step`` is called now and then."""
        self._driver.run_to(time_ns, False, on_step)


def _configured(scheduler: str | Path | Mapping[str, Any] | None, tie_break: str) -> str:
    """Return the text of a scheduler configuration that says how ties are broken."""
    text = configuration(scheduler).text
    given = _core.read_manifest(text, str(scheduler))[0].object() if text else {}
    if not isinstance(given, dict):
        return text
    return _core.to_json({**HEADER, "tieBreak": tie_break, **given})
