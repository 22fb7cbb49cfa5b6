"""Explaining a pod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank import _core

from . import subject as subjects
from .change import Change, Patch, patched
from .explanation import Explanation
from .facts import Facts
from .groups import groups
from .search import changes
from .trials import Case
from .workload import with_workload

if TYPE_CHECKING:
    from pathlib import Path

    from wavetank.catalogue import Catalogue
    from wavetank.cluster import Cluster
    from wavetank.plan.rows import Rows

    from .change import Operation
    from .explanation import Group
    from .subject import Subject

_DEFAULT_SCHEDULER = "default-scheduler"


def explain(
    cluster: Cluster,
    pod: Any,
    *,
    namespace: str | None = None,
    catalogue: Catalogue | str | Path | None = None,
) -> Explanation:
    """Tell why a pod is where it is, or nowhere; see :meth:`wavetank.Cluster.explain`."""
    subject = subjects.find(cluster, pod, namespace)
    state = _state(subject)
    told: dict[str, Any] = {
        "pod": subject.pod["metadata"]["name"],
        "namespace": subject.pod["metadata"]["namespace"],
        "owner": subject.owner,
        "document": subject.pod,
        "notes": subject.notes,
    }
    told["pods"] = (told["pod"], *subject.others.values())
    if state in {"deleting", "ended"}:
        return Explanation(**told, state=state)
    case, state = _case(subject, state)
    told["state"] = state
    facts = case.facts
    if facts.tried["left_alone"]:
        return Explanation(**told)
    node = subject.pod["spec"].get("nodeName") or facts.tried["node"] or ""
    reasons = groups(case)
    found = _with_workload(case, subject, _changes(case, state, catalogue))
    if not node and not found and not facts.blocked:
        told["notes"] = [*subject.notes, _nothing_helps(reasons, len(facts.nodes))]
    return Explanation(
        **told,
        facts=facts,
        case=case,
        node=node,
        message=facts.tried["message"],
        evicts=() if state == "bound" else tuple(facts.tried["victims"]),
        blocked=dict(facts.blocked),
        groups=reasons,
        changes=found,
    )


def _nothing_helps(reasons: Rows[Group], nodes: int) -> str:
    """Return what to say when nothing that was tried lets the pod in."""
    words = "no single change and no two that were tried let it in"
    if not reasons:
        return words
    most = max(reasons, key=lambda group: group.nodes)
    return f"{words}; {most.plugin} refuses most nodes, {most.nodes:,} of {nodes:,}"


def _state(subject: Subject) -> str:
    """Return how a pod stands, as far as its object tells."""
    metadata, status = subject.pod["metadata"], subject.pod.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return "deleting"
    if status.get("phase") in {"Succeeded", "Failed"}:
        return "ended"
    if subject.pod["spec"].get("nodeName"):
        return "bound"
    if subject.pod["spec"].get("schedulingGates"):
        return "gated"
    if not subject.exists:
        return "new"
    nominated = status.get("nominatedNodeName")
    if nominated:
        subject.notes.append(f"{nominated} is promised to it once the pods it preempts are gone")
    said, attempts, since = subject.cluster.world.waiting(subject.key)
    if said == "backoff":
        at = _core.format_time(since)
        subject.notes.append(f"it is backing off after {attempts:,} attempts, the last at {at}")
    return "pending"


def _case(subject: Subject, state: str) -> tuple[Case, str]:
    """Return the pod as it would be scheduled, and how it stands."""
    held: list[Operation] = []
    if state == "gated":
        held = [{"op": "remove", "path": "/spec/schedulingGates"}]
    case = _judged(subject, held)
    if case.facts.tried["left_alone"] and state != "gated":
        # Nobody schedules it: what if the default scheduler did?
        held = [{"op": "replace", "path": "/spec/schedulerName", "value": _DEFAULT_SCHEDULER}]
        other = _judged(subject, held)
        return (case if other.facts.tried["left_alone"] else other), "not ours"
    return case, state


def _judged(subject: Subject, held: list[Operation]) -> Case:
    form = patched(subject.pod, held)
    world = subject.cluster.world
    facts = Facts(world.explain(subject.key, form if held else None))
    return Case(subject.cluster, subject.key, form, facts, held, list(subject.others))


def _changes(case: Case, state: str, catalogue: Catalogue | str | Path | None) -> list[Change]:
    """Return what would let the pod in; nothing for one that goes in as it is."""
    tried = case.facts.tried
    first = _released(case, state)
    goes_in = tried["node"] is not None and not tried["victims"]
    if state == "bound" or case.facts.blocked:
        return []
    if goes_in:
        confirmed = case.confirm(first) if first is not None else None
        return [confirmed] if confirmed is not None else []
    found = changes(case, catalogue)
    return found if first is None else [first.together(change) for change in found]


def _with_workload(case: Case, subject: Subject, found: list[Change]) -> list[Change]:
    if not subject.exists or not subject.owner:
        return found
    return [with_workload(case, change, subject.owner) for change in found]


def _released(case: Case, state: str) -> Change | None:
    """Return the change that takes off what holds the pod back."""
    if not case.held:
        return None
    if state == "gated":
        patch = Patch(case.target, case.namespace, case.held)
        return Change(
            "gate",
            "take off its scheduling gates",
            case.target,
            "spec.schedulingGates",
            patches=(patch,),
        )
    patch = Patch(case.target, case.namespace, case.held, anew=True)
    return Change(
        "scheduler",
        f"name the scheduler {_DEFAULT_SCHEDULER}",
        case.target,
        "spec.schedulerName",
        new=_DEFAULT_SCHEDULER,
        patches=(patch,),
    )
