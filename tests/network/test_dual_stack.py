"""Clusters of one family and of two: Services, nodes, pods and the way to the API server."""

from __future__ import annotations

import ipaddress
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import wavetank as wt

DUAL = {"service_cidr": "10.96.0.0/16,fd00:10:96::/112"}
TURNED = {"service_cidr": "fd00:10:96::/112,10.96.0.0/16"}
SIX = {"service_cidr": "fd00:10:96::/112"}


def pod(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "web:1"}], **spec},
    }


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec},
    }


def running(**options: Any) -> wt.Cluster:
    cluster = wt.Cluster(seed=3, **options)
    cluster.add_nodes(cpu="8", memory="16Gi", count=2, name="n")
    for number in range(3):
        cluster.create(pod(f"web-{number}"))
    cluster.create(pod("host", hostNetwork=True))
    cluster.run()
    return cluster


def listed(cluster: wt.Cluster, name: str, what: str = "podIPs") -> list[str]:
    status = cluster.get("pod", name)["status"]
    addresses = [entry["ip"] for entry in status[what]]
    assert status[what.removesuffix("s")] == addresses[0]
    return addresses


@pytest.mark.parametrize(
    ("options", "node", "blocks", "first_pod"),
    [
        ({}, ["172.16.0.2"], ["10.0.0.0"], "10.0.0."),
        (DUAL, ["172.16.0.2", "fd00:172:16::2"], ["10.0.0.0", "fd00:10:200::/64"], "10.0.0."),
        (
            TURNED,
            ["fd00:172:16::2", "172.16.0.2"],
            ["fd00:10:200::/64", "10.0.0.0"],
            "fd00:10:200:",
        ),
        (SIX, ["fd00:172:16::2"], ["fd00:10:200::/64"], "fd00:10:200:"),
    ],
)
def test_nodes_and_pods_have_addresses_of_the_clusters_families(
    options: dict[str, str], node: list[str], blocks: list[str], first_pod: str
) -> None:
    cluster = running(**options)
    found = cluster.get("node", "n-0")
    addresses = found["status"]["addresses"]
    assert [a["address"] for a in addresses if a["type"] == "InternalIP"] == node
    cidrs = found["spec"]["podCIDRs"]
    assert found["spec"]["podCIDR"] == cidrs[0]
    assert [cidr.split("/")[0] for cidr in cidrs] == [block.split("/")[0] for block in blocks]
    for name in ("web-0", "web-1", "web-2"):
        own = listed(cluster, name)
        assert [":" in address for address in own] == [":" in address for address in node]
        where = cluster.get("pod", name)["spec"]["nodeName"]
        networks = [ipaddress.ip_network(c) for c in cluster.get("node", where)["spec"]["podCIDRs"]]
        offsets = set()
        for address, network in zip(own, networks, strict=True):
            assert ipaddress.ip_address(address) in network
            offsets.add(int(ipaddress.ip_address(address)) - int(network.network_address))
        assert len(offsets) == 1, "the same place in both blocks"
        assert len(listed(cluster, name, "hostIPs")) == len(node)
    assert listed(cluster, "web-0")[0].startswith(first_pod)
    assert listed(cluster, "host") == listed(cluster, "host", "hostIPs")
    assert set(cluster.pods["ip"]) == {
        listed(cluster, name)[0] for name in ("web-0", "web-1", "web-2", "host")
    }


