"""A node with a world around it, in network namespaces of their own.

Run inside one: reads ``{"backend", "family", "addresses", "cases": [{"rules", "packets",
"times"}]}`` from standard input and prints, per case and packet, what became of each connection:
``[end, masqueraded]``, as the kernel's table of connections has it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import ipaddress
import json
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Whom the two ends of the link, the node's and the world's, take each other for.
LINK = {"IPv4": ("169.254.1.2", "169.254.1.1"), "IPv6": ("fd00:ff::2", "fd00:ff::1")}
SETTINGS = {
    "IPv4": {
        "ipv4/ip_forward": 1,
        "ipv4/conf/all/rp_filter": 0,
        "ipv4/conf/v0/rp_filter": 0,
        "ipv4/conf/all/route_localnet": 1,
        "ipv4/icmp_ratelimit": 0,
    },
    "IPv6": {"ipv6/conf/all/forwarding": 1, "ipv6/icmp/ratelimit": 0},
}
_NAMESPACE = 0x40000000


def command(line: str, data: str | None = None) -> str:
    done = subprocess.run(line, shell=True, input=data, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{line}: {done.stderr}")
    return done.stdout


def build(family: str, addresses: list[str], sources: list[str]) -> int:
    """Make the world, and the link to it; return the process that holds it."""
    own = Path("/proc/self/ns/net").readlink()
    silent = subprocess.DEVNULL
    world = subprocess.Popen(["unshare", "--net", "sleep", "600"], stdout=silent, stderr=silent)
    while Path(f"/proc/{world.pid}/ns/net").readlink() == own:
        time.sleep(0.01)
    inside = f"nsenter --target {world.pid} --net"
    command(f"ip link add v0 type veth peer name v1 && ip link set v1 netns {world.pid}")
    for name, value in SETTINGS[family].items():
        Path(f"/proc/sys/net/{name}").write_text(str(value))
    length = "/32" if family == "IPv4" else "/128 nodad"
    for address in addresses:
        command(f"ip address add {address}{length} dev v0")
    for source in sources:
        command(f"{inside} ip address add {source}{length} dev v1")
    for prefix in ("", inside + " "):
        command(f"{prefix}ip link set lo up")
    command(f"ip link set v0 up; {inside} ip link set v1 up")
    macs = {
        end: json.loads(command(f"{prefix} ip -json link show {end}"))[0]["address"]
        for end, prefix in (("v0", ""), ("v1", inside))
    }
    node, around = LINK[family]
    which = "-4" if family == "IPv4" else "-6"
    for prefix, end, peer, via in (("", "v0", "v1", around), (inside, "v1", "v0", node)):
        command(f"{prefix} ip neighbour replace {via} lladdr {macs[peer]} dev {end} nud permanent")
        command(f"{prefix} ip {which} route add default via {via} dev {end} onlink")
    return world.pid


class Place:
    """A namespace that sockets can be opened in."""

    def __init__(self, path: str) -> None:
        self.namespace = os.open(path, os.O_RDONLY)

    def enter(self) -> None:
        if ctypes.CDLL(None, use_errno=True).setns(self.namespace, _NAMESPACE):
            raise OSError(ctypes.get_errno(), "setns")


#: The next port of each source and protocol: a connection the kernel knows is not used again.
_PORTS: dict[tuple[str, str], Iterator[int]] = {}


def begin(packet: dict[str, Any]) -> tuple[socket.socket, int]:
    """Send the first packet of a connection; return its socket and what was said at once."""
    ports = _PORTS.setdefault((packet["src"], packet["proto"]), iter(range(1024, 30000)))
    kind = socket.SOCK_STREAM if packet["proto"] == "TCP" else socket.SOCK_DGRAM
    family = socket.AF_INET6 if ":" in packet["src"] else socket.AF_INET
    made = socket.socket(family, kind)
    made.setblocking(False)
    made.bind((packet["src"], next(ports)))
    said = made.connect_ex((packet["dst"], packet["port"]))
    if kind == socket.SOCK_DGRAM and said == 0:
        try:
            made.send(b"?")
        except OSError as error:
            said = error.errno or 0
    return made, said


def known() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return connections: what was asked for, and whom the answer goes between."""
    table = {}
    # The namespace of this thread, which is not the process's first any more.
    for line in Path("/proc/thread-self/net/nf_conntrack").read_text().splitlines():
        words = [word.split("=", 1) for word in line.split() if "=" in word]
        protocol = line.split()[2]
        ends = [plain(value) for name, value in words if name in ("src", "dst", "sport", "dport")]
        if len(ends) == 8:
            table[(protocol, *ends[:4])] = tuple(ends[4:])
    return table


