"""What a cluster answers about single packets and requests: the way they take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank.api import Api

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .balancing import LoadBalancer, Spread
    from .proxy import Family, ProxyOptions
    from .response import Response
    from .tracing import Trace


class Requesting(Api):
    """The part of :class:`wavetank.Cluster` that follows one packet, or one request."""

    def trace(
        self,
        source: str,
        to: str,
        *,
        namespace: str | None = None,
        protocol: str | None = None,
        port: int | str | None = None,
        node: str | None = None,
        family: Family | None = None,
        draw: bool | int = False,
        spread: Spread = "round-robin",
        weighted: bool = False,
        options: ProxyOptions | None = None,
    ) -> Trace:
        """Follow the first packet of a connection: every chain and rule it meets, and its end.

        Parameters
        ----------
        source
            ``"pod/web-0"``, ``"pod/NAMESPACE/web-0"``, ``"node/n1"``, ``"outside"`` or an IP
            address.
        to
            ``"web"`` or ``"web.shop"`` for a Service, ``"service/shop/web"``,
            ``"pod/web-0:8080"``, ``"node/n1:30080"``, ``"10.96.0.9:80"``; a Service with one port
            needs none.
        namespace
            Of names that say none; the source's own without it.
        protocol
            ``"TCP"``, ``"UDP"`` or ``"SCTP"``; that of the Service's port without it.
        port
            Number or name of the port, where ``to`` has none.
        node
            Where a packet from outside enters; a load balancer's choice, or the node whose
            address it is sent to, without it.
        family
            ``"IPv4"`` or ``"IPv6"``.
        draw
            Let chance decide: one way instead of all. A number is the seed of the draw.
        spread, weighted
            How a load balancer on the way chooses nodes; see :meth:`load_balancer`.
        options
            How the nodes' kube-proxies are set up.

        Returns
        -------
        Trace
            Prints as a page; ``.ends``, ``.verdict``, ``.endpoint``, ``.steps``.

        Raises
        ------
        NotFoundError
            When the source or the target does not exist.
        ValueError
            When there is no way to name a packet: no address, no such port.
        """
        from .packets import trace  # noqa: PLC0415 - only where it is needed

        return trace(
            self,
            source,
            to,
            namespace=namespace,
            protocol=protocol,
            port=port,
            node=node,
            family=family,
            draw=draw,
            spread=spread,
            weighted=weighted,
            options=options,
        )

    def curl(
        self,
        url: str,
        *,
        source: str = "outside",
        namespace: str | None = None,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        resolve: str | Sequence[str] = (),
        insecure: bool = False,
        connect_timeout: float | None = None,
        node: str | None = None,
        family: Family | None = None,
        draw: int | None = None,
        spread: Spread = "round-robin",
        weighted: bool = False,
        options: ProxyOptions | None = None,
    ) -> Response:
        """Send a request, as ``curl`` would: DNS, load balancer, node, Ingress, Service, endpoint.

        Pods answer 200 to everything. A host that no zone knows, but a rule of an Ingress names,
        is where its ingress controller is.

        Parameters
        ----------
        url
            ``"http://shop.example/cart"``, ``"http://web.shop"``, ``"http://10.96.0.9:8080"``,
            ``"https://..."``, ``"http://NODE:30080"``.
        source
            Who asks: ``"outside"``, an IP address, ``"pod/web-0"``, ``"node/n1"``.
        namespace
            Of a source given by its name alone.
        resolve
            ``"HOST:PORT:ADDRESS"``, one or several: addresses to use instead of a look-up.
        insecure
            Take any certificate.
        connect_timeout
            Seconds after which to give up; Linux takes 131. No virtual time passes.
        node
            Where a request from outside enters the cluster.
        draw
            The seed of random choices on the way, and the request's number where nodes and
            endpoints take turns. Without it requests of a cluster are counted.
        spread, weighted
            How a load balancer chooses nodes; see :meth:`load_balancer`.

        Returns
        -------
        Response
            Status, headers and body, the pod and container that answered, ``.traces``, curl's
            exit code and error; prints as ``curl -v`` does.

        Raises
        ------
        NotFoundError
            When the source does not exist.
        """
        from .requests import curl  # noqa: PLC0415 - only where it is needed

        return curl(
            self,
            url,
            source=source,
            namespace=namespace,
            method=method,
            headers=headers,
            cookies=cookies,
            resolve=resolve,
            insecure=insecure,
            connect_timeout=connect_timeout,
            node=node,
            family=family,
            draw=draw,
            spread=spread,
            weighted=weighted,
            options=options,
        )

    def load_balancer(
        self,
        service: str,
        *,
        namespace: str | None = None,
        port: int | str | None = None,
        family: Family = "IPv4",
        spread: Spread = "round-robin",
        weighted: bool = False,
    ) -> LoadBalancer:
        """Return the load balancer of a Service: the nodes it sends to, and to which when.

        Parameters
        ----------
        service
            Its name.
        port
            Number or name of the Service's port; the first without it.
        spread
            ``"round-robin"``, ``"hash"`` (of addresses and ports), or ``"leader"``: one node
            takes all, as with MetalLB's layer 2 mode.
        weighted
            Whether nodes get connections in proportion to their ready endpoints, as the header
            ``X-Load-Balancing-Endpoint-Weight`` of health checks tells.

        Raises
        ------
        NotFoundError
            When there is no such Service.
        ValueError
            When it has no such port.
        """
        from .balancing import load_balancer  # noqa: PLC0415 - only where it is needed

        found = self.get("service", service, namespace=namespace)
        return load_balancer(
            self, found, port=port, family=family, spread=spread, weighted=weighted
        )
