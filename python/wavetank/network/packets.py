"""Following a packet from machine to machine: load balancers, nodes, pods.

Each node applies its own rules; a packet that leaves one for another node's address meets the
rules of that one too. Pods are taken to listen at the ports they are asked for.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .balancing import LoadBalancer, load_balancer
from .places import locate
from .proxy import ProxyOptions
from .targets import Target, find_target, is_ready, joined
from .tracing import CONNECTED, REFUSED, ROUTED_AWAY, TIMEOUT, End, Hop, Step, Trace

if TYPE_CHECKING:
    from wavetank.api import Api

    from .balancing import Spread
    from .places import Place
    from .proxy import Family

#: Nodes behind a load balancer whose rules are followed; what the others do is like it.
NODES_FOLLOWED = 32
#: Machines on one way: a loop of node ports ends here.
_HOPS = 6
_WORDS = {"DROP": TIMEOUT, "REJECT": REFUSED}
#: Ports that answer on every node.
_KUBERNETES = "kubernetes.io/service-name=kubernetes"
API_SERVER = "the API server"
_NODE_PORTS = {10250: "the kubelet", 10256: "kube-proxy's health check"}


@dataclass(frozen=True)
class Flow:
    """A packet on its way."""

    source: str
    address: str
    port: int
    chance: float = 1.0
    hops: tuple[Hop, ...] = ()

    def past(self, hop: Hop, **changes: Any) -> Flow:
        """Return it behind a hop."""
        return dataclasses.replace(self, hops=(*self.hops, hop), **changes)


class Follower:
    """Follows one packet through a cluster."""

    def __init__(
        self,
        api: Api,
        protocol: str,
        family: Family,
        *,
        options: ProxyOptions | None = None,
        draw: int | None = None,
        spread: Spread = "round-robin",
        weighted: bool = False,
        number: int = 0,
        source_port: int = 32768,
    ) -> None:
        self.api, self.protocol, self.family, self.draw = api, protocol, family, draw
        self.options = (options or ProxyOptions()).to_dict()
        self.spread, self.weighted, self.number, self.source_port = (
            spread,
            weighted,
            number,
            source_port,
        )
        self.balancer: LoadBalancer | None = None
        self.notes: list[str] = []
        self._owners: dict[str, tuple[str, str, str] | None] = {}
        self._places: dict[tuple[str, str, str], Place | None] = {}

    def send(self, source: Place, target: Target, node: str | None = None) -> list[End]:
        """Return every end of a packet; ``node`` is where it enters the cluster."""
        if target.service:
            self._know_endpoints(*target.service)
        flow = Flow(source.address(self.family), target.address, target.port)
        if source.kind != "outside":
            if not source.node:
                raise ValueError(f"{source} is on no node yet")
            return self._at_node(source.node, flow, own=source.host_network)
        if node is not None:
            self.api.get("nodes", node)
            return self._at_node(node, flow, own=False)
        return self._from_outside(flow)

    def _know_endpoints(self, namespace: str, service: str) -> None:
        """Note whose the addresses of a Service's endpoints are: cheaper than asking for each."""
        selector = f"kubernetes.io/service-name={service}"
        for piece in self.api.get("endpointslices", namespace=namespace, label_selector=selector):
            for endpoint in piece.get("endpoints") or []:
                pod = endpoint.get("targetRef", {})
                if pod.get("kind") != "Pod":
                    continue
                owner = ("pod", pod.get("namespace", namespace), pod["name"])
                for address in endpoint["addresses"]:
                    self._owners.setdefault(address, owner)

    def _owner(self, address: str) -> tuple[str, str, str] | None:
        if address not in self._owners:
            self._owners[address] = self.api.world.owner_of_address(address)
        return self._owners[address]

    def _place(self, owner: tuple[str, str, str]) -> Place | None:
        if owner not in self._places:
            kind, namespace, name = owner
            try:
                name = f"{namespace}/{name}" if kind == "pod" else name
                self._places[owner] = locate(self.api, f"{kind}/{name}")
            except (ValueError, LookupError):
                self._places[owner] = None
            except Exception as error:
                if getattr(error, "code", 0) != 404:
                    raise
                self._places[owner] = None
        return self._places[owner]

    # Outside

    def _from_outside(self, flow: Flow) -> list[End]:
        """Return the ends of a packet that is outside the cluster."""
        owner = self._owner(flow.address)
        if owner is not None:
            place = self._place(owner)
            if owner[0] == "node" or (place is not None and place.host_network):
                return self._at_node(place.node if place else owner[2], flow, own=False)
            why = "addresses of pods are not routed outside the cluster"
            return [self._end(flow, TIMEOUT, why=why)]
        for namespace, name in self.api.world.services_at(flow.address):
            service = self.api.get("service", name, namespace=namespace)
            status = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
            if any(one.get("ip") == flow.address for one in status):
                return self._balanced(service, flow)
            if flow.address in (service["spec"].get("externalIPs") or []):
                return self._external(flow)
            why = f"the cluster IP of service {namespace}/{name} is not routed outside the cluster"
            return [self._end(flow, TIMEOUT, why=why)]
        return [self._end(flow, ROUTED_AWAY, why="the address is not of this cluster")]

    def _external(self, flow: Flow) -> list[End]:
        nodes = [one["metadata"]["name"] for one in self.api.get("nodes") if is_ready(one)]
        if not nodes:
            return [self._end(flow, TIMEOUT, why="no node is ready")]
        self.notes.append(
            f"whoever runs the network routes an external IP to a node: taken to be {nodes[0]}"
        )
        return self._at_node(nodes[0], flow, own=False)

    def _balanced(self, service: Any, flow: Flow) -> list[End]:
        """Return the ends behind a load balancer."""
        meta = service["metadata"]
        self._know_endpoints(meta["namespace"], meta["name"])
        name = f"{meta['namespace']}/{meta['name']}"
        ports = [one["port"] for one in service["spec"].get("ports") or []]
        if flow.port not in ports:
            why = f"the load balancer of service {name} does not listen at port {flow.port}"
            return [self._end(flow, TIMEOUT, why=why)]
        balancer = load_balancer(
            self.api,
            service,
            port=flow.port,
            family=self.family,
            spread=self.spread,
            weighted=self.weighted,
        )
        self.balancer = self.balancer or balancer
        hop = Hop("load balancer", name, flow.source, joined(flow.address, flow.port))
        targets = balancer.usable
        if not targets:
            why = f"no node is healthy for the load balancer of service {name}"
            return [self._end(flow.past(hop), TIMEOUT, why=why)]
        if self.draw is not None:
            targets = [balancer.pick(self.number, flow.source, self.source_port, flow.port)]
        elif len(targets) > NODES_FOLLOWED:
            self.notes.append(
                f"of {len(targets):,} nodes the load balancer sends to, the first "
                f"{NODES_FOLLOWED} were followed"
            )
            targets = targets[:NODES_FOLLOWED]
        total = sum(one.weight for one in targets)
        ends: list[End] = []
        for one in targets:
            then = flow.past(hop, chance=flow.chance * one.weight / total)
            if balancer.proxy:
                then = dataclasses.replace(
                    then, source=flow.address, address=one.address, port=one.port
                )
            ends.extend(self._at_node(one.node, then, own=False))
        return ends

    # On a node

    def _at_node(self, node: str, flow: Flow, *, own: bool) -> list[End]:
        """Return the ends of a packet that a node's rules see."""
        ways = self.api.world.trace(
            node,
            flow.source,
            flow.address,
            flow.port,
            self.protocol,
            self.options,
            own=own,
            draw=self.draw,
        )
        return [end for way in ways for end in self._behind(node, flow, way)]

    def _behind(self, node: str, flow: Flow, way: dict[str, Any]) -> list[End]:
        steps = tuple(
            Step(node, table, hook, depth, rule, flow.chance * chance)
            for table, hook, depth, rule, chance in way["steps"]
        )
        hop = Hop(
            "node",
            node,
            flow.source,
            joined(flow.address, flow.port),
            tuple((table, hook) for table, hook in way["hooks"]),
            steps,
            way["translated"],
            way["masqueraded"],
            flow.chance,
        )
        after = flow.past(
            hop,
            source=way["source"],
            address=way["destination"],
            port=way["port"],
            chance=flow.chance * way["chance"],
        )
        if way["verdict"] != "ACCEPT":
            return [self._end(after, _WORDS[way["verdict"]], node=node, why=_comment(steps))]
        return self._arrive(node, after, translated=way["translated"])

    def _arrive(self, node: str, flow: Flow, *, translated: bool) -> list[End]:
        """Return the ends of a packet that a node lets pass."""
        owner = self._owner(flow.address)
        if owner is None:
            return self._leave(flow, translated=translated)
        place = self._place(owner)
        if place is None:
            why = f"pod {owner[1]}/{owner[2]} is gone"
            return [self._end(flow, TIMEOUT, why=why)]
        if place.host_network and place.node != node and len(flow.hops) < _HOPS:
            return self._at_node(place.node, flow, own=False)
        if place.kind == "pod":
            return [self._at_pod(place, flow)]
        return [self._at_process(place, flow, translated=translated)]

    def _leave(self, flow: Flow, *, translated: bool) -> list[End]:
        if self._is_api_server(flow.address):
            return [self._end(flow, CONNECTED, why=API_SERVER)]
        if translated:
            why = "the endpoint is no pod and no node of this cluster"
            return [self._end(flow, ROUTED_AWAY, why=why)]
        for namespace, name in self.api.world.services_at(flow.address):
            service = self.api.get("service", name, namespace=namespace)
            status = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
            if any(one.get("ip") == flow.address for one in status) and len(flow.hops) < _HOPS:
                return self._balanced(service, flow)
            why = f"service {namespace}/{name} has no port {flow.port}/{self.protocol}: no rule"
            return [self._end(flow, ROUTED_AWAY, why=why)]
        return [self._end(flow, ROUTED_AWAY, why="no rule: it leaves the cluster")]

    def _is_api_server(self, address: str) -> bool:
        """Whether it is an endpoint of the Service every cluster has."""
        found = self.api.get("endpointslices", namespace="default", label_selector=_KUBERNETES)
        points = [point for piece in found for point in piece.get("endpoints") or []]
        return any(address in point["addresses"] for point in points)

    def _at_pod(self, place: Place, flow: Flow) -> End:
        pod = self.api.get("pod", place.name, namespace=place.namespace)
        phase = pod.get("status", {}).get("phase")
        verdict, why = CONNECTED, ""
        if phase != "Running":
            verdict, why = REFUSED, f"the pod is {phase}"
        elif not _listens(pod, flow.port, self.protocol):
            why = f"no container declares port {flow.port}/{self.protocol}"
        return self._end(flow, verdict, place=place, why=why)

    def _at_process(self, place: Place, flow: Flow, *, translated: bool) -> End:
        """Return the end at a process of a node."""
        where = {"field_selector": f"spec.nodeName={place.node}"}
        for pod in self.api.get("pods", **where):
            spec = pod["spec"]
            is_running = pod.get("status", {}).get("phase") == "Running"
            if not is_running or not _takes(pod, flow.port, self.protocol):
                continue
            meta = pod["metadata"]
            why = "" if spec.get("hostNetwork") else f"its host port {flow.port}"
            its = dataclasses.replace(
                place, kind="pod", name=meta["name"], namespace=meta["namespace"]
            )
            return self._end(flow, CONNECTED, place=its, why=why)
        if flow.port in _NODE_PORTS and self.protocol == "TCP":
            return self._end(flow, CONNECTED, place=place, why=_NODE_PORTS[flow.port])
        health = self._health_check(flow.port)
        if health:
            return self._end(flow, CONNECTED, place=place, why=health)
        if translated:
            return self._end(flow, CONNECTED, place=place, why="a process of the node")
        return self._end(
            flow, REFUSED, place=place, why=f"nothing on the node listens at {flow.port}"
        )

    def _health_check(self, port: int) -> str:
        for service in self.api.get("services"):
            if service["spec"].get("healthCheckNodePort") == port:
                meta = service["metadata"]
                return f"health check of service {meta['namespace']}/{meta['name']}"
        return ""

    def _end(
        self,
        flow: Flow,
        verdict: str,
        *,
        place: Place | None = None,
        node: str = "",
        why: str = "",
    ) -> End:
        is_pod = place is not None and place.kind == "pod"
        return End(
            verdict,
            flow.chance,
            flow.address,
            flow.port,
            flow.source,
            pod=place.name if place is not None and is_pod else "",
            namespace=place.namespace if place is not None and is_pod else "",
            node=place.node if place else node,
            zone=place.zone if place else "",
            why=why,
            hops=flow.hops,
        )


