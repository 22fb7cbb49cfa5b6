"""The table of every kind, one module per API group or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import apps, autoscaling, batch, core, networking, others, pods, policy, storage
from .custom import custom_layout

if TYPE_CHECKING:
    from wavetank.kinds import Kind
    from wavetank.printing.layout import Layout

_GROUPS: dict[str, dict[str, Layout]] = {
    "": {**core.TABLES, **pods.TABLES, **storage.CORE},
    "admissionregistration.k8s.io": others.ADMISSION,
    "apiextensions.k8s.io": others.EXTENSIONS,
    "apiregistration.k8s.io": others.REGISTRATION,
    "apps": apps.TABLES,
    "autoscaling": autoscaling.TABLES,
    "batch": batch.TABLES,
    "certificates.k8s.io": others.CERTIFICATES,
    "coordination.k8s.io": others.COORDINATION,
    "discovery.k8s.io": networking.DISCOVERY,
    "events.k8s.io": {"Event": core.TABLES["Event"]},
    "flowcontrol.apiserver.k8s.io": others.FLOWS,
    "internal.apiserver.k8s.io": others.STORAGE_VERSIONS,
    "networking.k8s.io": networking.NETWORKING,
    "node.k8s.io": policy.NODE,
    "policy": policy.POLICY,
    "rbac.authorization.k8s.io": policy.RBAC,
    "resource.k8s.io": others.DEVICES,
    "scheduling.k8s.io": policy.SCHEDULING,
    "storage.k8s.io": storage.STORAGE,
    "storagemigration.k8s.io": others.MIGRATIONS,
}


def layout_of(kind: Kind) -> Layout:
    """Return the table of a kind; name and time of creation where it has none of its own."""
    if kind.custom:
        return custom_layout(kind)
    return _GROUPS.get(kind.group, {}).get(kind.kind, core.created_at)
