"""What a node's kube-proxy answers to load balancers that ask how it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from wavetank import _core
from wavetank.api import Api

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .proxy import Family

#: A node with this taint is about to go: the cluster autoscaler said so.
TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler"

_BODY = """\
{{
\t"service": {{
\t\t"namespace": {namespace},
\t\t"name": {name}
\t}},
\t"localEndpoints": {count},
\t"serviceProxyHealthy": {healthy}
}}"""


@dataclass(frozen=True)
class HealthAnswer:
    """An answer over HTTP.

    Attributes
    ----------
    status
        200 when traffic is welcome, 503 when it is not.
    headers
        Those kube-proxy sets itself.
    body
        The JSON text.
    port
        Where it was asked: the ``healthCheckNodePort``, or kube-proxy's own 10256.
    """

    status: Literal[200, 503]
    headers: Mapping[str, str]
    body: str
    port: int

    @property
    def ok(self) -> bool:
        """Whether a load balancer sends traffic to the node."""
        return self.status == 200

    def json(self) -> Any:
        """Return the body, read."""
        return json.loads(self.body)


class Health(Api):
    """The checks a load balancer makes; part of :class:`wavetank.Cluster`."""

    def health_check(
        self,
        node: str,
        service: str,
        *,
        namespace: str = "default",
        family: Family = "IPv4",
    ) -> HealthAnswer:
        """Return what a node answers at the ``healthCheckNodePort`` of a Service.

        It is 200 as long as the node has a ready endpoint of the Service. An endpoint that is
        ending does not count, although traffic may still fall back to it.

        Parameters
        ----------
        node, service, namespace
            Whom to ask, about which Service.
        family
            kube-proxy counts per family: a Service with two has an answer for each.

        Raises
        ------
        NotFoundError
            When there is no such node or Service.
        ValueError
            When the Service has no ``healthCheckNodePort``, or no address of the family: nobody
            listens.
        """
        found = self._world.local_health(node, namespace, service, family)
        if found is None:
            raise ValueError(
                f"nodes listen for no health check of Service {namespace}/{service} over {family}: "
                f"that takes type LoadBalancer with externalTrafficPolicy Local"
            )
        port, count = found
        headers = {**_HEADERS, "X-Load-Balancing-Endpoint-Weight": str(count)}
        name, within = json.dumps(service), json.dumps(namespace)
        body = _BODY.format(namespace=within, name=name, count=count, healthy="true")
        return HealthAnswer(200 if count else 503, headers, body, port)

    def proxy_health(
        self, node: str, path: Literal["/healthz", "/livez"] = "/healthz"
    ) -> HealthAnswer:
        """Return what a node's kube-proxy says of itself, at port 10256.

        It is 503 at ``/healthz`` on a node that is about to be deleted, and 200 at ``/livez``.

        Raises
        ------
        NotFoundError
            When there is no such node.
        ValueError
            When kube-proxy serves no such path.
        """
        if path not in {"/healthz", "/livez"}:
            raise ValueError(f"path: {path!r}: kube-proxy serves /healthz and /livez")
        now = _core.format_time(self._world.now_ns)
        eligible = _eligible(self.get("nodes", node))
        status = {family: {"lastUpdated": now, "healthy": True} for family in ("IPv4", "IPv6")}
        answer: dict[str, Any] = {"lastUpdated": now, "currentTime": now}
        if path == "/healthz":
            answer["nodeEligible"] = eligible
        answer.update(healthy=True, status=status)
        good = eligible or path == "/livez"
        body = json.dumps(answer, separators=(",", ":"))
        return HealthAnswer(200 if good else 503, dict(_HEADERS), body, 10256)


_HEADERS = {"Content-Type": "application/json", "X-Content-Type-Options": "nosniff"}


def _eligible(node: Mapping[str, Any]) -> bool:
    taints = node["spec"].get("taints", [])
    tainted = any(taint["key"] == TO_BE_DELETED for taint in taints)
    return not tainted and "deletionTimestamp" not in node["metadata"]
