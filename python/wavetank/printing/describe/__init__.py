"""``kubectl describe``: pages about single objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import config, generic, nodes, pods, policy, services, storage, workloads
from .page import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from wavetank.cluster import Cluster
    from wavetank.kinds import Kind
    from wavetank.printing.objects import Object

    Describer = Callable[[Page, Cluster, Object], None]

#: By resource with its group, the version the describer reads, and the describer.
_DESCRIBERS: dict[str, tuple[str, Describer]] = {
    "pods": ("v1", pods.pod),
    "replicationcontrollers": ("v1", workloads.replication_controller),
    "secrets": ("v1", config.secret),
    "services": ("v1", services.service),
    "serviceaccounts": ("v1", config.service_account),
    "nodes": ("v1", nodes.node),
    "limitranges": ("v1", config.limit_range),
    "resourcequotas": ("v1", config.resource_quota),
    "persistentvolumes": ("v1", storage.persistent_volume),
    "persistentvolumeclaims": ("v1", storage.persistent_volume_claim),
    "namespaces": ("v1", config.namespace),
    "endpoints": ("v1", services.endpoints),
    "configmaps": ("v1", config.config_map),
    "endpointslices.discovery.k8s.io": ("v1", services.endpoint_slice),
    "horizontalpodautoscalers.autoscaling": ("v2", policy.autoscaler),
    "ingresses.networking.k8s.io": ("v1", services.ingress),
    "ingressclasses.networking.k8s.io": ("v1", services.ingress_class),
    "servicecidrs.networking.k8s.io": ("v1", services.service_cidr),
    "ipaddresses.networking.k8s.io": ("v1", services.ip_address),
    "networkpolicies.networking.k8s.io": ("v1", services.network_policy),
    "jobs.batch": ("v1", workloads.job),
    "cronjobs.batch": ("v1", workloads.cron_job),
    "statefulsets.apps": ("v1", workloads.stateful_set),
    "deployments.apps": ("v1", workloads.deployment),
    "daemonsets.apps": ("v1", workloads.daemon_set),
    "replicasets.apps": ("v1", workloads.replica_set),
    "storageclasses.storage.k8s.io": ("v1", storage.storage_class_page),
    "csinodes.storage.k8s.io": ("v1", storage.csi_node),
    "volumeattributesclasses.storage.k8s.io": ("v1", storage.volume_attributes_class),
    "poddisruptionbudgets.policy": ("v1", policy.disruption_budget),
    "roles.rbac.authorization.k8s.io": ("v1", policy.role),
    "clusterroles.rbac.authorization.k8s.io": ("v1", policy.role),
    "rolebindings.rbac.authorization.k8s.io": ("v1", policy.role_binding),
    "clusterrolebindings.rbac.authorization.k8s.io": ("v1", policy.role_binding),
    "priorityclasses.scheduling.k8s.io": ("v1", config.priority_class),
}


def describe(cluster: Cluster, kind: Kind, item: Object) -> str:
    """Return the page about an object, as ``kubectl describe`` prints it."""
    version, describer = _DESCRIBERS.get(kind.resource, ("", generic.generic))
    own = str(item["apiVersion"]).rpartition("/")[2]
    if version and own != version and version in kind.versions:
        item = cluster.world.in_version(kind.id, version, [item])[0]
    page = Page(cluster.now_ns)
    describer(page, cluster, item)
    return str(page)
