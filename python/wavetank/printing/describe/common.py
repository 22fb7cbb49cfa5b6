"""What the descriptions of many kinds share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.printing.ages import human, rfc1123, since
from wavetank.printing.objects import Object, controller, dig

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wavetank.cluster import Cluster

    from .page import Page


def go(value: Any) -> str:
    """Return a value as Go's ``%v`` prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{' '.join(go(item) for item in value)}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go(value[key])}' for key in sorted(value))}]"
    return str(value)


def head(page: Page, item: Object, *, namespaced: bool = True) -> None:
    """Begin a page with name, namespace, labels and annotations."""
    metadata = dig(item, "metadata", default={})
    page.row("Name:", metadata.get("name", ""))
    if namespaced:
        page.row("Namespace:", metadata.get("namespace", ""))
    page.labels("Labels", metadata.get("labels"))
    page.annotations(metadata.get("annotations"))


def created(page: Page, item: Object) -> None:
    """Say when an object was created."""
    page.row("CreationTimestamp:", rfc1123(dig(item, "metadata", "creationTimestamp")))


def controlled_by(page: Page, item: Object) -> None:
    """Say which object controls this one, if any does."""
    owner = controller(item)
    if owner is not None:
        page.row("Controlled By:", f"{owner.get('kind')}/{owner.get('name')}")


def conditions(page: Page, item: Object, *fields: str) -> None:
    """Print the conditions of a status: type, status and some more fields."""
    found = dig(item, "status", "conditions", default=())
    if not found:
        return
    page.row("Conditions:")
    page.row("Type", "Status", *(_title(field) for field in fields), level=1)
    dashes = {"lastProbeTime": 17, "lastHeartbeatTime": 17}
    page.row(
        "----",
        "------",
        *("-" * dashes.get(field, len(field)) for field in fields),
        level=1,
    )
    for condition in found:
        cells = [condition.get("type"), condition.get("status")]
        page.row(*cells, *(_field(condition, field) for field in fields), level=1)


def _title(field: str) -> str:
    return field[:1].upper() + field[1:]


def _field(condition: Object, field: str) -> str:
    if field.endswith("Time"):
        return rfc1123(condition.get(field))
    return str(condition.get(field) or "")


def tolerations(items: Sequence[Object] | None) -> list[str]:
    """Return tolerations, sorted by key, one text each."""
    return [_toleration(item) for item in sorted(items or (), key=lambda item: item.get("key", ""))]


def _toleration(item: Object) -> str:
    text = str(item.get("key", ""))
    if item.get("value"):
        text += f"={item['value']}"
    if item.get("effect"):
        text += f":{item['effect']}"
    if item.get("operator") == "Exists" and not item.get("value"):
        text += " op=Exists" if text else "op=Exists"
    if item.get("tolerationSeconds") is not None:
        text += f" for {item['tolerationSeconds']}s"
    return text


def spread_constraints(page: Page, items: Sequence[Object] | None, indent: str = "") -> None:
    """Print topology spread constraints, sorted by key."""
    from wavetank.printing.objects import selector  # noqa: PLC0415 - for this one

    texts = []
    for item in sorted(items or (), key=lambda item: item.get("topologyKey", "")):
        text = f"{item.get('topologyKey')}:{item.get('whenUnsatisfiable')}"
        text += f" when max skew {item.get('maxSkew', 0)} is exceeded"
        if item.get("labelSelector") is not None:
            text += f" for selector {selector(item['labelSelector'])}"
        texts.append(text)
    if texts:
        page.listed(f"{indent}Topology Spread Constraints", texts, indent)


def events(page: Page, cluster: Cluster, item: Object, *, any_kind: bool = False) -> None:
    """Print the events about an object."""
    metadata = dig(item, "metadata", default={})
    fields = {
        "involvedObject.name": metadata.get("name", ""),
        "involvedObject.namespace": metadata.get("namespace", ""),
        "involvedObject.kind": "" if any_kind else item.get("kind", ""),
        "involvedObject.uid": metadata.get("uid", ""),
    }
    print_events(page, find_events(cluster, metadata.get("namespace"), fields))


def find_events(cluster: Cluster, namespace: str | None, fields: dict[str, str]) -> list[Any]:
    """Return the events that match some fields; empty ones are not asked for."""
    wanted = ",".join(
        f"{field}={value}"
        for field, value in fields.items()
        if value or field == "involvedObject.namespace"
    )
    return list(cluster.get("events", namespace=namespace, field_selector=wanted))


def print_events(page: Page, found: Iterable[Object]) -> None:
    """Print events in the order they were last seen."""
    listed = sorted(found, key=lambda event: event.get("lastTimestamp") or "")
    if not listed:
        page.row("Events:", "<none>")
        return
    page.row("Events:")
    page.row("Type", "Reason", "Age", "From", "Message", level=1)
    page.row("----", "------", "----", "----", "-------", level=1)
    for event in listed:
        message = str(event.get("message", "")).strip()
        part = dig(event, "involvedObject", "fieldPath")
        page.row(
            event.get("type", ""),
            event.get("reason", ""),
            _interval(event, page.now_ns),
            dig(event, "source", "component") or event.get("reportingComponent", ""),
            f"{part}: {message}" if part else message,
            level=1,
        )


def _interval(event: Object, now_ns: int) -> str:
    first = since(event.get("eventTime") or event.get("firstTimestamp"), now_ns)
    if event.get("series"):
        last = since(event["series"].get("lastObservedTime"), now_ns)
        return f"{last} (x{event['series'].get('count', 0)} over {first})"
    if (event.get("count") or 0) > 1:
        return f"{since(event.get('lastTimestamp'), now_ns)} (x{event['count']} over {first})"
    return first


def yes_no(value: Any) -> str:
    """Return a truth value as ``True`` or ``False``, or ``<unset>``."""
    return "<unset>" if value is None else str(bool(value))


def or_unset(value: Any, unit: str = "") -> str:
    """Return a value with its unit, or ``<unset>``."""
    return "<unset>" if value is None else f"{value}{unit}"


__all__ = [
    "conditions",
    "controlled_by",
    "created",
    "events",
    "find_events",
    "go",
    "head",
    "human",
    "or_unset",
    "print_events",
    "spread_constraints",
    "tolerations",
    "yes_no",
]
