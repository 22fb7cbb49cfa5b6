"""Which backend an Ingress controller sends a request to.

Hosts are looked up by name, paths by hash from the longest down: a request costs the length of its
path, whatever the number of Ingresses. Rules are compiled per host, when the host is asked for.

Of several rules that match, those of the exact host win over those of a wildcard, which stands for
one label, and those over rules for all hosts; then the longest path; then Exact over Prefix; then
the oldest Ingress. ImplementationSpecific means Prefix here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Object = Mapping[str, Any]

#: What marks an Ingress whose clients stay with a pod, and what its cookie is called.
AFFINITY = "nginx.ingress.kubernetes.io/affinity"
COOKIE_NAME = "nginx.ingress.kubernetes.io/session-cookie-name"
_COOKIE = "INGRESSCOOKIE"


@dataclass(frozen=True)
class Backend:
    """Where requests are sent: a port of a Service, or another resource."""

    namespace: str
    service: str = ""
    port: int | str = ""
    resource: str = ""

    def __str__(self) -> str:
        if not self.service:
            return self.resource
        place = "" if self.namespace == "default" else f"{self.namespace}/"
        return f"service/{place}{self.service}:{self.port}"


@dataclass(frozen=True)
class Rule:
    """One path of an Ingress, or its default backend.

    Attributes
    ----------
    namespace, ingress
        The Ingress.
    host
        The host of the rule; empty for all hosts.
    path, path_type
        The path; the type is ``"default backend"`` where no path was looked at.
    cookie
        The cookie that ties a client to a pod; empty for none.
    """

    namespace: str
    ingress: str
    host: str
    path: str
    path_type: str
    backend: Backend
    cookie: str = ""

    def __str__(self) -> str:
        place = "" if self.namespace == "default" else f"{self.namespace}/"
        if self.path_type == "default backend":
            return f"ingress/{place}{self.ingress}, default backend"
        return f"ingress/{place}{self.ingress}, {self.host or '*'}{self.path} ({self.path_type})"


@dataclass
class _Paths:
    """The paths of one host; of equal ones the first that was added counts."""

    exact: dict[str, Rule] = field(default_factory=dict)
    prefix: dict[str, Rule] = field(default_factory=dict)

    def add(self, rule: Rule) -> None:
        if rule.path_type == "Exact":
            self.exact.setdefault(rule.path, rule)
            return
        key = rule.path.rstrip("/")
        known = self.prefix.get(key)
        if known is None or len(known.path) < len(rule.path):
            self.prefix[key] = rule

    def match(self, path: str) -> Rule | None:
        found = self._longest_prefix(path)
        exact = self.exact.get(path)
        if exact is None or (found is not None and len(found.path) > len(exact.path)):
            return found
        return exact

    def _longest_prefix(self, path: str) -> Rule | None:
        key = path.removesuffix("/")
        while True:
            found = self.prefix.get(key)
            if found is not None or not key:
                return found
            key = key[: key.rfind("/")] if "/" in key else ""


@dataclass(frozen=True)
class Certificate:
    """What an Ingress says about TLS for a host: the Secret, and the names it is for."""

    namespace: str
    secret: str
    hosts: tuple[str, ...]


class IngressTable:
    """The Ingresses one controller serves; see the module's header.

    Ingresses are put in and taken out one by one; only the hosts they name are compiled anew.
    """

    def __init__(self, ingresses: Iterable[Object] = ()) -> None:
        self._known: dict[tuple[str, str], Object] = {}
        self._by_host: dict[str, set[tuple[str, str]]] = {}
        self._compiled: dict[str, _Paths] = {}
        for item in ingresses:
            self.put(item)

    def __len__(self) -> int:
        return len(self._known)

    def put(self, ingress: Object) -> None:
        """Add an Ingress, or replace it."""
        key = _key(ingress)
        self.remove(key)
        self._known[key] = ingress
        for host in _hosts(ingress):
            self._by_host.setdefault(host, set()).add(key)
            self._compiled.pop(host, None)

    def remove(self, key: tuple[str, str]) -> None:
        """Forget an Ingress, by namespace and name."""
        old = self._known.pop(key, None)
        for host in _hosts(old) if old is not None else ():
            self._by_host[host].discard(key)
            self._compiled.pop(host, None)
            if not self._by_host[host]:
                del self._by_host[host]

    def match(self, host: str, path: str) -> Rule | None:
        """Return the rule for a request; ``None`` when there is none and no default backend."""
        host = plain_host(host)
        for name in _candidates(host):
            found = self._paths(name)
            rule = found.match(path) if found is not None else None
            if rule is not None:
                return rule
        return self._default(host)

    def certificate(self, host: str) -> Certificate | None:
        """Return the certificate for a host (SNI); ``None`` when no Ingress has one for it."""
        host = plain_host(host)
        for name in _candidates(host):
            for key in self._oldest_first(f"tls {name}"):
                item = self._known[key]
                for entry in item["spec"].get("tls") or ():
                    if name in (_names(entry) or ("",)):
                        return Certificate(key[0], entry.get("secretName", ""), _names(entry))
        return None

    def names(self, host: str) -> bool:
        """Whether some rule names a host, itself or by a wildcard."""
        host = plain_host(host)
        return any(name in self._by_host for name in _candidates(host) if name)

    @property
    def hosts(self) -> list[str]:
        """The hosts rules name, wildcards included, by name."""
        return sorted(name for name in self._by_host if name and " " not in name)

    def _oldest_first(self, host: str) -> list[tuple[str, str]]:
        return sorted(self._by_host.get(host, ()), key=lambda key: _age(self._known[key]))

    def _paths(self, host: str) -> _Paths | None:
        if host not in self._by_host:
            return None
        paths = self._compiled.get(host)
        if paths is None:
            paths = self._compiled[host] = _Paths()
            for key in self._oldest_first(host):
                for rule in _rules(self._known[key], host):
                    paths.add(rule)
        return paths

    def _default(self, host: str) -> Rule | None:
        """Return the default backend: of an Ingress with the host, else of one without rules."""
        having = [key for name in _candidates(host) for key in self._oldest_first(name)]
        others = self._oldest_first(_DEFAULTS)
        bare = [key for key in others if not self._known[key]["spec"].get("rules")]
        for key in (*having, *bare, *others):
            backend = self._known[key]["spec"].get("defaultBackend")
            if backend is not None:
                made = _backend(key[0], backend)
                cookie = _cookie(self._known[key])
                return Rule(key[0], key[1], "", "", "default backend", made, cookie)
        return None


#: The entry of Ingresses with a default backend, which no host can be called.
_DEFAULTS = " default"


def plain_host(host: str) -> str:
    """Return a host as rules have it.

    >>> plain_host("Shop.Example.:8080")
    'shop.example'
    """
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".").lower()


def _candidates(host: str) -> tuple[str, str, str]:
    """Return what a rule may call a host: itself, with a wildcard for its first label, nothing."""
    return host, f"*.{host.partition('.')[2]}", ""


def _key(ingress: Object) -> tuple[str, str]:
    meta = ingress["metadata"]
    return meta.get("namespace", "default"), meta["name"]


def _age(ingress: Object) -> tuple[str, str, str]:
    return (ingress["metadata"].get("creationTimestamp") or "", *_key(ingress))


def _names(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name.lower() for name in entry.get("hosts") or ())


def _hosts(ingress: Object) -> set[str]:
    spec = ingress["spec"]
    found = {(rule.get("host") or "").lower() for rule in spec.get("rules") or ()}
    for entry in spec.get("tls") or ():
        found |= {f"tls {name}" for name in _names(entry) or ("",)}
    if spec.get("defaultBackend") is not None:
        found.add(_DEFAULTS)
    return found


def _rules(ingress: Object, host: str) -> Iterable[Rule]:
    namespace, name = _key(ingress)
    cookie = _cookie(ingress)
    for rule in ingress["spec"].get("rules") or ():
        if (rule.get("host") or "").lower() != host:
            continue
        if not rule.get("http"):
            # Without paths everything goes to the default backend.
            backend = ingress["spec"].get("defaultBackend")
            if backend is not None:
                made = _backend(namespace, backend)
                yield Rule(namespace, name, host, "/", "Prefix", made, cookie)
            continue
        for path in rule["http"]["paths"]:
            kind = path.get("pathType") or "ImplementationSpecific"
            made = _backend(namespace, path["backend"])
            yield Rule(namespace, name, host, path.get("path") or "/", kind, made, cookie)


def _backend(namespace: str, backend: Mapping[str, Any]) -> Backend:
    service = backend.get("service")
    if service is None:
        resource = backend.get("resource") or {}
        return Backend(namespace, resource=f"{resource.get('kind')}/{resource.get('name')}")
    port = service.get("port") or {}
    return Backend(namespace, service["name"], port.get("name") or port.get("number") or "")


def _cookie(ingress: Object) -> str:
    marks = ingress["metadata"].get("annotations") or {}
    return marks.get(COOKIE_NAME, _COOKIE) if marks.get(AFFINITY) == "cookie" else ""
