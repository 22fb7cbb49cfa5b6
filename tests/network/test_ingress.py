"""Which rule of which Ingress a request is served by, who serves, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import wavetank as wt
from wavetank.network.ingress import IngressTable


def backend(name: str) -> dict[str, Any]:
    return {"service": {"name": name, "port": {"number": 80}}}


def path(text: str, name: str, kind: str = "Prefix") -> dict[str, Any]:
    return {"path": text, "pathType": kind, "backend": backend(name)}


def ingress(name: str, created: str = "2026-01-01T00:00:00Z", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": created},
        "spec": spec,
    }


def rule(host: str, *paths: dict[str, Any]) -> dict[str, Any]:
    return {**({"host": host} if host else {}), "http": {"paths": list(paths)}}


def served(table: IngressTable, host: str, asked: str) -> str:
    found = table.match(host, asked)
    return found.backend.service if found else ""


@pytest.mark.parametrize(
    ("kind", "text", "asked", "matches"),
    [
        # The table of the API's documentation.
        ("Prefix", "/", "/any/thing", True),
        ("Exact", "/foo", "/foo", True),
        ("Exact", "/foo", "/bar", False),
        ("Exact", "/foo", "/foo/", False),
        ("Exact", "/foo/", "/foo", False),
        ("Prefix", "/foo", "/foo", True),
        ("Prefix", "/foo", "/foo/", True),
        ("Prefix", "/foo/", "/foo", True),
        ("Prefix", "/foo/", "/foo/", True),
        ("Prefix", "/aaa/bb", "/aaa/bbb", False),
        ("Prefix", "/aaa/bbb", "/aaa/bbb", True),
        ("Prefix", "/aaa/bbb/", "/aaa/bbb", True),
        ("Prefix", "/aaa/bbb", "/aaa/bbb/", True),
        ("Prefix", "/aaa/bbb", "/aaa/bbb/ccc", True),
        ("Prefix", "/aaa/bbb", "/aaa/bbbxyz", False),
        ("Prefix", "/foo", "/FOO", False),
        ("ImplementationSpecific", "", "/any", True),
    ],
)
def test_paths_match_by_type(kind: str, text: str, asked: str, matches: bool) -> None:
    table = IngressTable([ingress("a", rules=[rule("", path(text, "web", kind))])])
    assert served(table, "any.example", asked) == ("web" if matches else "")


def test_the_longest_path_wins_and_exact_over_prefix() -> None:
    paths = [path("/", "root"), path("/aaa", "a"), path("/aaa/bbb", "b"), path("/x", "prefix")]
    table = IngressTable([ingress("a", rules=[rule("", *paths, path("/x", "exact", "Exact"))])])
    cases = {"/aaa/bbb/c": "b", "/aaa/ccc": "a", "/ccc": "root", "/x": "exact", "/x/y": "prefix"}
    assert {asked: served(table, "h", asked) for asked in cases} == cases
    slashes = [path("/foo", "short"), path("/foo/", "long")]
    table = IngressTable([ingress("a", rules=[rule("", *slashes)])])
    assert served(table, "h", "/foo/bar") == "long"


def test_an_exact_host_wins_over_a_wildcard_and_that_over_none() -> None:
    rules = [
        rule("", path("/", "any")),
        rule("*.example.com", path("/", "wildcard")),
        rule("foo.example.com", path("/only", "exact")),
    ]
    table = IngressTable([ingress("a", rules=rules)])
    assert served(table, "foo.example.com", "/only/x") == "exact"
    assert served(table, "FOO.example.com.:8080", "/only") == "exact"
    assert served(table, "foo.example.com", "/") == "wildcard"
    assert served(table, "bar.example.com", "/only") == "wildcard"
    assert served(table, "baz.bar.example.com", "/") == "any"
    assert served(table, "example.com", "/") == "any"
    assert table.hosts == ["*.example.com", "foo.example.com"]


def test_the_oldest_of_several_ingresses_wins_a_path_and_hosts_are_shared() -> None:
    old, new = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    table = IngressTable()
    table.put(ingress("a", new, rules=[rule("h", path("/", "new"), path("/own", "own"))]))
    table.put(ingress("b", old, rules=[rule("h", path("/", "old"))]))
    assert (served(table, "h", "/"), served(table, "h", "/own")) == ("old", "own")
    table.remove(("default", "b"))
    assert served(table, "h", "/") == "new"
    table.put(ingress("a", new, rules=[rule("other", path("/", "moved"))]))
    assert (served(table, "h", "/"), served(table, "other", "/")) == ("", "moved")
    assert len(table) == 1


def test_default_backends_of_the_host_come_before_those_of_everybody() -> None:
    everybody = ingress("z", defaultBackend=backend("everybody"))
    own = ingress("a", defaultBackend=backend("own"), rules=[rule("h", path("/x", "x"))])
    table = IngressTable([everybody, own])
    assert served(table, "h", "/y") == "own"
    assert served(table, "other", "/y") == "everybody"
    table.remove(("default", "z"))
    assert served(table, "other", "/y") == "own"
    assert str(table.match("other", "/y")) == "ingress/a, default backend"


def test_certificates_are_found_by_host() -> None:
    tls = [
        {"hosts": ["foo.example.com"], "secretName": "foo"},
        {"hosts": ["*.example.com"], "secretName": "wild"},
    ]
    table = IngressTable([ingress("a", rules=[rule("h", path("/", "x"))], tls=tls)])
    found = [table.certificate(host) for host in ("foo.example.com", "a.example.com", "h")]
    assert [one.secret if one else "" for one in found] == ["foo", "wild", ""]
    table.put(ingress("b", tls=[{"secretName": "all"}], defaultBackend=backend("d")))
    assert getattr(table.certificate("h"), "secret", "") == "all"


def test_old_versions_are_converted_when_they_are_read() -> None:
    cluster = wt.Cluster()
    for number, version in enumerate(["extensions/v1beta1", "networking.k8s.io/v1beta1"]):
        cluster.apply(
            f"""
