"""Why not, in few words and exact figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.amounts import cpu, size

if TYPE_CHECKING:
    from .facts import Facts, No
    from .trials import Case

#: The field of hard affinity rules.
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_UNITS = (("Ti", 2**40), ("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10))


def exact(resource: str, count: int) -> str:
    """Return an amount as a manifest has it, nothing rounded.

    >>> exact("cpu", 1300), exact("memory", 3 * 2**30), exact("memory", 2**30 + 1), exact("pods", 2)
    ('1300m', '3Gi', '1073741825', '2')
    """
    if resource == "cpu":
        return cpu(count)
    if is_bytes(resource):
        for unit, power in _UNITS:
            if count and count % power == 0:
                return f"{count // power}{unit}"
    return str(count)


def about(resource: str, count: int) -> str:
    """Return an amount to be read: bytes to three figures, all else exactly."""
    return size(count) if is_bytes(resource) else exact(resource, count)


def is_bytes(resource: str) -> bool:
    """Whether a resource is counted in bytes."""
    return resource in {"memory", "ephemeral-storage"} or resource.startswith("hugepages-")


def taint(parts: tuple[str, str, str]) -> str:
    """Return a taint as kubectl has it: ``gpu=true:NoSchedule``."""
    key, value, effect = parts
    return f"{key}={value}:{effect}" if value else f"{key}:{effect}"


def lack(facts: Facts, at: int, resource: str) -> str:
    """Return what a node is short of: ``asks 2 cpu, 1300m free: 700m too little``."""
    supply = facts.supplies[resource]
    free = int(supply.free[at])
    if resource == "pods":
        return f"all {int(supply.allocatable[at]):,} places for pods are taken"
    # Figures that only differ when nothing is rounded are not rounded.
    same = about(resource, supply.asked) == about(resource, free)
    figure = exact if same else about
    asks = f"asks {figure(resource, supply.asked)} {resource}"
    if not supply.allocatable[at]:
        return f"{asks}, has none"
    short_by = figure(resource, supply.asked - max(free, 0))
    of = figure(resource, int(supply.allocatable[at]))
    return f"{asks}, {figure(resource, max(free, 0))} of {of} free: {short_by} too little"


def selector(given: Any) -> str:
    """Return a label selector on one line: ``app=web,tier in (a,b)``."""
    given = given or {}
    parts = [f"{key}={value}" for key, value in (given.get("matchLabels") or {}).items()]
    return ",".join([*parts, *(expression(one) for one in given.get("matchExpressions") or [])])


def expression(one: dict[str, Any]) -> str:
    """Return one condition on a label: ``disk in (ssd)``."""
    key, values = str(one["key"]), ",".join(one.get("values") or [])
    words = {
        "In": f"{key} in ({values})",
        "NotIn": f"{key} notin ({values})",
        "Exists": key,
        "DoesNotExist": f"!{key}",
        "Gt": f"{key}>{values}",
        "Lt": f"{key}<{values}",
    }
    return words.get(str(one["operator"]), key)


def why(asked: Case, at: int, no: No) -> list[str]:
    """Return why a plugin refuses the node at a place, one line per reason."""
    lines: list[str] = []
    match no.plugin:
        case "NodeResourcesFit":
            lines = [lack(asked.facts, at, name) for name in no.resources]
        case "TaintToleration":
            lines = [f"taint {taint(one)}" for one in no.taints]
        case "NodeAffinity":
            lines = [f"no {wanted}" for wanted in unmet(asked, no)]
        case "PodTopologySpread":
            lines = _skews(asked.facts, at)
        case "InterPodAffinity":
            lines = _terms(asked, at, no)
        case "NodePorts":
            lines = [f"host port {port} is taken" for port in host_ports(asked, no.detail)]
    return lines or [_shorter(reason) for reason in no.reasons]


def _shorter(reason: str) -> str:
    return {"node(s) were unschedulable": "cordoned"}.get(reason, reason.removeprefix("node(s) "))


def unmet(case: Case, no: No) -> list[str]:
    """Return what the pod requires of labels and a node does not have."""
    bits = [at for at in range(len(case.facts.requirements)) if no.detail >> at & 1]
    found = []
    for bit in bits:
        kind, _, rest = case.facts.requirements[bit].partition("/")
        if kind == "nodeSelector":
            found.append(f"{rest}={case.spec['nodeSelector'][rest]}")
        else:
            term, which, place = case.facts.requirements[bit].split("/")
            found.append(expression(terms_of(case.spec)[int(term)][which][int(place)]))
    return list(dict.fromkeys(found))


def terms_of(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the terms of required node affinity."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get(REQUIRED) or {}
    found: list[dict[str, Any]] = required.get("nodeSelectorTerms") or []
    return found


def pod_terms(spec: dict[str, Any], which: str) -> list[dict[str, Any]]:
    """Return the required terms of ``podAffinity`` or ``podAntiAffinity``."""
    affinity = (spec.get("affinity") or {}).get(which) or {}
    found: list[dict[str, Any]] = affinity.get(REQUIRED) or []
    return found


def _skews(facts: Facts, at: int) -> list[str]:
    lines = []
    for skew in facts.skews:
        there = int(skew.skews[at])
        if there < 0:
            lines.append(f"spread: no label {skew.key}")
        elif there > skew.most:
            key = topology(skew.key)
            lines.append(f"spread by {key}: skew would be {there}, maxSkew is {skew.most}")
    return lines


def topology(key: str) -> str:
    """Return a topology key in one word: ``zone``, ``host``."""
    word = key.rsplit("/", 1)[-1]
    return {"hostname": "host"}.get(word, word)


def term(one: dict[str, Any]) -> str:
    """Return whom a term of pod affinity is about, and how near."""
    return f"{selector(one.get('labelSelector')) or 'any pod'} by {topology(one['topologyKey'])}"


def _terms(case: Case, at: int, no: No) -> list[str]:
    labels = _labels(case.node(at))
    lines = []
    for number, one in enumerate(pod_terms(case.spec, "podAffinity")):
        if no.detail >> number & 1:
            key = one["topologyKey"]
            what = "no such pod there" if key in labels else f"no label {key}"
            lines.append(f"affinity to {term(one)}: {what}")
    for number, one in enumerate(pod_terms(case.spec, "podAntiAffinity")):
        if no.detail >> (32 + number) & 1:
            lines.append(f"anti-affinity to {term(one)}: there is one")
    if not lines:
        lines = [
            f"anti-affinity of {pod} by {topology(key)} keeps it away"
            for pod, key in _keepers(case, labels)[:1]
        ]
    return lines


def _keepers(case: Case, labels: dict[str, str]) -> list[tuple[str, str]]:
    """Return pods whose anti-affinity reaches a node with these labels, and by which key."""
    kind = case.cluster.kind("nodes").id
    found = []
    for pod, node, key in case.facts.kept_away_by:
        if key in labels and _labels(case.cluster.world.get(kind, node)).get(key) == labels[key]:
            found.append((pod, key))
    return found


def _labels(node: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = node["metadata"].get("labels") or {}
    return found


def host_ports(case: Case, bits: int) -> list[str]:
    """Return the host ports that some bits stand for: ``80/TCP``."""
    ports = [port for _, port in ports_of(case.spec)]
    taken = [port for at, port in enumerate(ports) if bits >> at & 1]
    return [f"{port['hostPort']}/{port.get('protocol') or 'TCP'}" for port in taken]


def ports_of(spec: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the host ports of a pod with their paths, in the scheduler's order."""
    found = []
    for kind in ("initContainers", "containers"):
        for at, container in enumerate(spec.get(kind) or []):
            if kind == "initContainers" and container.get("restartPolicy") != "Always":
                continue
            for place, port in enumerate(container.get("ports") or []):
                if port.get("hostPort"):
                    found.append((f"/spec/{kind}/{at}/ports/{place}", port))
    return found
