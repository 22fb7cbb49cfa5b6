"""The table of pods: above all the status, which no field of a pod holds.

The word shown is what the containers tell, read from the last to the first; the phase is only
its fallback. Init containers speak first, as long as they are not done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wavetank.printing import ages
from wavetank.printing.layout import Object, layout
from wavetank.printing.objects import dig, name


@dataclass
class Summary:
    """What the containers of a pod amount to."""

    ready: int = 0
    total: int = 0
    restarts: int = 0
    status: str = ""
    #: When a container last ended before it was started again.
    restarted: str = ""

    def count(self, status: Object) -> None:
        """Count the restarts of a container."""
        self.restarts += status.get("restartCount") or 0
        ended = dig(status, "lastState", "terminated", "finishedAt", default="")
        self.restarted = max(self.restarted, ended)


def summary(pod: Object) -> Summary:
    """Sum up a pod."""
    sidecars = {
        container.get("name")
        for container in dig(pod, "spec", "initContainers", default=())
        if container.get("restartPolicy") == "Always"
    }
    shown = Summary(total=len(dig(pod, "spec", "containers", default=())) + len(sidecars))
    shown.status = str(dig(pod, "status", "reason") or dig(pod, "status", "phase", default=""))
    for condition in dig(pod, "status", "conditions", default=()):
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            shown.status = "SchedulingGated"
    kept = _initialize(pod, shown, sidecars)
    if kept is not None:
        shown.restarts, shown.restarted = kept.restarts, kept.restarted
        _run(pod, shown)
    _end(pod, shown)
    return shown


def _initialize(pod: Object, shown: Summary, sidecars: set[Any]) -> Summary | None:
    """Look at the init containers; return the sidecars' restarts once they are done."""
    only_sidecars = Summary()
    count = len(dig(pod, "spec", "initContainers", default=()))
    waiting = False
    for at, status in enumerate(dig(pod, "status", "initContainerStatuses", default=())):
        is_sidecar = status.get("name") in sidecars
        shown.count(status)
        if is_sidecar:
            only_sidecars.count(status)
        ended = dig(status, "state", "terminated")
        if ended is not None and not ended.get("exitCode"):
            continue
        if is_sidecar and status.get("started"):
            shown.ready += bool(status.get("ready"))
            continue
        reason = dig(status, "state", "waiting", "reason", default="")
        if ended is not None:
            shown.status = f"Init:{_ending(ended)}"
        elif reason and reason != "PodInitializing":
            shown.status = f"Init:{reason}"
        else:
            shown.status = f"Init:{at}/{count}"
        waiting = True
        break
    initialized = _has_condition(pod, "Initialized")
    return only_sidecars if not waiting or initialized else None


def _run(pod: Object, shown: Summary) -> None:
    """Look at the containers themselves."""
    running, failed = False, ""
    for status in reversed(dig(pod, "status", "containerStatuses", default=())):
        shown.count(status)
        waiting = dig(status, "state", "waiting", "reason", default="")
        ended = dig(status, "state", "terminated")
        if waiting:
            shown.status = waiting
        elif ended is not None:
            shown.status = _ending(ended)
            if ended.get("exitCode"):
                failed = shown.status
        elif status.get("ready") and dig(status, "state", "running") is not None:
            running = True
            shown.ready += 1
    if shown.status == "Completed":
        if running and _has_condition(pod, "Ready"):
            shown.status = "Running"
        elif failed:
            shown.status = failed
        elif running:
            shown.status = "NotReady"


def _end(pod: Object, shown: Summary) -> None:
    """Say so when a pod is being deleted."""
    if dig(pod, "metadata", "deletionTimestamp") is None:
        return
    if dig(pod, "status", "reason") == "NodeLost":
        shown.status = "Unknown"
    elif dig(pod, "status", "phase") not in ("Succeeded", "Failed"):
        shown.status = "Terminating"


def _ending(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _has_condition(pod: Object, wanted: str) -> bool:
    for condition in dig(pod, "status", "conditions", default=()):
        if condition.get("type") == wanted:
            return bool(condition.get("status") == "True")
    return False


def _gates(pod: Object) -> str:
    gates = dig(pod, "spec", "readinessGates", default=())
    if not gates:
        return "<none>"
    return f"{sum(_has_condition(pod, gate['conditionType']) for gate in gates)}/{len(gates)}"


@layout(
    "Name",
    "Ready",
    "Status",
    "Restarts",
    "Age",
    "IP*",
    "Node*",
    "Nominated Node*",
    "Readiness Gates*",
)
def pods(pod: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a pod."""
    shown = summary(pod)
    restarts = str(shown.restarts)
    if shown.restarts and shown.restarted:
        restarts += f" ({ages.since(shown.restarted, now_ns)} ago)"
    ips = dig(pod, "status", "podIPs", default=())
    return (
        name(pod),
        f"{shown.ready}/{shown.total}",
        shown.status,
        restarts,
        ages.since(dig(pod, "metadata", "creationTimestamp"), now_ns),
        (ips[0].get("ip") if ips else "") or "<none>",
        dig(pod, "spec", "nodeName") or "<none>",
        dig(pod, "status", "nominatedNodeName") or "<none>",
        _gates(pod),
    )


TABLES = {"Pod": pods}
