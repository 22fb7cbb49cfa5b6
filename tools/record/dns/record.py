"""Asks a real CoreDNS, set up as kubeadm does, every question of ``cases.py``.

``record.py API_SERVER TOKEN COREDNS FOLDER`` puts the objects into a kube-apiserver without
controllers, runs the program COREDNS (``main.go``) on them, and writes ``objects.json`` and
``answers.jsonl`` into the folder, from which it also reads ``outside.zone``, the world outside.
Needs dnspython. The kube-apiserver hands out 10.96.0.0/12,fd00:10:96::/112.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone
from cases import TYPES, names, objects

PORT, OUTSIDE = 15353, 15354
COREFILE = """.:%d {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       kubeconfig %s
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    forward . 127.0.0.1:%d {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loadbalance
}
"""
KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{name: o, cluster: {server: "%s", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: %s}}]
contexts: [{name: c, context: {cluster: o, user: u}}]
current-context: c
"""
GROUPS = {"v1": "/api/v1", "discovery.k8s.io/v1": "/apis/discovery.k8s.io/v1"}
PLURALS = {"Service": "services", "EndpointSlice": "endpointslices", "Namespace": "namespaces"}


def create(server: str, token: str, item: dict[str, Any]) -> None:
    space = item["metadata"].get("namespace")
    path = GROUPS[item["apiVersion"]] + (f"/namespaces/{space}" if space else "")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"{server}{path}/{PLURALS[item['kind']]}"
    data = json.dumps(item).encode()
    request = urllib.request.Request(url, data, headers)  # noqa: S310
    context = ssl._create_unverified_context()  # noqa: S323, SLF001
    try:
        urllib.request.urlopen(request, context=context).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        told = error.read().decode()
        # There from an earlier run, or the cluster's own.
        if error.code != 409 and "already allocated" not in told:
            sys.exit(f"{item['metadata']}: {told}")


def outside(zone_file: Path) -> None:
    """Answer as a recursive resolver that knows one zone."""
    zone = dns.zone.from_file(str(zone_file), origin="example.com.", relativize=False)
    soa = dns.rrset.from_rdata_list(zone.origin, 300, zone.get_rdataset("@", "SOA"))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", OUTSIDE))
    while True:
        wire, client = sock.recvfrom(4096)
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query, recursion_available=True)
        name, kind = query.question[0].name, query.question[0].rdtype
        if not name.is_subdomain(zone.origin):
            reply.set_rcode(dns.rcode.REFUSED)
            sock.sendto(reply.to_wire(), client)
            continue
        while (cname := zone.get_rdataset(name, "CNAME")) and kind != dns.rdatatype.CNAME:
            reply.answer.append(dns.rrset.from_rdata_list(name, cname.ttl, cname))
            name = cname[0].target
        if found := zone.get_rdataset(name, kind):
            reply.answer.append(dns.rrset.from_rdata_list(name, found.ttl, found))
        else:
            if zone.get_node(name) is None:
                reply.set_rcode(dns.rcode.NXDOMAIN)
            reply.authority.append(soa)
        sock.sendto(reply.to_wire(), client)


def section(records: list[dns.rrset.RRset]) -> list[str]:
    lines = []
    for rrset in records:
        for data in rrset:
            kind = dns.rdatatype.to_text(rrset.rdtype)
            text = data.to_text()
            if kind == "SOA":
                words = text.split()
                words[2] = "SERIAL"
                text = " ".join(words)
            lines.append(f"{rrset.name} {rrset.ttl} {kind} {text}")
    return sorted(lines)


def ask(name: str, kind: str) -> list[Any]:
    query = dns.message.make_query(name, kind, use_edns=True, payload=4096)
    query.flags |= dns.flags.RD
    reply = dns.query.udp(query, "127.0.0.1", port=PORT, timeout=10)
    flags = dns.flags.to_text(reply.flags)
    rcode = dns.rcode.to_text(reply.rcode())
    return [
        name,
        kind,
        rcode,
        flags,
        *map(section, (reply.answer, reply.authority, reply.additional)),
    ]


def main() -> None:
    server, token, coredns, folder = sys.argv[1:]
    folder = Path(folder)
    items = objects()
    for item in items:
        create(server, token, item)
    # The DNS server knows itself by its own address among the endpoints.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.1", 53))
        here = sock.getsockname()[0]
    mine = {"addresses": [here], "conditions": {"ready": True}}
    create(
        server,
        token,
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "addressType": "IPv4",
            "metadata": {
                "name": "kube-dns-self",
                "namespace": "kube-system",
                "labels": {"kubernetes.io/service-name": "kube-dns"},
            },
            "endpoints": [mine],
            "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}],
        },
    )
    threading.Thread(target=outside, args=(folder / "outside.zone",), daemon=True).start()
    with tempfile.TemporaryDirectory() as work:
        config = Path(work, "kubeconfig")
        config.write_text(KUBECONFIG % (server, token))
        Path(work, "Corefile").write_text(COREFILE % (PORT, config, OUTSIDE))
        program = subprocess.Popen([coredns, "-conf", str(Path(work, "Corefile"))])
        try:
            time.sleep(6)
            # The resolver that stands in for the world knows nothing of ANY.
            every = [(name, kind) for name in names() for kind in TYPES]
            lines = [
                json.dumps(ask(name, kind))
                for name, kind in every
                if kind != "ANY" or not name.endswith("example.com.")
            ]
        finally:
            program.terminate()
    text = "[\n" + ",\n".join(json.dumps(item) for item in items) + "\n]\n"
    (folder / "objects.json").write_text(text)
    (folder / "answers.jsonl").write_text("\n".join(lines) + "\n")
    print(len(lines), "answers")


if __name__ == "__main__":
    main()
