"""The part of a cluster that knows names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wavetank.api import Api

from . import names
from .names import DnsOptions, Library, Resolution

if TYPE_CHECKING:
    from .serving import DnsServer


class Names(Api):
    """What :class:`wavetank.Cluster` says about names."""

    def resolve(
        self,
        name: str,
        type: str | None = "A",  # noqa: A002 - the word everybody uses
        *,
        source: str | None = None,
        namespace: str | None = None,
        library: Library = "glibc",
    ) -> Resolution:
        """Look a name up as a program in a pod does: search list, dots, retries and all.

        Parameters
        ----------
        name
            A name, with a dot at its end if nothing is to be put behind it.
        type
            The type of record; ``None`` for addresses of both families, as ``getaddrinfo``
            asks for.
        source
            Who asks: ``"pod/web-0"``, ``"pod/NAMESPACE/web-0"``, ``"node/n1"``, ``"outside"`` or
            an IP address. Without it, a pod of the namespace with no DNS settings of its own.
        namespace
            Of a pod given by its name alone; ``default`` without it.
        library
            ``"glibc"``, or ``"musl"``, the C library of Alpine images.

        Returns
        -------
        wavetank.network.Resolution
            The records, ``.addresses``, the response code, the canonical name, and every query
            it took; nothing found is no error.

        Raises
        ------
        NotFoundError
            When there is no such pod or node.
        ValueError
            When the name is none, or the type is unknown.

        Examples
        --------
        >>> import wavetank as wt
        >>> cluster = wt.Cluster()
        >>> _ = cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        ...     "spec": {"clusterIP": "10.96.1.1", "ports": [{"port": 80}]}})
        >>> cluster.resolve("web").addresses
        ('10.96.1.1',)
        >>> [query.name for query in cluster.resolve("web.default.svc").queries]
        ['web.default.svc.default.svc.cluster.local.', 'web.default.svc.svc.cluster.local.', \
'web.default.svc.cluster.local.']
        """
        return names.resolve(self, name, type, source, namespace, library)

    def resolv_conf(self, source: str, *, namespace: str | None = None) -> str:
        """Return the resolv.conf of a pod, as the kubelet has it written, or of a node.

        Parameters
        ----------
        source
            As for :meth:`resolve`.
        namespace
            Of a pod given by its name alone; ``default`` without it.
        """
        return names.resolv_conf(self, source, namespace)

    @property
    def dns_options(self) -> DnsOptions:
        """How DNS is set up."""
        return DnsOptions.of(self._world.dns_settings())

    def set_dns(self, options: DnsOptions | None = None, /, **changes: Any) -> None:
        """Set DNS up; resolvers forget what they remember.

        Parameters
        ----------
        options
            All options; without it, those in force.
        **changes
            Single fields of :class:`wavetank.network.DnsOptions`, such as
            ``zones="examples/zones"``.

        Raises
        ------
        ValueError
            When the zone is no name, or a zone file is malformed (with file and line).
        FileNotFoundError
            When a zone file is not there.
        """
        wanted = replace(options or self.dns_options, **changes)
        self._world.set_dns(wanted.to_core())

    def add_dns(self, *, replicas: int = 0) -> None:
        """Create what kubeadm creates for DNS: the Service kube-system/kube-dns.

        Names are answered without it too, at the same address; with it the cluster lists it, and
        it can be routed to.

        Parameters
        ----------
        replicas
            Pods of a Deployment ``coredns`` behind it; kubeadm has 2. With none there is no
            Deployment.

        Raises
        ------
        ApiError
            When it is there already, or its address is taken.
        """
        from .addon import objects  # noqa: PLC0415

        for item in objects(self._world.dns_addresses()[0], replicas):
            self.create(item)

    def serve_dns(self, port: int = 5353, *, host: str = "127.0.0.1") -> DnsServer:
        """Answer DNS on a real port, UDP and TCP, as the cluster's own server would.

        Answers follow the cluster as it changes. The server stops when it is closed, or at the
        end of a ``with`` block.

        Parameters
        ----------
        port
            The port; 0 for any that is free (see the server's ``.port``).
        host
            The address to listen at.

        Raises
        ------
        OSError
            When the port is taken.
        """
        from .serving import DnsServer  # noqa: PLC0415

        return DnsServer(self._world, host, port)
