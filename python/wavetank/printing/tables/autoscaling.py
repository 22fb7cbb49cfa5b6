"""The table of horizontal pod autoscalers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.printing.layout import Object, layout
from wavetank.printing.objects import dig, name, quantity
from wavetank.printing.tables.common import age
from wavetank.printing.text import at_most

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN = "<unknown>"


@layout("Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age")
def autoscalers(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of an autoscaler."""
    target = dig(item, "spec", "scaleTargetRef", default={})
    return (
        name(item),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        targets(item),
        dig(item, "spec", "minReplicas", default="<unset>"),
        dig(item, "spec", "maxReplicas", default=0),
        dig(item, "status", "currentReplicas", default=0),
        age(item, now_ns),
    )


def targets(item: Object) -> str:
    """Return what each metric stands at and what it should be, two at most."""
    metrics = dig(item, "spec", "metrics", default=())
    current = dig(item, "status", "currentMetrics", default=())
    if not metrics:
        return "<none>"
    texts = [
        _metric(metric, current[at] if at < len(current) else {})
        for at, metric in enumerate(metrics)
    ]
    return at_most(texts, 2, ", ")


def _metric(metric: Object, status: Object) -> str:
    kind = str(metric.get("type", ""))
    printer = _METRICS.get(kind)
    if printer is None:
        return "<unknown type>"
    field = kind[:1].lower() + kind[1:]
    return printer(dig(metric, field, default={}), dig(status, field, "current"))


def _value(metric: Object, current: Any) -> str:
    """Return a metric of something outside: per pod where an average is wanted."""
    target = dig(metric, "target", default={})
    if target.get("averageValue") is not None:
        average = dig(current, "averageValue")
        return f"{quantity(average, UNKNOWN)}/{quantity(target['averageValue'])} (avg)"
    value = UNKNOWN if current is None else quantity(dig(current, "value"))
    return f"{value}/{quantity(target.get('value'))}"


def _per_pod(metric: Object, current: Any) -> str:
    average = UNKNOWN if current is None else quantity(dig(current, "averageValue"))
    return f"{average}/{quantity(dig(metric, 'target', 'averageValue'))}"


def _resource(metric: Object, current: Any) -> str:
    target = dig(metric, "target", default={})
    if target.get("averageValue") is not None:
        return f"{metric.get('name')}: {_per_pod(metric, current)}"
    used, wanted = dig(current, "averageUtilization"), target.get("averageUtilization")
    shown = UNKNOWN if used is None else f"{used}%"
    return f"{metric.get('name')}: {shown}/{'<auto>' if wanted is None else f'{wanted}%'}"


_METRICS: dict[str, Callable[[Object, Any], str]] = {
    "ContainerResource": _resource,
    "External": _value,
    "Object": _value,
    "Pods": _per_pod,
    "Resource": _resource,
}

TABLES = {"HorizontalPodAutoscaler": autoscalers}
