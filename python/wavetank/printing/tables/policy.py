"""Tables of the groups ``policy``, ``scheduling.k8s.io``, ``node.k8s.io`` and RBAC."""

from __future__ import annotations

from wavetank.printing.layout import Object, layout
from wavetank.printing.objects import condition, dig, name, subjects
from wavetank.printing.tables.common import age
from wavetank.printing.tables.core import created_at, plain


@layout("Name", "Min Available", "Max Unavailable", "Allowed Disruptions", "Age")
def disruption_budgets(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a disruption budget."""
    return (
        name(item),
        dig(item, "spec", "minAvailable", default="N/A"),
        dig(item, "spec", "maxUnavailable", default="N/A"),
        dig(item, "status", "disruptionsAllowed", default=0),
        age(item, now_ns),
    )


@layout("Name", "Value", "Global-Default", "Age", "PreemptionPolicy")
def priority_classes(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a priority class."""
    return (
        name(item),
        item.get("value", 0),
        bool(item.get("globalDefault")),
        age(item, now_ns),
        item.get("preemptionPolicy") or "",
    )


@layout("Name", "Policy", "Workload", "Status", "Age")
def pod_groups(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a pod group."""
    scheduled, disrupted = condition(item, "PodGroupScheduled"), condition(item, "DisruptionTarget")
    status = "Pending"
    if scheduled:
        status = "Scheduled" if scheduled.get("status") == "True" else "Unschedulable"
    workload = dig(item, "spec", "podGroupTemplateRef", "workload", "workloadName")
    return (
        name(item),
        "Gang" if dig(item, "spec", "schedulingPolicy", "gang") is not None else "Basic",
        "<none>" if workload is None else workload,
        disrupted.get("reason", "") if disrupted else status,
        age(item, now_ns),
    )


@layout("Name", "Handler", "Age")
def runtime_classes(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a runtime class."""
    return name(item), item.get("handler", ""), age(item, now_ns)


@layout("Name", "Role", "Age", "Users*", "Groups*", "ServiceAccounts*")
def role_bindings(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a role binding."""
    role = dig(item, "roleRef", default={})
    title = f"{role.get('kind', '')}/{role.get('name', '')}"
    return name(item), title, age(item, now_ns), *map(", ".join, subjects(item))


POLICY = {"PodDisruptionBudget": disruption_budgets}
SCHEDULING = {"PodGroup": pod_groups, "PriorityClass": priority_classes, "Workload": plain}
NODE = {"RuntimeClass": runtime_classes}
RBAC = {
    "ClusterRole": created_at,
    "ClusterRoleBinding": role_bindings,
    "Role": created_at,
    "RoleBinding": role_bindings,
}
