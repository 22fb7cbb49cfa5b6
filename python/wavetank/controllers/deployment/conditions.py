"""Conditions of a Deployment's status, kept as Kubernetes keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wavetank.controllers.base import Context, Object


def get_condition(status: Object, kind: str) -> Object | None:
    """Return the condition of this type, if there is one."""
    conditions = status.get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == kind), None)


def new_condition(context: Context, kind: str, status: str, reason: str, message: str) -> Object:
    """Return a condition that starts now."""
    now = context.timestamp
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def set_condition(status: Object, condition: Object) -> None:
    """Add or replace a condition; one of the same status and reason stays as it is."""
    current = get_condition(status, condition["type"])
    if current is not None:
        if current["status"] == condition["status"] and current["reason"] == condition["reason"]:
            return
        if current["status"] == condition["status"]:
            condition = {**condition, "lastTransitionTime": current["lastTransitionTime"]}
    remove_condition(status, condition["type"])
    status.setdefault("conditions", []).append(condition)


def remove_condition(status: Object, kind: str) -> None:
    """Remove the condition of this type."""
    conditions = status.get("conditions")
    if conditions:
        status["conditions"] = [entry for entry in conditions if entry["type"] != kind]
        if not status["conditions"]:
            del status["conditions"]
