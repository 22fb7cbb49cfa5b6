"""Services, Ingresses and names that are wrong: one clear sentence each, and nothing changes."""

from __future__ import annotations

from typing import Any

import pytest
import wavetank as wt


def service(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "web"}
    spec = {"ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def ingress(host: str, path: str) -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": path, "pathType": "Prefix", "backend": backend}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "front"},
        "spec": {"rules": [{"host": host, "http": {"paths": paths}}]},
    }


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        (
            service(clusterIP="10.1.2.3"),
            'Service "web" is invalid: spec.clusterIPs: Invalid value: ["10.1.2.3"]: failed to '
            "allocate IP 10.1.2.3: the provided network does not match the current range",
        ),
        (
            service(clusterIP="10.96.0.77"),
            'Service "web" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.77"]: failed to '
            "allocate IP 10.96.0.77: provided IP is already allocated",
        ),
        (
            service(type="NodePort", ports=[{"port": 80, "nodePort": 30100}]),
            'Service "web" is invalid: spec.ports[0].nodePort: Invalid value: 30100: provided '
            "port is already allocated",
        ),
        (
            service(type="NodePort", ports=[{"port": 80, "nodePort": 80}]),
            'Service "web" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port '
            "is not in the valid range. The range of valid ports is 30000-32767",
        ),
        (
            ingress("*.*.com", "/"),
            'Ingress.networking.k8s.io "front" is invalid: spec.rules[0].host: Invalid value: '
            "\"*.*.com\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid "
            "DNS subdomain",
        ),
        (
            ingress("shop.example.com", "basket"),
            'Ingress.networking.k8s.io "front" is invalid: spec.rules[0].http.paths[0].path: '
            'Invalid value: "basket": must be an absolute path',
        ),
        (
            ingress("192.0.2.1", "/"),
            'Ingress.networking.k8s.io "front" is invalid: spec.rules[0].host: Invalid value: '
            '"192.0.2.1": must be a DNS name, not an IP address',
        ),
    ],
)
def test_what_is_wrong_is_refused_in_one_sentence(item: dict[str, Any], sentence: str) -> None:
    cluster = wt.Cluster(seed=1)
    ports = [{"port": 80, "nodePort": 30100}]
    taken = service(type="NodePort", clusterIP="10.96.0.77", ports=ports)
    cluster.create({**taken, "metadata": {"name": "taken"}})
    before = [dict(item) for item in cluster.get("services")]
    with pytest.raises(wt.InvalidError) as raised:
        cluster.create(item)
    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)
    assert [dict(item) for item in cluster.get("services")] == before
    assert len(cluster.get("ingresses")) == 0


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(263 characters\): must be no more than 253"):
        wt.Cluster(seed=1).resolve("a." * 130 + "com")