apiVersion: {version}
kind: Ingress
metadata: {{name: old-{number}}}
spec:
  backend: {{serviceName: rest, servicePort: http}}
  rules:
  - host: foo.example
    http:
      paths:
      - {{path: /a, backend: {{serviceName: web, servicePort: 80}}}}
      - {{backend: {{serviceName: web, servicePort: web}}}}
"""
        )
        spec = cluster.get("ingress", f"old-{number}")["spec"]
        assert spec["defaultBackend"] == {"service": {"name": "rest", "port": {"name": "http"}}}
        first, second = spec["rules"][0]["http"]["paths"]
        assert first["pathType"] == "ImplementationSpecific"
        assert first["backend"] == {"service": {"name": "web", "port": {"number": 80}}}
        assert second["backend"]["service"]["port"] == {"name": "web"}
        table = IngressTable([cluster.get("ingress", f"old-{number}")])
        assert served(table, "foo.example", "/b") == "web"
        assert served(table, "bar.example", "/b") == "rest"


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (
            {"rules": [rule("*.*.com", path("/", "x"))]},
            'spec.rules[0].host: Invalid value: "*.*.com": a wildcard DNS-1123 subdomain must '
            "start with '*.'",
        ),
        (
            {"rules": [rule("10.0.0.1", path("/", "x"))]},
            'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
        ),
        (
            {"rules": [rule("foo.com", path("bar", "x"))]},
            'spec.rules[0].http.paths[0].path: Invalid value: "bar": must be an absolute path',
        ),
        (
            {"rules": [rule("foo.com", path("/a//b", "x"))]},
            "spec.rules[0].http.paths[0].path: Invalid value: \"/a//b\": must not contain '//'",
        ),
        (
            {"rules": [rule("foo.com:80", path("/", "x"))]},
            'spec.rules[0].host: Invalid value: "foo.com:80": a lowercase RFC 1123 subdomain',
        ),
        ({}, "either `defaultBackend` or `rules` must be specified"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(spec: dict[str, Any], sentence: str) -> None:
    cluster = wt.Cluster()
    with pytest.raises(wt.InvalidError) as raised:
        cluster.create(ingress("bad", **spec))
    assert str(raised.value).startswith('Ingress.networking.k8s.io "bad" is invalid: ')
    assert sentence in str(raised.value)


DEFAULT = {"ingressclass.kubernetes.io/is-default-class": "true"}


def ingress_class(name: str, controller: str = "example.com/c", **marks: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": name, "annotations": marks},
        "spec": {"controller": controller},
    }


def class_of(cluster: wt.Cluster, name: str, **marks: str) -> str | None:
    item = ingress(name, defaultBackend=backend("x"))
    item["metadata"]["annotations"] = marks
    named: str | None = cluster.create(item)["spec"].get("ingressClassName")
    return named


def test_the_default_class_is_the_newest_then_the_first_by_name() -> None:
    cluster = wt.Cluster()
    assert class_of(cluster, "before") is None
    cluster.create(ingress_class("plain"))
    assert class_of(cluster, "without") is None
    cluster.create(ingress_class("first", **DEFAULT))
    assert class_of(cluster, "one") == "first"
    cluster.advance("1m")
    for name in ("z", "b"):
        cluster.create(ingress_class(name, **DEFAULT))
    assert class_of(cluster, "two") == "b"
    assert class_of(cluster, "named", **{"kubernetes.io/ingress.class": "plain"}) is None
    assert "ingressClassName" not in cluster.get("ingress/before")["spec"]


def addresses(cluster: wt.Cluster, name: str) -> list[Any]:
    cluster.run()
    balancer = cluster.get("ingress", name)["status"]["loadBalancer"]
    return [next(iter(one.values())) for one in balancer.get("ingress", ())]


def test_the_built_in_controller_writes_its_address() -> None:
    cluster = wt.Cluster()
    cluster.create(ingress("a", defaultBackend=backend("x")))
    assert addresses(cluster, "a") == ["192.0.2.80"]
    loaded = cluster.fork()
    marks = {**DEFAULT, "wavetank.dev/addresses": "192.0.2.9, 192.0.2.10"}
    loaded.create(ingress_class("mine", **marks))
    loaded.create(ingress("b", defaultBackend=backend("x")))
    assert addresses(loaded, "b") == ["192.0.2.9", "192.0.2.10"]
    # There are classes now, and it has none.
    assert addresses(loaded, "a") == []
    loaded.delete("ingressclass", "mine")
    assert addresses(loaded, "a") == ["192.0.2.80"]


def test_a_deployed_controller_has_the_addresses_of_its_service() -> None:
    cluster = wt.Cluster()
    cluster.create(ingress_class("nginx", "k8s.io/ingress-nginx"))
    item = ingress("a", defaultBackend=backend("x"), ingressClassName="nginx")
    cluster.create(item)
    assert addresses(cluster, "a") == ["192.0.2.80"]
    labels = {"app.kubernetes.io/name": "ingress-nginx"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "nginx", "namespace": "default", "labels": labels},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "nginx"}},
    }
    cluster.create(service)
    status = {"loadBalancer": {"ingress": [{"ip": "192.0.2.33"}]}}
    cluster.patch("service", "nginx", {"status": status}, subresource="status")
    assert addresses(cluster, "a") == ["192.0.2.33"]
    named = {"kubernetes.io/ingress.class": "nginx"}
    old = ingress("old", defaultBackend=backend("x"))
    old["metadata"]["annotations"] = named
    cluster.create(old)
    assert addresses(cluster, "old") == ["192.0.2.33"]
    cluster.delete("service", "nginx")
    assert addresses(cluster, "a") == ["192.0.2.80"]
