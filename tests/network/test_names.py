"""What programs in pods make of names, and each pod's resolv.conf."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import wavetank as wt
from wavetank.network import DnsOptions

ROOT = """
$TTL 300
. IN SOA a. b. 1 1 1 1 60
. IN NS ns.
ns. IN A 192.0.2.1
com. IN NS ns.
"""
COM = """
$TTL 300
com. IN SOA ns. b.com. 1 1 1 1 60
com. IN NS ns.
www.example.com. IN CNAME web.example.com.
web.example.com. IN A 192.0.2.80
web.example.com. IN AAAA 2001:db8::80
v4.example.com. 7 IN A 192.0.2.4
here.corp.example.com. IN TXT "no address"
"""


def service(name: str, ip: str, namespace: str = "default") -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": ip, "ports": [{"port": 80}]},
    }


def pod(name: str, **spec: object) -> dict[str, object]:
    containers = [{"name": "c", "image": "web:1"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": containers, **spec},
    }


@pytest.fixture
def cluster() -> wt.Cluster:
    cluster = wt.Cluster()
    cluster.create(service("web", "10.96.1.1"))
    cluster.create(pod("plain"))
    cluster.set_dns(zones={"root.zone": ROOT, "com.zone": COM})
    return cluster


def walk(resolution: wt.network.Resolution) -> list[tuple[str, str, str | None]]:
    return [(query.name, query.type, query.rcode) for query in resolution.queries]


def test_a_short_name_is_found_in_its_namespace(cluster: wt.Cluster) -> None:
    found = cluster.resolve("web", source="pod/plain")
    assert found.addresses == ("10.96.1.1",)
    assert found.canonical_name == "web.default.svc.cluster.local."
    assert walk(found) == [("web.default.svc.cluster.local.", "A", "NOERROR")]
    assert found.queries[0].server == "10.96.0.10"


def test_an_outside_name_costs_eight_queries(cluster: wt.Cluster) -> None:
    found = cluster.resolve("web.example.com", None, source="pod/plain")
    assert found.addresses == ("192.0.2.80", "2001:db8::80")
    assert [(query.type, query.rcode) for query in found.queries] == [
        *([("A", "NXDOMAIN"), ("AAAA", "NXDOMAIN")] * 3),
        ("A", "NOERROR"),
        ("AAAA", "NOERROR"),
    ]
    with_dot = cluster.resolve("web.example.com.", None, source="pod/plain")
    assert len(with_dot.queries) == 2
    assert all(query.cached for query in with_dot.queries), "asked a moment ago"


def test_aliases_are_followed_to_their_end(cluster: wt.Cluster) -> None:
    found = cluster.resolve("www.example.com.")
    assert [record.type for record in found.records] == ["CNAME", "A"]
    assert found.canonical_name == "web.example.com."
    assert {record.ttl for record in found.records} == {30}, "CoreDNS keeps nothing longer"
    assert [step.outcome for step in found.upstream] == ["NOERROR"]


def test_no_data_ends_the_search_of_musl_only(cluster: wt.Cluster) -> None:
    cluster.create(pod("elsewhere", dnsConfig={"searches": ["corp.example.com", "example.com"]}))
    cluster.create(service("other", "10.96.1.9"))
    glibc = cluster.resolve("here", source="pod/elsewhere")
    assert glibc.rcode == "NOERROR"
    assert not glibc
    assert [query.name for query in glibc.queries][-2:] == ["here.example.com.", "here."]
    musl = cluster.resolve("here", source="pod/elsewhere", library="musl")
    assert musl.rcode == "NOERROR"
    assert [query.name for query in musl.queries][-1] == "here.corp.example.com."


def test_enough_dots_mean_the_whole_name_first(cluster: wt.Cluster) -> None:
    options = [{"name": "ndots", "value": "1"}]
    cluster.create(pod("dotty", dnsConfig={"options": options}))
    found = cluster.resolve("web.default.svc", source="pod/dotty")
    assert [query.name for query in found.queries] == [
        "web.default.svc.",
        "web.default.svc.default.svc.cluster.local.",
        "web.default.svc.svc.cluster.local.",
        "web.default.svc.cluster.local.",
    ]
    assert found.addresses == ("10.96.1.1",)
    musl = cluster.resolve("web.default.svc", source="pod/dotty", library="musl")
    assert [query.name for query in musl.queries] == ["web.default.svc."]
    assert musl.rcode == "NXDOMAIN"


def test_servers_that_fail_are_asked_again(cluster: wt.Cluster) -> None:
    cluster.set_dns(silent=["192.0.2.1"])
    found = cluster.resolve("v4.example.com.")
    assert [query.rcode for query in found.queries] == ["SERVFAIL", "SERVFAIL"]
    assert found.rcode == "SERVFAIL"
    cluster.create(pod("lost", dnsPolicy="None", dnsConfig={"nameservers": ["203.0.113.9"]}))
    nobody = cluster.resolve("v4.example.com.", source="pod/lost")
    assert [query.rcode for query in nobody.queries] == [None, None]
    assert nobody.rcode is None
    assert "no server replied" in str(nobody)


def test_answers_are_remembered_in_virtual_time(cluster: wt.Cluster) -> None:
    name = "v4.example.com."
    assert not cluster.resolve(name).queries[0].cached
    cluster.advance(6)
    again = cluster.resolve(name)
    assert again.queries[0].cached
    assert again.records[0].ttl == 1
    cluster.advance(1)
    assert not cluster.resolve(name).queries[0].cached


def test_what_is_remembered_goes_with_forks_and_files(cluster: wt.Cluster, tmp_path: Path) -> None:
    cluster.resolve("v4.example.com.")
    cluster.save(tmp_path / "saved")
    for other in (
        cluster.fork(),
        pickle.loads(pickle.dumps(cluster)),
        wt.Cluster.load(tmp_path / "saved"),
    ):
        found = other.resolve("v4.example.com.")
        assert found.queries[0].cached
        assert found.addresses == ("192.0.2.4",)


def test_an_address_is_its_own_answer(cluster: wt.Cluster) -> None:
    found = cluster.resolve("10.1.2.3", None)
    assert found.addresses == ("10.1.2.3",)
    assert not found.queries


@pytest.mark.parametrize("count", [1, 70])
def test_what_does_not_fit_is_asked_for_again(cluster: wt.Cluster, count: int) -> None:
    endpoints = [{"addresses": [f"10.244.0.{n}"]} for n in range(1, count + 1)]
    cluster.create(service("crowd", "None"))
    cluster.create(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "crowd", "labels": {"kubernetes.io/service-name": "crowd"}},
            "addressType": "IPv4",
            "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
            "endpoints": endpoints,
        },
        namespace="default",
    )
    found = cluster.resolve("crowd")
    assert len(found.addresses) == count
    transports = ["udp"] if count == 1 else ["udp", "tcp"]
    assert [query.transport for query in found.queries] == transports


def test_each_pod_has_the_file_its_policy_says(cluster: wt.Cluster) -> None:
    own = "search default.svc.cluster.local svc.cluster.local cluster.local"
    plain = f"{own}\nnameserver 10.96.0.10\noptions ndots:5\n"
    assert cluster.resolv_conf("pod/plain") == plain
    cluster.create(pod("host", hostNetwork=True))
    assert cluster.resolv_conf("pod/default/host") == "nameserver 192.168.0.2\n"
    cluster.set_dns(resolv_conf="search corp.example\nnameserver 192.168.7.1\n")
    assert cluster.resolv_conf("pod/plain").splitlines()[0] == own + " corp.example"
    cluster.create(service("kube-dns", "10.96.0.53", "kube-system"))
    assert "nameserver 10.96.0.53\n" in cluster.resolv_conf("pod/plain")
    assert cluster.resolve("web", source="pod/plain").queries[0].server == "10.96.0.53"


def test_the_zone_has_another_name_if_told(cluster: wt.Cluster) -> None:
    cluster.set_dns(DnsOptions(zone="k8s.example."))
    assert cluster.resolv_conf("pod/plain").startswith("search default.svc.k8s.example ")
    assert cluster.resolve("web").canonical_name == "web.default.svc.k8s.example."


def test_the_server_is_at_the_tenth_address_of_the_service_range() -> None:
    other = wt.Cluster(service_cidr="fd00:10:96::/112,10.200.0.0/16")
    assert other.resolve("kubernetes").queries[0].server == "fd00:10:96::a"
    assert other.resolve("kubernetes", "AAAA").addresses == ("fd00:10:96::1",)
    other.set_dns(server="fd00:10:96::53")
    assert other.resolve("kubernetes").queries[0].server == "fd00:10:96::53"


def test_kubeadms_objects_can_be_had() -> None:
    cluster = wt.Cluster()
    cluster.add_nodes(cpu="4", memory="8Gi", count=2)
    cluster.add_dns(replicas=2)
    cluster.run()
    assert len(cluster.get("pods", namespace="kube-system", label_selector="k8s-app=kube-dns")) == 2
    found = cluster.resolve("kube-dns.kube-system")
    assert found.addresses == ("10.96.0.10",)
    assert len(cluster.resolve("_dns._udp.kube-dns.kube-system", "SRV").records) == 1
    with pytest.raises(wt.ApiError, match="already allocated"):
        cluster.add_dns()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"name": "a" * 64 + ".b"}, "must be no more than 63 characters"),
        ({"name": ".".join(["a"] * 128)}, "must be no more than 253 characters"),
        ({"name": "a..b"}, 'DNS name "a..b": must not have empty labels'),
        ({"name": ""}, 'DNS name "": must not be empty'),
        ({"name": "web", "type": "NONSENSE"}, 'unknown record type "NONSENSE"'),
        ({"name": "web", "library": "newlib"}, "it is glibc or musl"),
        ({"name": "web", "source": "web-0"}, "a source is"),
    ],
)
def test_bad_questions_are_told_in_a_sentence(
    cluster: wt.Cluster, asked: dict[str, str], told: str
) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        cluster.resolve(**asked)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_source_that_is_not_there_is_not_found(cluster: wt.Cluster) -> None:
    with pytest.raises(wt.NotFoundError, match='pods "none" not found'):
        cluster.resolve("web", source="pod/none")
    with pytest.raises(wt.NotFoundError, match='nodes "none" not found'):
        cluster.resolv_conf("node/none")
