"""The objects and the questions that CoreDNS is asked about."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

TYPES = ["A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "SOA", "NS", "MX", "ANY", "HTTPS"]
Z = "cluster.local."


def service(
    name: str,
    namespace: str = "shop",
    ips: Any = ("10.96.7.1",),
    ports: Any = (("http", 80),),
    **spec: Any,
) -> dict[str, Any]:
    """Return a Service; one without addresses is headless."""
    ips = list(ips) or ["None"]
    spec.setdefault("type", "ClusterIP")
    if spec["type"] == "ClusterIP":
        spec.update(clusterIP=ips[0], clusterIPs=ips, **families(ips))
    if ports:
        spec["ports"] = [port(*entry) for entry in ports]
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def families(ips: list[str]) -> dict[str, Any]:
    if ips == ["None"]:
        return {}
    found = ["IPv6" if ":" in ip else "IPv4" for ip in ips]
    policy = "RequireDualStack" if len(ips) > 1 else "SingleStack"
    return {"ipFamilies": found, "ipFamilyPolicy": policy}


def port(name: str | None, number: int, protocol: str = "TCP") -> dict[str, Any]:
    return {"port": number, "protocol": protocol, **({"name": name} if name else {})}


def slice_of(
    name: str,
    endpoints: Any,
    ports: Any = (("http", 8080),),
    namespace: str = "shop",
    suffix: str = "x",
) -> dict[str, Any]:
    """Return a slice of the Service `name`; endpoints are (address, ready, hostname)."""
    entries = []
    for address, ready, hostname in endpoints:
        entry = {"addresses": [address], "conditions": {}}
        if ready is not None:
            entry["conditions"]["ready"] = ready
        if hostname:
            entry["hostname"] = hostname
        entries.append(entry)
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-{suffix}",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": "IPv6" if any(":" in e[0] for e in endpoints) else "IPv4",
        "endpoints": entries,
        "ports": [port(*entry) for entry in ports],
    }


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


DNS = (("dns", 53, "UDP"), ("dns-tcp", 53), ("metrics", 9153))
PG = (("pg", 5432), ("metrics", 9187))


def objects() -> list[dict[str, Any]]:
    """Return everything in the cluster."""
    many = [(f"10.244.5.{n}", True, None) for n in range(1, 7)]
    crowd = [(f"10.244.6.{n}", True, None) for n in range(1, 61)]
    external = {
        "ext": "api.example.com",
        "ext-dot": "api.example.com.",
        "ext-www": "www.example.com",
        "ext-gone": "gone.example.com",
        "ext-in": "web.shop.svc.cluster.local",
        "ext-pod": "10-1-2-3.shop.pod.cluster.local",
        "ext-missing": "missing.shop.svc.cluster.local",
        "ext-self": "ext-self.shop.svc.cluster.local",
        "ext-a": "ext-b.shop.svc.cluster.local",
        "ext-b": "ext-a.shop.svc.cluster.local",
        "ext-far": "ext.shop.svc.cluster.local",
        "ext-ip": "10.1.2.3",
        "ext-bare": "localhost",
    }
    return [
        *(namespace(name) for name in ("shop", "bare", "svc", "pod")),
        service("kube-dns", "kube-system", ["10.96.0.10"], DNS),
        service("kubernetes", "default", ["10.96.0.1"], (("https", 443),)),
        service("web", ips=["10.96.1.1"], ports=(("http", 80), ("https", 443))),
        slice_of(
            "web",
            [("10.244.1.1", True, None), ("10.244.1.2", True, None), ("10.244.1.3", False, None)],
            (("http", 8080), ("https", 8443)),
        ),
        service("idle", ips=["10.96.1.2"]),
        service("dual", ips=["10.96.1.3", "fd00:10:96::3"]),
        slice_of("dual", [("10.244.1.9", True, None)], suffix="four"),
        slice_of("dual", [("fd00:10:244::9", True, None)], suffix="six"),
        service("six", ips=["fd00:10:96::6"]),
        service("six-first", ips=["fd00:10:96::7", "10.96.1.7"]),
        service("plain", ips=["10.96.1.4"], ports=((None, 9000),)),
        service("node", ips=(), type="NodePort")
        | {
            "spec": {
                "type": "NodePort",
                "clusterIP": "10.96.1.5",
                "clusterIPs": ["10.96.1.5"],
                "ports": [{"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30123}],
            }
        },
        service("balanced", ips=())
        | {
            "spec": {
                "type": "LoadBalancer",
                "clusterIP": "10.96.1.6",
                "clusterIPs": ["10.96.1.6"],
                "externalIPs": ["198.51.100.7"],
                "ports": [{"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30124}],
            }
        },
        service(
            "both",
            ips=["10.96.1.8"],
            ports=(("dns", 53, "UDP"), ("dns-tcp", 53), ("sctp", 9, "SCTP")),
        ),
        service("svc", "svc", ["10.96.2.1"]),
        service("pod", "pod", ["10.96.2.2"]),
        service("db", ips=(), ports=PG),
        slice_of(
            "db",
            [
                ("10.244.2.1", True, "db-0"),
                ("10.244.2.2", True, "db-1"),
                ("10.244.2.3", True, None),
                ("10.244.2.4", False, "db-3"),
                ("10.244.2.5", None, "db-4"),
                ("10.244.2.6", True, "db-1"),
            ],
            PG,
        ),
        slice_of(
            "db",
            [("fd00:10:244::21", True, "db-0"), ("fd00:10:244::", True, None)],
            PG,
            suffix="six",
        ),
        service("portless", ips=(), ports=()),
        slice_of("portless", [("10.244.3.1", True, None), ("10.244.3.2", True, "one")], ()),
        service("nobody", ips=()),
        service("unready", ips=()),
        slice_of("unready", [("10.244.3.9", False, None)]),
        service("many", ips=()),
        slice_of("many", many[:4], suffix="a"),
        slice_of("many", many[4:], suffix="b"),
        service("crowd", ips=()),
        slice_of("crowd", crowd),
        slice_of("orphan", [("10.244.4.1", True, "alone"), ("10.244.1.1", True, None)]),
        *(
            service(name, ips=(), ports=(), type="ExternalName")
            | {"spec": {"type": "ExternalName", "externalName": target}}
            for name, target in external.items()
        ),
    ]


SERVICES = [
    "web",
    "idle",
    "dual",
    "six",
    "six-first",
    "plain",
    "node",
    "balanced",
    "both",
    "db",
    "portless",
    "nobody",
    "unready",
    "many",
    "crowd",
    "orphan",
    "missing",
]
EXTERNAL = [
    "ext",
    "ext-dot",
    "ext-www",
    "ext-gone",
    "ext-in",
    "ext-pod",
    "ext-missing",
    "ext-self",
    "ext-a",
    "ext-far",
    "ext-ip",
    "ext-bare",
]


def names() -> list[str]:
    """Return every name that is asked for."""
    ends = [f"{service}.shop.svc.{Z}" for service in SERVICES + EXTERNAL]
    found = [
        Z,
        f"svc.{Z}",
        f"pod.{Z}",
        f"dns.{Z}",
        f"ns.dns.{Z}",
        f"NS.dns.{Z}",
        f"x.ns.dns.{Z}",
        f"hostmaster.{Z}",
        f"nonsense.{Z}",
        f"dns-version.{Z}",
        f"DNS-Version.{Z}",
        f"x.dns-version.{Z}",
        f"apex.dns.{Z}",
        "local.",
        "xcluster.local.",
        *(
            f"{space}.{kind}.{Z}"
            for space in ("shop", "bare", "svc", "pod", "none", "SHOP")
            for kind in ("svc", "pod")
        ),
        *ends,
        f"WEB.Shop.svc.{Z}",
        "web.shop.SVC.Cluster.Local.",
        f"svc.svc.svc.{Z}",
        f"pod.pod.svc.{Z}",
        f"web.bare.svc.{Z}",
        f"web.none.svc.{Z}",
        f"kubernetes.default.svc.{Z}",
        f"kube-dns.kube-system.svc.{Z}",
        f"web.shop.{Z}",
        f"web.svc.{Z}",
        f"*.shop.svc.{Z}",
        f"_dns._udp.kube-dns.kube-system.svc.{Z}",
    ]
    for service, ports in {
        "web": ("http", "https", "ftp"),
        "both": ("dns", "dns-tcp", "sctp"),
        "plain": ("", "x"),
        "db": ("pg", "metrics"),
        "portless": ("http",),
        "dual": ("http",),
        "many": ("http",),
        "ext": ("http",),
        "ext-in": ("http",),
        "nobody": ("http",),
        "idle": ("http",),
    }.items():
        found += [
            f"_{name}._{protocol}.{service}.shop.svc.{Z}"
            for name in ports
            for protocol in ("tcp", "udp", "sctp")
        ]
    found += [
        f"http.tcp.web.shop.svc.{Z}",
        f"_HTTP._TCP.web.shop.svc.{Z}",
        f"_tcp.web.shop.svc.{Z}",
        f"_x._http._tcp.web.shop.svc.{Z}",
        f"tcp.web.shop.svc.{Z}",
        f"10-244-1-1.web.shop.svc.{Z}",
        f"10-244-1-3.web.shop.svc.{Z}",
        f"10-244-1-7.web.shop.svc.{Z}",
        f"web-0.web.shop.svc.{Z}",
        f"db-0.db.shop.svc.{Z}",
        f"DB-0.db.shop.svc.{Z}",
        f"db-1.db.shop.svc.{Z}",
        f"db-3.db.shop.svc.{Z}",
        f"db-4.db.shop.svc.{Z}",
        f"db-9.db.shop.svc.{Z}",
        f"10-244-2-3.db.shop.svc.{Z}",
        f"10-244-2-1.db.shop.svc.{Z}",
        f"fd00-10-244--0.db.shop.svc.{Z}",
        f"fd00-10-244--21.db.shop.svc.{Z}",
        f"fd00-10-244--9.dual.shop.svc.{Z}",
        f"10-244-1-9.dual.shop.svc.{Z}",
        f"10-244-3-1.portless.shop.svc.{Z}",
        f"one.portless.shop.svc.{Z}",
        f"alone.orphan.shop.svc.{Z}",
        f"10-244-4-1.orphan.shop.svc.{Z}",
        f"a.ext.shop.svc.{Z}",
        f"a.b.c.web.shop.svc.{Z}",
        f"10-1-2-3.shop.pod.{Z}",
        f"10-244-1-1.shop.pod.{Z}",
        f"fd00-10-244--9.shop.pod.{Z}",
        f"FD00-10-244--9.shop.pod.{Z}",
        f"10-1-2-3.none.pod.{Z}",
        f"10-1-2-333.shop.pod.{Z}",
        f"10-1-2.shop.pod.{Z}",
        f"01-1-2-3.shop.pod.{Z}",
        f"web-0.shop.pod.{Z}",
        f"x.10-1-2-3.shop.pod.{Z}",
        f"_http._tcp.10-1-2-3.shop.pod.{Z}",
        f"--1.shop.pod.{Z}",
        f"1--2-3.shop.pod.{Z}",
        f"a-b.shop.pod.{Z}",
        f"fd00--1-2-3-4.shop.pod.{Z}",
    ]
    reverse = [
        "10.96.1.1",
        "10.96.0.10",
        "10.96.1.3",
        "10.96.1.6",
        "198.51.100.7",
        "10.244.1.1",
        "10.244.1.3",
        "10.244.2.1",
        "10.244.2.2",
        "10.244.2.3",
        "10.244.2.5",
        "10.244.3.2",
        "10.244.4.1",
        "10.9.9.9",
        "10.96.1.250",
    ]
    found += [".".join(reversed(ip.split("."))) + ".in-addr.arpa." for ip in reverse]
    for ip in ("fd00:10:96::3", "fd00:10:244::9", "fd00:10:244::21", "fd00:10:244::", "fd00::99"):
        found.append(ipaddress.ip_address(ip).reverse_pointer + ".")
    found += [
        "in-addr.arpa.",
        "ip6.arpa.",
        "96.10.in-addr.arpa.",
        "svc.in-addr.arpa.",
        "shop.svc.in-addr.arpa.",
        "x.1.96.10.in-addr.arpa.",
        "web.shop.svc.in-addr.arpa.",
        "f.ip6.arpa.",
        "ns.dns.in-addr.arpa.",
        "dns-version.in-addr.arpa.",
    ]
    found += [
        f"{name}.example.com."
        for name in ("api", "www", "short", "brief", "txt", "mail", "gone", "_sip._udp")
    ]
    return found


if __name__ == "__main__":
    print(json.dumps(objects(), indent=1))