def plain(word: str) -> str:
    """Return an address in its short form; the kernel writes out all of an IPv6 address."""
    return str(ipaddress.ip_address(word)) if ":" in word else word


def refused(made: socket.socket, said: int) -> bool:
    """Whether somebody answered that nobody is there."""
    if said == errno.ECONNREFUSED:
        return True
    select.select([made], [made], [made], 0)
    return made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED


def judge(
    packet: dict[str, Any], port: int, was_refused: bool, table: dict[Any, tuple[str, ...]]
) -> list[Any]:
    asked = (packet["proto"].lower(), packet["src"], packet["dst"], str(port), str(packet["port"]))
    answer = table.get(asked)
    if answer is None:
        return ["REJECT" if was_refused else "DROP", False]
    source, destination, source_port, destination_port = answer
    moved = (destination, destination_port) != (packet["src"], str(port))
    stayed = (source, source_port) == (packet["dst"], str(packet["port"]))
    host = f"[{source}]" if ":" in source else source
    return ["" if stayed else f"{host}:{source_port}", moved]


def main() -> None:
    asked = json.load(sys.stdin)
    own = set(asked["addresses"]) | {"127.0.0.1", "::1"}
    sources = {packet["src"] for case in asked["cases"] for packet in case["packets"]} - own
    pid = build(asked["family"], asked["addresses"], sorted(sources))
    try:
        print(json.dumps(answer(asked, own, pid)))
    finally:
        # It holds our output open: nobody would see the end of it.
        os.kill(pid, 9)


def answer(asked: dict[str, Any], own: set[str], pid: int) -> list[list[list[Any]]]:
    """Return what became of every connection of every case."""
    node, world = Place("/proc/self/ns/net"), Place(f"/proc/{pid}/ns/net")
    program = "iptables" if asked["family"] == "IPv4" else "ip6tables"
    restore = f"{program}-{asked['backend']}-restore"
    # A closed port answers with a reset, and the kernel forgets the connection: silence instead.
    silence = "*raw\n-A OUTPUT -p tcp --tcp-flags RST RST -j DROP\nCOMMIT\n"
    command(restore, silence)
    command(f"nsenter --target {pid} --net {restore}", silence)
    results = []
    for case in asked["cases"]:
        # Without --noflush everything of the case before goes.
        command(restore, "*filter\nCOMMIT\n*nat\nCOMMIT\n")
        command(f"{restore} --noflush", case["rules"])
        command(f"{restore} --noflush", asked["jumps"])
        sent = []
        for at, packet in enumerate(case["packets"]):
            (node if packet["src"] in own else world).enter()
            for _ in range(case["times"][at]):
                with contextlib.suppress(OSError):
                    made, said = begin(packet)
                    sent.append((at, made, said))
        node.enter()
        time.sleep(0.02)
        table = known()
        outcomes: list[list[Any]] = [[] for _ in case["packets"]]
        for at, made, said in sent:
            packet = case["packets"][at]
            outcomes[at].append(judge(packet, made.getsockname()[1], refused(made, said), table))
            made.close()
        results.append(outcomes)
    return results


if __name__ == "__main__":
    main()
