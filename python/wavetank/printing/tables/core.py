"""Tables of the core group, but for pods and storage."""

from __future__ import annotations

from wavetank.printing.ages import since
from wavetank.printing.layout import Object, layout
from wavetank.printing.objects import condition, dig, labels, name, quantity
from wavetank.printing.tables.common import age, containers, images
from wavetank.printing.text import at_most, joined

_ROLE_PREFIX = "node-role.kubernetes.io/"


@layout("Name", "Status", "Age")
def namespaces(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a namespace."""
    return name(item), dig(item, "status", "phase", default=""), age(item, now_ns)


@layout(
    "Name",
    "Status",
    "Roles",
    "Age",
    "Version",
    "Internal-IP*",
    "External-IP*",
    "OS-Image*",
    "Kernel-Version*",
    "Container-Runtime*",
)
def nodes(node: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a node."""
    info = dig(node, "status", "nodeInfo", default={})
    kernel = info.get("kernelVersion") or "<unknown>"
    if info.get("architecture"):
        kernel += f" ({info['architecture']})"
    return (
        name(node),
        node_status(node),
        joined(node_roles(node)),
        age(node, now_ns),
        info.get("kubeletVersion", ""),
        _address(node, "InternalIP"),
        _address(node, "ExternalIP"),
        info.get("osImage") or "<unknown>",
        kernel,
        info.get("containerRuntimeVersion") or "<unknown>",
    )


def node_status(node: Object) -> str:
    """Return ``Ready``, ``NotReady`` or ``Unknown``, and whether the node is cordoned."""
    ready = condition(node, "Ready")
    words = {"True": "Ready"}
    status = words.get(ready.get("status", ""), "NotReady") if ready else "Unknown"
    return status + (",SchedulingDisabled" if dig(node, "spec", "unschedulable") else "")


def node_roles(node: Object) -> list[str]:
    """Return the roles of a node, which are labels."""
    roles = set()
    for key, value in dig(node, "metadata", "labels", default={}).items():
        if key.startswith(_ROLE_PREFIX):
            roles.add(key[len(_ROLE_PREFIX) :])
        elif key == "kubernetes.io/role":
            roles.add(value)
    return sorted(roles - {""})


def _address(node: Object, kind: str) -> str:
    for address in dig(node, "status", "addresses", default=()):
        if address.get("type") == kind:
            return str(address.get("address"))
    return "<none>"


@layout("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector*")
def services(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a service."""
    spec = dig(item, "spec", default={})
    addresses = spec.get("clusterIPs") or ["<none>"]
    return (
        name(item),
        spec.get("type", ""),
        addresses[0],
        external_ip(item),
        joined(map(_port, spec.get("ports") or ())),
        age(item, now_ns),
        labels(spec.get("selector")),
    )


def _port(port: Object) -> str:
    published = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port')}{published}/{port.get('protocol', 'TCP')}"


def external_ip(service: Object) -> str:
    """Return what stands for a service outside the cluster."""
    spec = dig(service, "spec", default={})
    kind, addresses = spec.get("type"), list(spec.get("externalIPs") or ())
    if kind == "ExternalName":
        return str(spec.get("externalName", ""))
    if kind == "LoadBalancer":
        return joined([*filter(None, [balancer_addresses(service)]), *addresses], ",", "<pending>")
    return joined(addresses) if kind in ("ClusterIP", "NodePort") else "<unknown>"


def balancer_addresses(item: Object) -> str:
    """Return the addresses of a load balancer."""
    ingress = dig(item, "status", "loadBalancer", "ingress", default=())
    return ",".join(
        sorted({point.get("ip") or point.get("hostname") or "" for point in ingress} - {""})
    )


@layout("Name", "Endpoints", "Age")
def endpoints(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of Endpoints."""
    return name(item), addresses_of(item.get("subsets") or ()), age(item, now_ns)


def addresses_of(subsets: object) -> str:
    """Return addresses with their ports, three at most."""
    found: list[str] = []
    for subset in subsets:  # type: ignore[attr-defined]
        ips = [str(address.get("ip")) for address in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        found += (
            ips if not ports else [_host_port(ip, port["port"]) for port in ports for ip in ips]
        )
    return at_most(found, 3) if subsets else "<none>"


def _host_port(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


@layout("Name", "Data", "Age")
def config_maps(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a config map."""
    entries = len(item.get("data") or ()) + len(item.get("binaryData") or ())
    return name(item), entries, age(item, now_ns)


@layout("Name", "Type", "Data", "Age")
def secrets(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a secret."""
    return name(item), item.get("type", ""), len(item.get("data") or ()), age(item, now_ns)


@layout("Name", "Created At")
def created_at(item: Object, _: int) -> tuple[object, ...]:
    """Return name and time of creation: the cells of a kind without a printer of its own."""
    return name(item), dig(item, "metadata", "creationTimestamp", default="")


@layout("Name", "Age")
def plain(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return name and age: the cells of a kind that has no others."""
    return name(item), age(item, now_ns)


@layout(
    "Last Seen",
    "Type",
    "Reason",
    "Object",
    "Subobject*",
    "Source*",
    "Message",
    "First Seen*",
    "Count*",
    "Name*",
    named=9,
)
def events(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of an event."""
    first = since(item.get("firstTimestamp") or item.get("eventTime"), now_ns)
    last = since(item["lastTimestamp"], now_ns) if item.get("lastTimestamp") else first
    count = item.get("count") or 1
    if item.get("series"):
        last = since(item["series"].get("lastObservedTime"), now_ns)
        count = item["series"].get("count", 0)
    about = dig(item, "involvedObject", default={})
    target = str(about.get("kind", "")).lower()
    return (
        last,
        item.get("type", ""),
        item.get("reason", ""),
        f"{target}/{about['name']}" if about.get("name") else target,
        about.get("fieldPath", ""),
        event_source(item),
        str(item.get("message", "")).strip(),
        first,
        count,
        name(item),
    )


def event_source(item: Object) -> str:
    """Return who reported an event, and from where."""
    component = dig(item, "source", "component") or item.get("reportingComponent") or ""
    host = dig(item, "source", "host") or item.get("reportingInstance") or ""
    return f"{component}, {host}" if host else str(component)


@layout("Name", "Desired", "Current", "Ready", "Age", "Containers*", "Images*", "Selector*")
def replication_controllers(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a replication controller."""
    return (
        name(item),
        dig(item, "spec", "replicas", default=0),
        dig(item, "status", "replicas", default=0),
        dig(item, "status", "readyReplicas", default=0),
        age(item, now_ns),
        containers(item, "spec", "template"),
        images(item, "spec", "template"),
        labels(dig(item, "spec", "selector")),
    )


@layout("Name", "Containers", "Images", "Pod Labels")
def pod_templates(item: Object, _: int) -> tuple[object, ...]:
    """Return the cells of a pod template."""
    return (
        name(item),
        containers(item, "template"),
        images(item, "template"),
        labels(dig(item, "template", "metadata", "labels")),
    )


@layout("Name", "Request", "Limit", "Age")
def quotas(item: Object, now_ns: int) -> tuple[object, ...]:
    """Return the cells of a resource quota."""
    hard = dig(item, "status", "hard", default={})
    used = dig(item, "status", "used", default={})
    texts = {
        resource: f"{resource}: {quantity(used.get(resource))}/{quantity(hard[resource])}"
        for resource in sorted(hard)
    }
    is_limit = {resource: resource.startswith("limits.") for resource in texts}
    requests = ", ".join(text for resource, text in texts.items() if not is_limit[resource])
    limits = ", ".join(text for resource, text in texts.items() if is_limit[resource])
    return name(item), requests, limits, age(item, now_ns)


@layout("Name", "Status", "Message", "Error")
def component_statuses(item: Object, _: int) -> tuple[object, ...]:
    """Return the cells of a component's status."""
    for found in item.get("conditions") or ():
        if found.get("type") == "Healthy":
            status = "Healthy" if found.get("status") == "True" else "Unhealthy"
            return name(item), status, found.get("message", ""), found.get("error", "")
    return name(item), "Unknown", "", ""


TABLES = {
    "ComponentStatus": component_statuses,
    "ConfigMap": config_maps,
    "Endpoints": endpoints,
    "Event": events,
    "LimitRange": created_at,
    "Namespace": namespaces,
    "Node": nodes,
    "PodTemplate": pod_templates,
    "ReplicationController": replication_controllers,
    "ResourceQuota": quotas,
    "Secret": secrets,
    "Service": services,
    "ServiceAccount": plain,
}