@pytest.mark.parametrize(
    ("options", "family", "address", "server"),
    [
        ({}, "IPv4", "10.96.0.1", "192.168.0.10"),
        (DUAL, "IPv4", "10.96.0.1", "192.168.0.10"),
        (TURNED, "IPv6", "fd00:10:96::1", "fd00:192:168::10"),
        ({**SIX, "api_server": "fd00::7"}, "IPv6", "fd00:10:96::1", "fd00::7"),
    ],
)
def test_every_cluster_has_the_service_of_its_api_server(
    options: dict[str, str], family: str, address: str, server: str
) -> None:
    cluster = wt.Cluster(**options)  # type: ignore[arg-type]
    found = cluster.get("service", "kubernetes")
    assert found["metadata"]["labels"] == {"component": "apiserver", "provider": "kubernetes"}
    assert found["spec"] == {
        "clusterIP": address,
        "clusterIPs": [address],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": [family],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }
    port = {"name": "https", "port": 6443, "protocol": "TCP"}
    endpoints = cluster.get("endpoints", "kubernetes")
    assert endpoints["subsets"] == [{"addresses": [{"ip": server}], "ports": [port]}]
    assert endpoints["metadata"]["labels"] == {"endpointslice.kubernetes.io/skip-mirror": "true"}
    piece = cluster.get("endpointslice", "kubernetes")
    assert piece["metadata"]["labels"] == {"kubernetes.io/service-name": "kubernetes"}
    assert "ownerReferences" not in piece["metadata"]
    assert (piece["addressType"], piece["ports"]) == (family, [port])
    assert piece["endpoints"] == [{"addresses": [server], "conditions": {"ready": True}}]
    assert cluster.run().reason == "settled"
    assert cluster.now == wt.Cluster().now, "it is there at once"


def test_the_api_server_looks_after_its_service_every_ten_seconds() -> None:
    cluster = wt.Cluster()
    start = cluster.now
    cluster.advance("13s")
    uid = cluster.get("service", "kubernetes")["metadata"]["uid"]
    cluster.delete("service", "kubernetes")
    cluster.delete("endpointslice", "kubernetes")
    cluster.patch("endpoints", "kubernetes", {"subsets": None}, type="merge")
    branch = pickle.loads(pickle.dumps(cluster))
    for one in (cluster, branch):
        one.run()
        assert (one.now - start).total_seconds() == 20
        assert one.get("service", "kubernetes")["metadata"]["uid"] != uid
        assert one.get("service", "kubernetes")["spec"]["clusterIP"] == "10.96.0.1"
        server = [{"ip": "192.168.0.10"}]
        assert one.get("endpoints", "kubernetes")["subsets"][0]["addresses"] == server
        assert one.get("endpointslice", "kubernetes")["endpoints"][0]["addresses"] == [
            "192.168.0.10"
        ]
        one.patch("service", "kubernetes", {"metadata": {"labels": {"a": "b"}}})
        one.run()
        assert one.get("service", "kubernetes")["metadata"]["labels"]["a"] == "b", "left alone"


def test_what_a_dump_says_of_the_api_server_counts(tmp_path: Path) -> None:
    cluster = wt.Cluster(api_server="192.0.2.9")
    uid = cluster.get("service", "kubernetes")["metadata"]["uid"]
    path = tmp_path / "dump.json"
    kinds = ("services", "endpoints", "endpointslices")
    items = [dict(item) for kind in kinds for item in cluster.get(kind)]
    restored = wt.Cluster.from_dump({"apiVersion": "v1", "kind": "List", "items": items})
    assert restored.get("service", "kubernetes")["metadata"]["uid"] == uid
    restored.delete("endpointslice", "kubernetes")
    restored.run()
    piece = restored.get("endpointslice", "kubernetes")
    assert piece["endpoints"][0]["addresses"] == ["192.0.2.9"]
    assert len(restored.get("endpoints")) == 1
    restored.save(path)
    assert (
        wt.Cluster.load(path).get("endpoints", "kubernetes")["subsets"]
        == (cluster.get("endpoints", "kubernetes")["subsets"])
    )


def test_branches_and_saved_clusters_go_on_with_addresses_of_both_families(tmp_path: Path) -> None:
    cluster = running(**DUAL)
    cluster.create(service("both", ipFamilyPolicy="PreferDualStack"))
    path = tmp_path / "cluster"
    cluster.save(path)
    branches = [cluster, cluster.fork(), wt.Cluster.load(path)]
    for one in branches:
        one.create(service("next", ipFamilyPolicy="RequireDualStack"))
        one.create(pod("late"))
        one.add_nodes(cpu="8", memory="16Gi", name="late", count=1)
        one.run()
    first, *others = [
        (
            one.get("service", "next")["spec"]["clusterIPs"],
            one.get("pod", "late")["status"]["podIPs"],
            one.get("node", "late-0")["spec"]["podCIDRs"],
            one.ranges,
        )
        for one in branches
    ]
    assert others == [first, first]
    assert len(first[0]) == len(first[1]) == len(first[2]) == 2


def test_pod_blocks_keep_out_of_the_service_range() -> None:
    cluster = wt.Cluster(
        pod_cidr="10.0.0.0/8,fd00:10::/32",
        service_cidr="10.0.1.0/24,fd00:10:0:2::/112",
        node_cidr_mask_size=[24, 64],
    )
    cluster.add_nodes(cpu="4", memory="8Gi", count=5, name="n")
    blocks = [cluster.get("node", f"n-{number}")["spec"]["podCIDRs"] for number in range(5)]
    assert [four for four, _ in blocks] == [f"10.0.{third}.0/24" for third in (0, 2, 3, 4, 5)]
    assert [six for _, six in blocks] == [
        "fd00:10::/64", "fd00:10:0:1::/64", "fd00:10:0:3::/64", "fd00:10:0:4::/64",
        "fd00:10:0:5::/64",
    ]  # fmt: skip


def test_kube_proxy_knows_where_pods_are() -> None:
    cluster = wt.Cluster(pod_cidr="10.244.0.0/16,fd00:10:244::/56", **DUAL)
    cluster.add_nodes(cpu="4", memory="8Gi", name="n", count=1)
    cluster.create(service("both", ipFamilyPolicy="RequireDualStack"))
    cluster.create(pod("web"))
    cluster.run()
    assert "! -s 10.244.0.0/16" in cluster.iptables("n-0")
    four, six = cluster.get("service", "both")["spec"]["clusterIPs"]
    assert f"-d {four}/32" in cluster.iptables("n-0") or f"-d {four} " in cluster.iptables("n-0")
    assert six in cluster.iptables("n-0", family="IPv6")
    assert cluster.ranges == {
        "service_cidr": "10.96.0.0/16,fd00:10:96::/112",
        "pod_cidr": "10.244.0.0/16,fd00:10:244::/56",
        "node_cidr": "172.16.0.0/12,fd00:172:16::/64",
        "api_server": "192.168.0.10",
    }


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"service_cidr": "10.96.0.0"},
            'service_cidr: "10.96.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or '
            "2001:db8::/64)",
        ),
        (
            {"service_cidr": ["10.96.0.0/16", "10.97.0.0/16"]},
            "service_cidr[0] and service_cidr[1] must be of different IP family",
        ),
        (
            {"service_cidr": "10.96.0.0/30"},
            'service_cidr: "10.96.0.0/30": the service cluster IP range must be at least 8 IP '
            "addresses",
        ),
        (
            {"service_cidr": "fd00::/48"},
            'service_cidr: "fd00::/48": shortest allowed prefix length for service CIDR is 64, '
            "got 48",
        ),
        (
            {"pod_cidr": "10.0.0.0/8,fd00::/48,fd01::/48"},
            'pod_cidr: "10.0.0.0/8,fd00::/48,fd01::/48": must not contain more than two entries',
        ),
        (
            {"pod_cidr": "10.0.0.0/16", "node_cidr_mask_size": 12},
            "node_cidr_mask_size: 12: must be within the range [16, 29] for the pod range "
            "10.0.0.0/16",
        ),
        (
            {"api_server": "fd00::7"},
            'api_server: service IP family "10.96.0.0/12" must match public address family '
            '"fd00::7"',
        ),
        (
            {"api_server": "here"},
            'api_server: "here": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        ),
    ],
)
def test_ranges_that_make_no_sense_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        wt.Cluster(**options)


def test_options_that_are_none_are_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'service_cdir'"):
        wt.Cluster(service_cdir="10.96.0.0/16")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="service_cidr is given as text, not as int"):
        wt.Cluster(service_cidr=7)  # type: ignore[arg-type]
