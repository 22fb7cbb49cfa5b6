"""Configuration: config maps, secrets, service accounts, namespaces, quotas and limits."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from wavetank import _core
from wavetank.printing.objects import Object, dig, labels, name, quantity

from . import common

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wavetank.cluster import Cluster

    from .page import Page

#: kubectl's explanations of what a quota is about.
_SCOPES = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited "
    "lifespan on a node before being actively terminated by the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually "
    "include long running pods whose container command is not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. These pods have a "
    "best effort quality of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. These "
    "pods have a burstable or guaranteed quality of service.",
}
_LIMITS = ("Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")
_LIMIT_FIELDS = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")


def config_map(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a config map."""
    common.head(page, item)
    page.row("\nData\n====")
    for key, value in sorted((item.get("data") or {}).items()):
        page.row(f"{key}:\n----\n{value}\n")
    page.row("\nBinaryData\n====")
    for key, value in sorted((item.get("binaryData") or {}).items()):
        page.row(f"{key}: {_size(value)} bytes")
    page.row()
    common.events(page, cluster, item)


def secret(page: Page, _: Cluster, item: Object) -> None:
    """Describe a secret, values left out."""
    common.head(page, item)
    page.row("\nType:", item.get("type", ""))
    page.row("\nData\n====")
    is_token = item.get("type") == "kubernetes.io/service-account-token"
    for key, value in sorted((item.get("data") or {}).items()):
        shown = f"{_size(value)} bytes"
        if is_token and key == "token":
            shown = base64.b64decode(value or "").decode(errors="replace")
        page.row(f"{key}:", shown)


def _size(data: str | None) -> int:
    return len(base64.b64decode(data or ""))


def service_account(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a service account."""
    common.head(page, item)
    title = "Image pull secrets"
    names = [one.get("name", "") for one in item.get("imagePullSecrets") or ()]
    page.listed(title, names, " " * (len(title) + 1))
    common.events(page, cluster, item)


def namespace(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a namespace, with its quotas and limits."""
    common.head(page, item, namespaced=False)
    page.row("Status:", dig(item, "status", "phase", default=""))
    common.conditions(page, item, "lastTransitionTime", "reason", "message")
    page.row()
    _quotas(page, cluster.get("resourcequotas", namespace=name(item)))
    page.row()
    _limit_ranges(page, cluster.get("limitranges", namespace=name(item)))


def _quotas(page: Page, quotas: Sequence[Object]) -> None:
    if not quotas:
        page.row("No resource quota.")
        return
    page.row("Resource Quotas")
    for quota in quotas:
        page.row("Name:", name(quota), level=1)
        _scopes(page, quota, "* ", level=1)
        page.row("Resource", "Used", "Hard", level=1)
        page.row("--------", "---", "---", level=1)
        hard, used = (dig(quota, "status", field, default={}) for field in ("hard", "used"))
        for resource in sorted(hard):
            page.row(resource, quantity(used.get(resource)), quantity(hard[resource]), level=1)


def _scopes(page: Page, quota: Object, bullet: str, level: int) -> None:
    scopes = sorted(dig(quota, "spec", "scopes", default=()))
    if scopes:
        page.row("Scopes:", ", ".join(scopes), level=level)
    for scope in scopes:
        if scope in _SCOPES:
            page.row(f"{bullet}{_SCOPES[scope]}", level=level)


def _limit_ranges(page: Page, ranges: Sequence[Object]) -> None:
    if not ranges:
        page.row("No LimitRange resource.")
        return
    page.row("Resource Limits")
    page.row(" Type", "Resource", *_LIMITS)
    page.row(" ----", "--------", "---", "---", *("-" * len(title) for title in _LIMITS[2:]))
    for one in ranges:
        _limits(page, one, " ")


def _limits(page: Page, item: Object, indent: str = "") -> None:
    for limit in dig(item, "spec", "limits", default=()):
        columns = [limit.get(field) or {} for field in _LIMIT_FIELDS]
        # kubectl leaves the order of resources to chance.
        for resource in sorted({key for column in columns for key in column}):
            cells = (quantity(column.get(resource), "-") for column in columns)
            page.row(f"{indent}{limit.get('type', '')}", resource, *cells)


def limit_range(page: Page, _: Cluster, item: Object) -> None:
    """Describe a limit range."""
    page.row("Name:", name(item))
    page.row("Namespace:", dig(item, "metadata", "namespace", default=""))
    page.row("Type", "Resource", *_LIMITS)
    page.row("----", "--------", "---", "---", *("-" * len(title) for title in _LIMITS[2:]))
    _limits(page, item)


def resource_quota(page: Page, _: Cluster, item: Object) -> None:
    """Describe a resource quota."""
    page.row("Name:", name(item))
    page.row("Namespace:", dig(item, "metadata", "namespace", default=""))
    _scopes(page, item, " * ", level=0)
    page.row("Resource", "Used", "Hard")
    page.row("--------", "----", "----")
    hard, used = (dig(item, "status", field, default={}) for field in ("hard", "used"))
    for resource in sorted(hard):
        page.row(
            resource, _in_format_of(used.get(resource), hard[resource]), quantity(hard[resource])
        )


def _in_format_of(value: str | None, other: str) -> str:
    """Return a quantity in the format of another, as far as it is whole."""
    is_binary = quantity(other).endswith("i")
    if value is None or is_binary == quantity(value).endswith("i"):
        return quantity(value)
    whole = _core.quantity_value(value)
    if not is_binary:
        return quantity(whole)
    return quantity(f"{whole // 1024}Ki") if whole % 1024 == 0 and whole else quantity(whole)


def priority_class(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe a priority class."""
    page.row("Name:", name(item))
    page.row("Value:", item.get("value", 0))
    page.row("GlobalDefault:", common.go(bool(item.get("globalDefault"))))
    page.row("PreemptionPolicy:", item.get("preemptionPolicy", ""))
    page.row("Description:", item.get("description", ""))
    page.row("Annotations:", labels(dig(item, "metadata", "annotations")))
    common.events(page, cluster, item)
