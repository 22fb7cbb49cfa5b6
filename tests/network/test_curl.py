"""Requests, from the name in the URL to the pod that answers."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import wavetank as wt
from typer.testing import CliRunner
from wavetank.cli import application

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {nginx.ingress.kubernetes.io/affinity: cookie}
spec:
  tls: [{hosts: [shop.example], secretName: shop-tls}, {hosts: [late.example], secretName: late}]
  rules:
  - host: shop.example
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}
      - {path: /gone, pathType: Prefix, backend: {service: {name: gone, port: {number: 80}}}}
      - {path: /port, pathType: Prefix, backend: {service: {name: web, port: {number: 81}}}}
      - {path: /idle, pathType: Prefix, backend: {service: {name: idle, port: {number: 80}}}}
      - {path: /bucket, pathType: Exact, backend: {resource: {kind: Bucket, name: b}}}
  - host: late.example
    http:
      paths: [{path: /a, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}]
---
apiVersion: v1
kind: Secret
metadata: {name: shop-tls}
type: kubernetes.io/tls
data: {tls.crt: "", tls.key: ""}
"""


def deployment(name: str, replicas: int, port: dict[str, Any]) -> dict[str, Any]:
    container = {"name": "main", "image": "web:1", "ports": [port]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container]},
            },
        },
    }


def service(name: str, port: int = 80, target: Any = 8080, **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": port, "targetPort": target}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": ports, **spec},
    }


def shop() -> wt.Cluster:
    cluster = wt.Cluster(seed=5)
    cluster.add_nodes(cpu="8", memory="32Gi", count=3, name="node", zones=["a", "b", "c"])
    cluster.create(deployment("web", 4, {"name": "http", "containerPort": 8080}))
    cluster.create(deployment("safe", 1, {"name": "https", "containerPort": 8443}))
    cluster.create(service("web", type="NodePort"))
    cluster.create(service("safe", 443, "https"))
    cluster.create(service("idle"))
    cluster.apply(INGRESS)
    cluster.run()
    return cluster


@pytest.fixture(scope="module")
def cluster() -> wt.Cluster:
    return shop()


def pod_of(cluster: wt.Cluster, app: str) -> str:
    return f"pod/{cluster.get('pods', label_selector=f'app={app}')[0]['metadata']['name']}"


def test_a_request_passes_the_ingress_to_a_pod(cluster: wt.Cluster) -> None:
    answers = [cluster.curl("http://shop.example/cart?a=1", draw=number) for number in range(8)]
    pods = Counter(answer.pod for answer in answers)
    assert sorted(pods.values()) == [2, 2, 2, 2]
    first = answers[0]
    assert (first.status, first.exit_code, first.ok) == (200, 0, True)
    assert (first.address, first.container, first.container_port) == ("192.0.2.80", "main", 8080)
    assert first.body == f"default/{first.pod}:8080 GET /cart?a=1\n"
    page = str(first)
    for line in (
        "* Host shop.example:80 was resolved.",
        "*   Trying 192.0.2.80:80...",
        "> GET /cart?a=1 HTTP/1.1",
        "> Host: shop.example",
        "~ ingress/shop, shop.example/ (Prefix) -> service/web:http",
        "< HTTP/1.1 200 OK",
        f"default/{first.pod}:8080 GET /cart?a=1",
        "* Connection #0 to host shop.example left intact",
    ):
        assert line in page.splitlines()


@pytest.mark.parametrize(
    ("url", "status", "why"),
    [
        ("http://shop.example/gone/x", 503, "service default/gone does not exist"),
        ("http://shop.example/port", 503, "service default/web has no port 81"),
        ("http://shop.example/idle", 503, "service default/idle has no ready endpoints"),
        ("http://shop.example/bucket", 503, "no controller here knows resource Bucket/b"),
        ("http://late.example/b", 404, "no Ingress has a rule for late.example/b"),
        ("http://192.0.2.80/", 404, "no Ingress has a rule for 192.0.2.80/"),
        ("http://shop.example:443/", 400, "plain HTTP request was sent to HTTPS port"),
    ],
)
def test_what_no_pod_answers_has_the_status_of_a_controller(
    cluster: wt.Cluster, url: str, status: int, why: str
) -> None:
    answer = cluster.curl(url)
    assert (answer.status, answer.exit_code, answer.pod) == (status, 0, "")
    assert not answer.ok
    assert why in str(answer)