def _comment(steps: tuple[Step, ...]) -> str:
    """Return what the last rule says it is for."""
    _, _, rest = steps[-1].rule.partition('--comment "')
    return rest.partition('"')[0]


def _ports(pod: Any) -> list[dict[str, Any]]:
    containers = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or [])]
    return [port for one in containers for port in one.get("ports") or []]


def _listens(pod: Any, port: int, protocol: str) -> bool:
    """Whether a pod says it listens at a port, or says nothing."""
    declared = _ports(pod)
    return not declared or any(
        one["containerPort"] == port and one.get("protocol", "TCP") == protocol for one in declared
    )


def _takes(pod: Any, port: int, protocol: str) -> bool:
    """Whether a pod takes traffic to a port of its node."""
    host = bool(pod["spec"].get("hostNetwork"))
    return any(
        port == (one["containerPort"] if host else one.get("hostPort"))
        and one.get("protocol", "TCP") == protocol
        for one in _ports(pod)
    )


def merged(ends: list[End]) -> list[End]:
    """Return the ends with equal ones counted together."""
    known: dict[tuple[Any, ...], End] = {}
    for end in ends:
        key = (end.verdict, end.address, end.port, end.pod, end.source, end.why)
        same = known.get(key)
        known[key] = (
            end if same is None else dataclasses.replace(same, chance=same.chance + end.chance)
        )
    return list(known.values())


def trace(
    api: Api,
    source: str,
    to: str,
    *,
    namespace: str | None = None,
    protocol: str | None = None,
    port: int | str | None = None,
    node: str | None = None,
    family: Family | None = None,
    draw: bool | int = False,
    **options: Any,
) -> Trace:
    """Return the way of a packet; see :meth:`wavetank.Cluster.trace`."""
    place = locate(api, source, namespace)
    if family is None:
        family = _family_of(place, to)
    target = find_target(
        api,
        to,
        place,
        namespace=namespace or (place.namespace or None),
        protocol=protocol,
        port=port,
        family=family,
        node=node,
    )
    seed = None if draw is False else int(draw)
    follower = Follower(api, target.protocol, family, draw=seed, **options)
    ends = follower.send(place, target, node)
    return Trace(
        place,
        target,
        tuple(merged(ends)),
        drawn=seed is not None,
        balancer=follower.balancer,
        notes=tuple(follower.notes),
    )


def _family_of(place: Place, to: str) -> Family:
    """Return the family asked for: that of an address, else that of the source."""
    is_bare = to.count(":") > 1
    if is_bare or (place.kind != "outside" and ":" in place.addresses[0]):
        return "IPv6"
    return "IPv4"
