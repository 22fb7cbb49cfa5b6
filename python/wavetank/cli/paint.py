"""Colours of tables on a terminal: headings bold, states by what they mean."""

from __future__ import annotations

import re

import typer

_GOOD = frozenset(["Active", "Available", "Bound", "Complete", "Completed", "Ready", "Running"])
_DOUBTFUL = frozenset(
    [
        "ContainerCreating",
        "NotReady",
        "Pending",
        "PodInitializing",
        "Progressing",
        "Released",
        "SchedulingGated",
        "Suspended",
        "Terminating",
        "Unknown",
    ]
)
_BAD = re.compile(r".*(Error|Err|BackOff|OOMKilled|Evicted|Failed|Lost|Preempt|OutOf|Invalid).*")


def paint(text: str) -> str:
    """Return tables with colours; ``text`` as :mod:`wavetank.printing` lays it out."""
    painted = []
    at: slice | None = None
    heading = True
    for line in text.split("\n"):
        if heading and line:
            at = _status_column(line)
            painted.append(typer.style(line, bold=True))
        else:
            painted.append(line if at is None or not line else _with_state(line, at))
        heading = not line
    return "\n".join(painted)


def _status_column(heading: str) -> slice | None:
    found = re.search(r"\bSTATUS\b *", heading)
    if found is None:
        return None
    return slice(found.start(), found.end() if found.end() < len(heading) else None)


def _with_state(line: str, at: slice) -> str:
    state = line[at]
    colour = _colour(state.strip())
    if colour is None:
        return line
    return line[: at.start] + typer.style(state, fg=colour) + (line[at.stop :] if at.stop else "")


def _colour(state: str) -> str | None:
    words = set(state.split(","))
    if words & _DOUBTFUL or "SchedulingDisabled" in words or state.startswith("Init:"):
        return "yellow"
    if _BAD.fullmatch(state):
        return "red"
    return "green" if words & _GOOD else None
