"""Asks the machine's own C library, in namespaces where we are its DNS server.

Run as root in namespaces of its own (``unshare -n -m``); prints one JSON line per case: the file,
the name, the type, the queries that came, and those we say a pod's library sends.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import wavetank as wt
from wavetank import _core

GOLDEN = Path(__file__).parents[1] / "golden" / "dns"
ROOT = """
$TTL 300
. IN SOA a. b. 1 1 1 1 60
. IN NS ns.
ns. IN A 192.0.2.1
example.com. IN NS ns1.example.com.
ns1.example.com. IN A 192.0.2.53
"""
FAMILIES = {"A": "AF_INET", "AAAA": "AF_INET6", None: "AF_UNSPEC"}
STANDARD = "search shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n"
OTHERS = [
    "search example.com shop.svc.cluster.local\noptions ndots:1\n",
    "search shop.svc.cluster.local example.com\noptions ndots:2\n",
    "options ndots:3\n",
    "search cluster.local .\noptions ndots:2 attempts:1\n",
    "search nowhere.test shop.svc.cluster.local\noptions ndots:3 attempts:3\n",
]
NAMES = [
    "web", "web.shop", "web.shop.svc", "web.shop.svc.cluster.local", "web.shop.svc.cluster.local.",
    "api.example.com", "api.example.com.", "gone.example.com", "txt.example.com", "dual", "six",
    "nothing", "db-0.db", "a.b.c.d.e.f", "ext", "ext-gone", "ext-in", "svc", "shop.svc",
]  # fmt: skip
FEWER = ["web", "web.shop.svc", "api.example.com", "txt", "api", "mail"]


def cluster() -> wt.Cluster:
    made = wt.Cluster()
    made.restore(json.loads((GOLDEN / "objects.json").read_text()))
    zone = (GOLDEN / "outside.zone").read_text()
    made.set_dns(zones={"root.zone": ROOT, "example.com.zone": zone})
    return made


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    served = cluster()
    log: list[tuple[str, str]] = []
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 53))

    def serve() -> None:
        while True:
            message, client = sock.recvfrom(4096)
            asked = _core.dns_message(message)
            reply = served.world.dns_exchange("10.96.0.10", message)
            if asked is not None and reply is not None:
                log.append(tuple(asked["question"][0][:2]))
                sock.sendto(reply, client)

    threading.Thread(target=serve, daemon=True).start()
    cases = [(STANDARD, name, kind) for name in NAMES for kind in FAMILIES]
    cases += [(conf, name, kind) for conf in OTHERS for name in FEWER for kind in (None, "A")]
    with tempfile.NamedTemporaryFile("w", suffix="resolv.conf") as file:
        for conf, name, kind in cases:
            Path(file.name).write_text("nameserver 127.0.0.1\n" + conf)
            subprocess.run(["mount", "--bind", file.name, "/etc/resolv.conf"], check=True)
            log.clear()
            program = (
                "import socket\n"
                "try: print(*{a[4][0] for a in socket.getaddrinfo("
                f"{name!r}, 80, socket.{FAMILIES[kind]}, socket.SOCK_STREAM)}})\n"
                "except socket.gaierror: print()"
            )
            done = subprocess.run(
                [sys.executable, "-c", program], capture_output=True, text=True, check=True
            )
            subprocess.run(["umount", "/etc/resolv.conf"], check=True)
            ours = served.world.dns_resolve(name, kind, "nameserver 10.96.0.10\n" + conf, "glibc")
            line = {
                "case": [conf, name, kind],
                "asked": sorted(log),
                "ours": sorted((one["name"], one["type"]) for one in ours["queries"]),
                "found": sorted(done.stdout.split()),
                "we find": sorted(one[3] for one in ours["records"] if one[2] != "CNAME"),
            }
            print(json.dumps(line))


if __name__ == "__main__":
    main()