@pytest.mark.parametrize(
    ("url", "code", "error"),
    [
        ("http://nobody.example/", 6, "Could not resolve host: nobody.example"),
        (
            "http://shop.example:81/",
            7,
            "Failed to connect to shop.example port 81 after 0 ms: Could not connect to server",
        ),
        ("http://node-1:9/", 7, "Failed to connect to node-1 port 9 after 0 ms: Could not"),
        ("http://10.96.0.99/", 28, "Failed to connect to 10.96.0.99 port 80 after 131000 ms"),
        ("https://late.example/a", 60, "SSL certificate problem: self-signed certificate"),
        (
            "https://192.0.2.80/",
            60,
            "SSL certificate problem: self-signed certificate",
        ),
        ("https://node-1:10250/", 60, "SSL certificate problem: self-signed certificate"),
        ("gopher://shop.example/", 1, 'Protocol "gopher" not supported'),
        ("http://", 3, "URL rejected: No host part in the URL"),
        ("http://shop.example:port/", 3, "URL rejected"),
    ],
)
def test_errors_are_those_of_curl(cluster: wt.Cluster, url: str, code: int, error: str) -> None:
    answer = cluster.curl(url)
    assert (answer.exit_code, answer.status) == (code, 0)
    assert answer.error.startswith(error)
    assert str(answer).splitlines()[-1] == f"curl: ({code}) {answer.error}"


def test_a_name_no_certificate_is_for_is_told_apart() -> None:
    cluster = shop()
    rules = [
        {"host": "bare.example", "http": cluster.get("ingress/shop")["spec"]["rules"][1]["http"]}
    ]
    cluster.create(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "bare"},
            "spec": {"rules": rules},
        }
    )
    cluster.run()
    answer = cluster.curl("https://bare.example/a")
    assert answer.exit_code == 60
    assert answer.error == (
        "SSL: no alternative certificate subject name matches target host name 'bare.example'"
    )
    assert cluster.curl("https://bare.example/a", insecure=True).status == 200


def test_tls_ends_at_the_controller_with_the_secret_of_the_host(cluster: wt.Cluster) -> None:
    answer = cluster.curl("https://shop.example/")
    assert answer.status == 200
    assert "certificate of secret default/shop-tls" in str(answer)
    assert cluster.curl("https://late.example/a", insecure=True).status == 200


def test_a_pod_asks_a_service_by_its_name(cluster: wt.Cluster) -> None:
    source = pod_of(cluster, "web")
    answer = cluster.curl("http://web/x", source=source)
    assert answer.status == 200
    assert answer.pod.startswith("web-")
    assert re.search(r"~ node node-\d: \S+ -> \S+:80, DNAT to \S+:8080", str(answer))
    asked = [cluster.curl("http://web.default", source=source, draw=n).pod for n in range(60)]
    assert len(set(asked)) == 4
    assert cluster.curl("http://idle", source=source).exit_code == 7
    assert cluster.curl("http://web:81", source=source, connect_timeout=5).error == (
        "Connection timed out after 5000 milliseconds"
    )


def test_tls_of_pods_is_known_by_the_name_of_their_port(cluster: wt.Cluster) -> None:
    source = pod_of(cluster, "web")
    assert cluster.curl("https://safe", source=source).exit_code == 60
    assert cluster.curl("https://safe", source=source, insecure=True).status == 200
    assert cluster.curl("http://safe:443", source=source).status == 400
    assert cluster.curl("https://web:80", source=source).exit_code == 35


