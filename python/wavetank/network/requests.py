"""A request over HTTP, from the name in its URL to the pod that answers.

Names are looked up as the source would; hosts of Ingresses that no zone knows are where their
controller is. Connections follow :mod:`wavetank.network.packets`; an ingress controller opens a
second one, straight to an endpoint, as they do. Pods answer 200 to everything.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from . import request_page as page
from .ingresses import Ingresses
from .lookup import look_up
from .packets import API_SERVER, Follower, merged
from .places import Place, locate
from .request_parts import container_at, cookies_in, is_address, mark_of, port_of
from .response import Response
from .targets import Target, joined
from .tracing import CONNECTED, REFUSED, Trace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wavetank.api import Api
    from wavetank.controllers.ingress import Served

    from .balancing import Spread
    from .health import HealthAnswer
    from .ingress import Rule
    from .proxy import Family, ProxyOptions
    from .tracing import End

#: How long Linux tries to connect.
_GIVES_UP_MS = 131_000
#: Ports, and names of ports, at which pods speak TLS.
_TLS_PORTS = {443, 6443, 8443}
#: Ports of every node: the kubelet's, and kube-proxy's health check.
_KUBELET, _PROXY_HEALTH = 10250, 10256
_SERVICE_NAME = "kubernetes.io/service-name"


@dataclass
class Asked:
    """What a request is, and how it is sent; see :meth:`wavetank.Cluster.curl`."""

    url: str
    source: Place
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    resolve: tuple[str, ...] = ()
    insecure: bool = False
    node: str | None = None
    family: Family | None = None
    number: int = 0
    connect_timeout: float | None = None
    spread: Spread = "round-robin"
    weighted: bool = False
    options: ProxyOptions | None = None


class Request:
    """One request on its way."""

    def __init__(self, api: Api, asked: Asked) -> None:
        self.api, self.asked = api, asked
        self.ingresses = Ingresses.of(api)
        self.response = Response(asked.url, asked.method)
        self.scheme, self.host, self.path = "http", "", "/"

    def send(self) -> Response:
        """Return the answer."""
        response = self.response
        if not self._read_url():
            return response
        addresses = self._addresses()
        if not addresses:
            return response.fail(6, f"Could not resolve host: {self.host}")
        for address in addresses:
            response.address = address
            response.say("*", f"  Trying {joined(address, response.port)}...")
            served = self.ingresses.at(address)
            if served is not None:
                return self._at_built_in(served)
            end = self._connect(self.asked.source, address, response.port)
            if end.verdict == CONNECTED:
                return self._connected(end)
        return self._not_connected(end)

    # Names

    def _read_url(self) -> bool:
        url = self.asked.url if "://" in self.asked.url else f"http://{self.asked.url}"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            self.response.fail(3, f"URL rejected: Bad hostname in {self.asked.url!r}")
            return False
        self.scheme, self.host = parts.scheme.lower(), parts.hostname or ""
        if self.scheme not in {"http", "https"}:
            self.response.fail(1, f'Protocol "{self.scheme}" not supported')
            return False
        if not self.host:
            self.response.fail(3, "URL rejected: No host part in the URL")
            return False
        self.response.port = port or (443 if self.scheme == "https" else 80)
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return True

    def _addresses(self) -> list[str]:
        """Return where the host may be, and say how that is known."""
        say, shown = self.response.say, f"{self.host}:{self.response.port}"
        for entry in self.asked.resolve:
            host, _, rest = entry.partition(":")
            port, _, address = rest.partition(":")
            if host.lower() == self.host and port == str(self.response.port):
                address = address.strip("[]")
                say("*", f"Added {entry} to DNS cache")
                say("*", f"Hostname {self.host} was found in DNS cache")
                return [address]
        if is_address(self.host):
            return [self.host]
        found, how = self._looked_up()
        if not found:
            say("*", f"Could not resolve host: {self.host}")
            return []
        say("*", f"Host {shown} was resolved.")
        for version, name in ((6, "IPv6"), (4, "IPv4")):
            own = [one for one in found if ipaddress.ip_address(one).version == version]
            say("*", f"{name}: {', '.join(own) or '(none)'}")
        if how:
            say("~", how)
        return found

    def _looked_up(self) -> tuple[list[str], str]:
        """Return addresses and where they come from."""
        found, how = look_up(self.api, self.host, self.asked.source)
        if not found:
            found = self.ingresses.addresses_of(self.host)
            how = "no zone has the name; its Ingress is served there" if found else ""
        versions = {"IPv4": 4, "IPv6": 6}
        wanted = versions.get(self.asked.family or "")
        kept = [one for one in found if wanted in (None, ipaddress.ip_address(one).version)]
        return [one for one in kept if self._can_send(one)], how

    def _can_send(self, address: str) -> bool:
        """Whether the source has an address of that family."""
        version = ipaddress.ip_address(address).version
        own = self.asked.source.addresses
        return any(ipaddress.ip_address(one).version == version for one in own)

    # Connections

    def _connect(self, source: Place, address: str, port: int) -> End:
        """Return the end of a connection, and say what it met."""
        asked = self.asked
        family: Family = "IPv6" if ":" in address else "IPv4"
        follower = Follower(
            self.api,
            "TCP",
            family,
            options=asked.options,
            draw=asked.number,
            spread=asked.spread,
            weighted=asked.weighted,
            number=asked.number,
            source_port=32768 + asked.number % 28232,
        )
        target = Target(address, address, port, "TCP")
        ends = follower.send(source, target, asked.node if source is asked.source else None)
        trace = Trace(source, target, tuple(merged(ends)), True, follower.balancer)
        self.response.traces.append(trace)
        for line in page.hops(trace):
            self.response.say("~", line)
        return trace.ends[0]

    def _not_connected(self, end: End) -> Response:
        response, asked = self.response, self.asked
        where = f"{self.host} port {response.port}"
        if end.verdict == REFUSED:
            response.say(
                "*",
                f"connect to {response.address} port {response.port} failed: Connection refused",
            )
            error = f"Failed to connect to {where} after 0 ms: Could not connect to server"
            return response.fail(7, error)
        if asked.connect_timeout is not None:
            passed = round(asked.connect_timeout * 1000)
            return response.fail(28, f"Connection timed out after {passed} milliseconds")
        error = f"Failed to connect to {where} after {_GIVES_UP_MS} ms: Could not connect to server"
        return response.fail(28, error)

    def _connected(self, end: End) -> Response:
        response = self.response
        where = f"{self.host} ({response.address}) port {response.port}"
        response.say("*", f"Connected to {where}")
        if not end.pod:
            return self._at_process(end)
        pod = self.api.get("pod", end.pod, namespace=end.namespace)
        labels = pod["metadata"].get("labels") or {}
        served = self.ingresses.behind(end.namespace, labels)
        if served is not None:
            return self._at_ingress(served, locate(self.api, f"pod/{end.namespace}/{end.pod}"))
        named = port_of(pod, end.port)
        speaks_tls = end.port in _TLS_PORTS or named.get("name") in {"https", "tls"}
        if not self._agree(speaks_tls, "a certificate of its own"):
            return response
        self._answered_by(end)
        return self._answer(200 if speaks_tls == (self.scheme == "https") else 400)

    def _agree(self, speaks_tls: bool, by: str) -> bool:
        """Whether both sides speak TLS and the certificate is taken, or neither does."""
        if self.scheme == "http":
            self._request_lines()
            return True
        if not speaks_tls:
            error = "TLS connect error: error:0A0000C6:SSL routines::packet length too long"
            self.response.fail(35, error)
            return False
        if not self.asked.insecure:
            self.response.say("~", f"the server has {by}")
            error = "SSL certificate problem: self-signed certificate"
            self.response.fail(60, error)
            return False
        self.response.say("*", f"TLSv1.3, {by}: not verified (insecure)")
        self._request_lines()
        return True

    def _at_process(self, end: End) -> Response:
        response = self.response
        response.node, response.zone = end.node, end.zone
        is_api = end.why == API_SERVER
        tls = is_api or end.port == _KUBELET
        if not self._agree(tls, f"the certificate of {end.why or 'the node'}"):
            return response
        if self.scheme == "http" and tls:
            return self._answer(400, "Client sent an HTTP request to an HTTPS server.")
        health = self._health(end)
        if health is not None:
            response.headers.update(health.headers)
            return self._answer(health.status, health.body)
        return self._answer(403 if is_api else 200, end.why or "a process of the node")

    def _health(self, end: End) -> HealthAnswer | None:
        """Return what kube-proxy answers to load balancers, if it was asked."""
        cluster: Any = self.api
        path = self.path.partition("?")[0]
        if end.port == _PROXY_HEALTH and path in {"/healthz", "/livez"}:
            of_proxy: HealthAnswer = cluster.proxy_health(end.node, path)
            return of_proxy
        _, found, name = end.why.partition("health check of service ")
        if not found:
            return None
        namespace, service = name.split("/")
        family = "IPv6" if ":" in end.address else "IPv4"
        found_there: HealthAnswer = cluster.health_check(
            end.node, service, namespace=namespace, family=family
        )
        return found_there

    # Ingress

    def _at_built_in(self, served: Served) -> Response:
        response = self.response
        if response.port not in (80, 443):
            response.say("~", "the built-in ingress controller listens at ports 80 and 443")
            response.say(
                "*",
                f"connect to {response.address} port {response.port} failed: Connection refused",
            )
            where = f"{self.host} port {response.port}"
            error = f"Failed to connect to {where} after 0 ms: Could not connect to server"
            return response.fail(7, error)
        where = f"{self.host} ({response.address}) port {response.port}"
        response.say("*", f"Connected to {where}")
        response.say("~", "the built-in ingress controller answers")
        return self._at_ingress(served, None)

    def _at_ingress(self, served: Served, pod: Place | None) -> Response:
        """Return what an ingress controller answers; its pod, if it has one, asks an endpoint."""
        table = self.ingresses.table(served)
        asked = self.asked.headers.get("Host", self.host)
        if not self._secured(table, self.response.port == 443):
            return self.response
        self._request_lines()
        if (self.scheme == "https") != (self.response.port == 443):
            return self._answer(400, "The plain HTTP request was sent to HTTPS port")
        rule = table.match(asked, self.path.partition("?")[0])
        self.response.rule = rule
        if rule is None:
            self.response.say("~", f"no Ingress has a rule for {asked}{self.path}")
            return self._answer(404, "default backend - 404")
        self.response.say("~", f"{rule} -> {rule.backend}")
        endpoints, why = self._endpoints(rule)
        if not endpoints:
            self.response.say("~", why)
            return self._answer(503, why)
        return self._upstream(rule, endpoints, pod)

    def _secured(self, table: Any, is_tls: bool) -> bool:
        """Whether TLS with an ingress controller comes about; there is nothing to do without."""
        response = self.response
        if self.scheme == "http":
            return True
        if not is_tls:
            response.fail(
                35, "TLS connect error: error:0A00010B:SSL routines::wrong version number"
            )
            return False
        found = table.certificate(self.host)
        name = f"{found.namespace}/{found.secret}" if found and found.secret else ""
        secret = None
        if name:
            secret = self.api.find("secret", found.secret, namespace=found.namespace)
        if found is not None and secret is not None:
            response.say("*", f"TLSv1.3, certificate of secret {name}")
            names = ", ".join(found.hosts) or "any host"
            response.say(
                "*", f" subjectAltName: host {self.host!r} matched {names!r}".replace("'", '"')
            )
            return True
        why = (
            f"secret {name} is missing" if name else f"no Ingress has a certificate for {self.host}"
        )
        response.say("~", f"{why}: the controller has a certificate of its own")
        if self.asked.insecure:
            response.say("*", "SSL certificate verification failed, continuing anyway (insecure)")
            return True
        if name or not table.names(self.host):
            response.fail(60, "SSL certificate problem: self-signed certificate")
        else:
            error = "SSL: no alternative certificate subject name matches target host name"
            response.fail(60, f"{error} '{self.host}'")
        return False

    def _endpoints(self, rule: Rule) -> tuple[list[tuple[str, int]], str]:
        """Return address and port of the ready endpoints of a backend, or why there are none."""
        backend = rule.backend
        name = f"{backend.namespace}/{backend.service}"
        if not backend.service:
            return [], f"no controller here knows resource {backend.resource}"
        service = self.api.find("service", backend.service, namespace=backend.namespace)
        if service is None:
            return [], f"service {name} does not exist"
        ports = service["spec"].get("ports") or []
        wanted = [one for one in ports if backend.port in (one["port"], one.get("name"))]
        if not wanted:
            return [], f"service {name} has no port {backend.port}"
        selector = f"{_SERVICE_NAME}={backend.service}"
        found: list[tuple[str, int]] = []
        for piece in self.api.get(
            "endpointslices", namespace=backend.namespace, label_selector=selector
        ):
            numbers = [
                one["port"]
                for one in piece.get("ports") or []
                if (one.get("name") or "") == wanted[0].get("name", "")
            ]
            found += [
                (endpoint["addresses"][0], number)
                for endpoint in piece.get("endpoints") or []
                for number in numbers[:1]
                if endpoint.get("conditions", {}).get("ready", True)
            ]
        return sorted(set(found)), f"service {name} has no ready endpoints"

    def _upstream(
        self, rule: Rule, endpoints: Sequence[tuple[str, int]], pod: Place | None
    ) -> Response:
        """Return what the chosen endpoint answers."""
        response = self.response
        address, port = self._choose(rule, endpoints)
        end = self._connect(pod, address, port) if pod else self._reach(address, port)
        if end.verdict != CONNECTED:
            return self._answer(502 if end.verdict == REFUSED else 504, end.why)
        self._answered_by(end)
        if pod is None:
            response.say("~", page.arrival(end, response.container))
        return self._answer(200)

    def _reach(self, address: str, port: int) -> End:
        """Return the end of a connection of the built-in controller: it stands in every network."""
        owner = self.api.world.owner_of_address(address)
        if owner is None:
            return page.unreachable(address, port)
        kind, namespace, name = owner
        place = locate(self.api, f"pod/{namespace}/{name}" if kind == "pod" else f"node/{name}")
        return page.end_at(place, address, port)

    def _choose(self, rule: Rule, endpoints: Sequence[tuple[str, int]]) -> tuple[str, int]:
        """Return the endpoint of the cookie, else the next in turn."""
        marks = {mark_of(*one): one for one in endpoints}
        given = cookies_in(self.asked.headers).get(rule.cookie, "") if rule.cookie else ""
        if given in marks:
            self.response.say("~", f"cookie {rule.cookie} names the endpoint")
            return marks[given]
        chosen = endpoints[self.asked.number % len(endpoints)]
        if rule.cookie:
            self.response.headers["Set-Cookie"] = (
                f"{rule.cookie}={mark_of(*chosen)}; Path=/; HttpOnly"
            )
        return chosen

    # The answer

    def _request_lines(self) -> None:
        say = self.response.say
        headers = dict(self.asked.headers)
        usual = {80: "http", 443: "https"}.get(self.response.port) == self.scheme
        host = self.host if usual else f"{self.host}:{self.response.port}"
        say(">", f"{self.asked.method} {self.path} HTTP/1.1")
        say(">", f"Host: {headers.pop('Host', host)}")
        for name, value in {"User-Agent": "curl/8.14.1", "Accept": "*/*", **headers}.items():
            say(">", f"{name}: {value}")
        say(">", "")

    def _answered_by(self, end: End) -> None:
        response = self.response
        response.pod, response.namespace = end.pod, end.namespace
        response.node, response.zone = end.node, end.zone
        response.container_port = end.port
        if end.pod:
            pod = self.api.get("pod", end.pod, namespace=end.namespace)
            response.container = container_at(pod, end.port)

    def _answer(self, status: int, body: str = "") -> Response:
        response = self.response
        response.status = status
        if not body and status == 200:
            body = f"{response.namespace}/{response.pod}:{response.container_port}"
            body += f" {self.asked.method} {self.path}"
        response.body = f"{body or response.reason}\n"
        headers = {"Content-Type": "text/plain", "Content-Length": str(len(response.body))}
        response.headers = {**headers, **response.headers}
        response.say("<", f"HTTP/1.1 {status} {response.reason}")
        for name, value in response.headers.items():
            response.say("<", f"{name}: {value}")
        response.say("<", "")
        if self.asked.method != "HEAD":
            response.say("", response.body.rstrip("\n"))
        else:
            response.body = ""
        response.say("*", f"Connection #0 to host {self.host} left intact")
        return response


def curl(
    api: Api,
    url: str,
    *,
    source: str = "outside",
    namespace: str | None = None,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    cookies: Mapping[str, str] | None = None,
    resolve: str | Sequence[str] = (),
    draw: int | None = None,
    **how: Any,
) -> Response:
    """Send a request; see :meth:`wavetank.Cluster.curl`."""
    given = {name.title(): value for name, value in (headers or {}).items()}
    if cookies:
        given["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    if draw is None:
        draw = api.__dict__.get("_requests_sent", 0)
        api.__dict__["_requests_sent"] = draw + 1
    asked = Asked(
        url,
        locate(api, source, namespace),
        method.upper(),
        given,
        (resolve,) if isinstance(resolve, str) else tuple(resolve),
        number=draw,
        **how,
    )
    return Request(api, asked).send()
