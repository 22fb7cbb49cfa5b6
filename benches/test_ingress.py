"""Matching requests against many Ingresses, and following one request."""

from __future__ import annotations

from typing import Any

import pytest
import wavetank as wt
from wavetank.network.ingress import IngressTable

#: Ingresses, with four paths each; two share a host.
INGRESSES = 10_000
REQUESTS = 10_000


def ingress(number: int) -> dict[str, Any]:
    paths = [
        {
            "path": f"/{number % 2}{path}",
            "pathType": kind,
            "backend": {"service": {"name": f"web-{number}", "port": {"number": 80}}},
        }
        for path, kind in [
            ("", "Prefix"),
            ("/a/b", "Prefix"),
            ("/a/b/c", "Exact"),
            ("/d", "Prefix"),
        ]
    ]
    meta = {"name": f"i-{number}", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"namespace": "default", **meta},
        "spec": {"rules": [{"host": f"host-{number // 2}.example", "http": {"paths": paths}}]},
    }


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    return [ingress(number) for number in range(INGRESSES)]


def test_match_requests_of_10_000_ingresses(benchmark: Any, documents: Any) -> None:
    table = IngressTable(documents)
    asked = [
        (f"host-{number * 37 % (INGRESSES // 2)}.example", f"/{number % 2}/a/b/x/y")
        for number in range(REQUESTS)
    ]

    def match() -> int:
        return sum(table.match(host, path) is not None for host, path in asked)

    assert benchmark(match) == REQUESTS
    if benchmark.stats is not None:  # none with --benchmark-disable
        benchmark.extra_info["requests_per_s"] = REQUESTS / benchmark.stats.stats.min


def test_put_10_000_ingresses_in_a_table(benchmark: Any, documents: Any) -> None:
    assert len(benchmark(IngressTable, documents)) == INGRESSES


def test_follow_a_request_with_10_000_ingresses(benchmark: Any, documents: Any) -> None:
    cluster = wt.Cluster(events="none")
    cluster.add_nodes("m5.xlarge", count=3)
    cluster.apply(documents)
    cluster.run()
    answer = benchmark(lambda: cluster.curl("http://host-7.example/0/a"))
    assert answer.status == 503