def test_a_node_port_answers_at_every_node(cluster: wt.Cluster) -> None:
    port = cluster.get("service/web")["spec"]["ports"][0]["nodePort"]
    for node in ("node-0", "node-1", "node-2"):
        answer = cluster.curl(f"http://{node}:{port}/")
        assert answer.status == 200
        assert f"~ node {node}: 198.51.100.1" in str(answer)


def test_resolve_takes_the_place_of_a_look_up(cluster: wt.Cluster) -> None:
    entry = "other.example:80:192.0.2.80"
    answer = cluster.curl("http://other.example/", resolve=entry)
    assert answer.status == 404
    assert f"* Added {entry} to DNS cache" in str(answer)
    named = cluster.curl("http://192.0.2.80/", headers={"host": "shop.example"})
    assert named.status == 200
    assert cluster.curl("http://other.example:81/", resolve=entry).exit_code == 6


def test_a_cookie_keeps_a_client_at_its_pod_until_that_is_gone() -> None:
    cluster = shop()
    first = cluster.curl("http://shop.example/")
    assert list(first.cookies) == ["INGRESSCOOKIE"]
    later = [cluster.curl("http://shop.example/", cookies=first.cookies) for _ in range(5)]
    assert {answer.pod for answer in later} == {first.pod}
    assert not later[0].cookies
    cluster.delete("pod", first.pod)
    cluster.run()
    moved = cluster.curl("http://shop.example/", cookies=first.cookies)
    assert moved.pod != first.pod
    assert moved.cookies


def test_rules_follow_what_changes(cluster: wt.Cluster) -> None:
    branch = cluster.fork()
    assert branch.curl("http://shop.example/").status == 200
    spec = {"spec": {"rules": [{"host": "new.example"}], "defaultBackend": None}}
    branch.patch("ingress", "shop", spec, type="merge")
    branch.run()
    assert branch.curl("http://shop.example/").exit_code == 6
    assert branch.curl("http://new.example/").status == 404
    branch.delete("ingress", "shop")
    assert branch.curl("http://new.example/").exit_code == 6
    assert cluster.curl("http://shop.example/").status == 200


CONTROLLER = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: v1
kind: Service
metadata: {name: nginx, labels: {app.kubernetes.io/name: ingress-nginx}}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {app: nginx}
  ports: [{name: http, port: 80, targetPort: 80}, {name: https, port: 443, targetPort: 443}]
"""


def test_a_deployed_controller_is_reached_through_its_load_balancer() -> None:
    cluster = wt.Cluster(seed=5)
    cluster.add_nodes(cpu="8", memory="32Gi", count=3, name="node", zones=["a", "b", "c"])
    cluster.apply(CONTROLLER)
    cluster.create(deployment("nginx", 1, {"name": "http", "containerPort": 80}))
    cluster.create(deployment("web", 2, {"name": "http", "containerPort": 8080}))
    cluster.create(service("web"))
    cluster.apply(INGRESS)
    status = {"loadBalancer": {"ingress": [{"ip": "192.0.2.33"}]}}
    cluster.patch("service", "nginx", {"status": status}, subresource="status")
    cluster.run()
    answer = cluster.curl("http://shop.example/", source="203.0.113.9")
    assert answer.address == "192.0.2.33"
    assert answer.status == 200
    assert answer.pod.startswith("web-")
    client, inside = answer.traces
    assert client.balancer is not None
    assert client.endpoint is not None
    assert client.endpoint.pod.startswith("nginx-")
    assert client.endpoint.source == "203.0.113.9"
    assert inside.source.name == client.endpoint.pod
    page = str(answer)
    assert "~ load balancer of service/default/nginx: 192.0.2.33:80 -> node-" in page
    assert page.index("pod/nginx-") < page.index("> GET /") < page.index("pod/web-")
    cluster.scale("deployment/nginx", replicas=0)
    cluster.run()
    assert cluster.curl("http://shop.example/").exit_code == 28


def test_the_command_ends_as_curl_does(cluster: wt.Cluster, tmp_path: Path) -> None:
    path = str(tmp_path / "c.wt")
    cluster.save(path)

    def run(*words: str) -> tuple[int, str, str]:
        arguments = ["curl", *words, "--cluster", path]
        done = CliRunner(env={"COLUMNS": "80"}).invoke(application(arguments), arguments)
        return done.exit_code, done.stdout, done.stderr

    code, out, _ = run("http://shop.example/", "--draw", "3")
    assert (code, out) == (0, str(cluster.curl("http://shop.example/", draw=3)) + "\n")
    code, out, _ = run("http://shop.example/", "-s", "-X", "put", "-H", "X-A: b")
    assert out.endswith(":8080 PUT /\n")
    code, out, said = run("http://nobody.example/")
    assert (code, said) == (6, "curl: (6) Could not resolve host: nobody.example\n")
    code, out, _ = run("http://web", "--source", pod_of(cluster, "web"), "--rules")
    assert "KUBE-SVC-" in out
    code, out, _ = run("http://shop.example/", "-o", "json")
    assert json.loads(out)["rule"]["ingress"] == "shop"
    assert run("http://shop.example/", "-H", "none")[0] == 2
    assert run("http://web", "--source", "pod/none")[0] == 1


def test_what_nodes_and_the_api_server_answer(cluster: wt.Cluster) -> None:
    branch = cluster.fork()
    source = pod_of(branch, "web")
    assert branch.curl("https://10.96.0.1/", source=source).exit_code == 60
    answer = branch.curl("https://10.96.0.1/", source=source, insecure=True)
    assert answer.status == 403
    assert "~ the API server 192.168.0.10:6443" in str(answer)
    branch.create(service("front", type="LoadBalancer", externalTrafficPolicy="Local"))
    branch.patch("service", "front", {"spec": {"selector": {"app": "safe"}}})
    branch.run()
    port = branch.get("service/front")["spec"]["healthCheckNodePort"]
    codes = {}
    for node in ("node-0", "node-1", "node-2"):
        answer = branch.curl(f"http://{node}:{port}/", source=source)
        codes[node] = answer.status
        assert answer.body.rstrip() == branch.health_check(node, "front").body
        assert branch.curl(f"http://{node}:10256/healthz", source=source).status == 200
    home = branch.get(pod_of(branch, "safe"))["spec"]["nodeName"]
    assert codes == {node: 200 if node == home else 503 for node in codes}
    balancer = branch.load_balancer("front")
    assert [target.node for target in balancer.usable] == [home]


ROOT = """
$ORIGIN .
@ 3600 IN SOA a.root. host.root. 1 2 3 4 5
@ IN NS a.root.
a.root. IN A 192.0.2.1
example. IN NS ns.example.
ns.example. IN A 192.0.2.2
"""
EXAMPLE = """
$ORIGIN example.
@ 3600 IN SOA ns.example. host.example. 1 2 3 4 5
@ IN NS ns.example.
ns IN A 192.0.2.2
shop IN CNAME front
front IN A 192.0.2.99
"""


def test_a_zone_says_where_a_host_is_before_its_ingress_does(cluster: wt.Cluster) -> None:
    branch = cluster.fork()
    branch.set_dns(zones={"root.zone": ROOT, "example.zone": EXAMPLE})
    answer = branch.curl("http://shop.example/", connect_timeout=1)
    assert (answer.address, answer.exit_code) == ("192.0.2.99", 28)
    assert "no zone has the name" not in str(answer)
    assert branch.curl("http://late.example/a").address == "192.0.2.80"
    assert cluster.curl("http://shop.example/").address == "192.0.2.80"
    inside = cluster.curl("http://shop.example/", source=pod_of(cluster, "web"))
    assert (inside.address, inside.status) == ("192.0.2.80", 200)
