"""What people read: messages in dig's own layout, resolutions as a short account."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wavetank import _core

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wavetank import _core as core

    from .names import Resolution

_FLAGS = (
    ("qr", 0x8000),
    ("aa", 0x0400),
    ("tc", 0x0200),
    ("rd", 0x0100),
    ("ra", 0x0080),
    ("ad", 0x0020),
    ("cd", 0x0010),
)
_OPCODES = {0: "QUERY", 1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE"}
_RD, _TC, _AD, _RA = 0x0100, 0x0200, 0x0020, 0x0080
#: What dig says of itself.
BANNER = "; <<>> DiG (wavetank) <<>>"
#: Where a column of tabs ends.
_TAB = 8
#: The size of datagrams dig asks for.
EDNS_SIZE = 1232
_MAX_REFERRALS = 20
_MDNS = """\
;; WARNING: .local is reserved for Multicast DNS
;; You are currently testing what happens when an mDNS query is leaked to DNS
"""


@dataclass(frozen=True)
class Ask:
    """What dig is asked.

    Attributes
    ----------
    name, type
        The question.
    server
        The address of the server that is asked; its name, when one was given, is ``server_name``.
    trace, recurse, short, tcp, edns
        ``+trace``, ``+rec``, ``+short``, ``+tcp``, ``+edns``.
    """

    name: str
    type: str
    server: str
    server_name: str = ""
    trace: bool = False
    recurse: bool = True
    short: bool = False
    tcp: bool = False
    edns: bool = True


#: Where the columns of a record begin: its TTL, class, type and data.
_COLUMNS = (24, 32, 40, 48)


def record_line(name: str, ttl: int, kind: str, data: str) -> str:
    """Return a record as dig has it.

    >>> record_line("web.example.", 300, "A", "192.0.2.1").replace(chr(9), ">")
    'web.example.>>300>IN>A>192.0.2.1'
    """
    return _in_columns([name, str(ttl), "IN", kind, data], _COLUMNS)


def _in_columns(words: Sequence[str], columns: Sequence[int]) -> str:
    """Return words at columns, by tabs; beyond its column a word follows after one blank."""
    line = words[0]
    at = len(line)
    for word, column in zip(words[1:], columns, strict=True):
        to = max(column, at + 1)
        tabs = to // _TAB - at // _TAB
        blanks = to % _TAB if tabs else to - at
        line += "\t" * tabs + " " * blanks + word
        at = to + len(word)
    return line


def _exchange(
    world: core.World, ask: Ask, server: str, name: str, *, recurse: bool
) -> tuple[bytes | None, bool]:
    """Send a query; return the reply, and whether it came over TCP as it did not fit before."""
    flags = (_RD if recurse else 0) | _AD
    query = _core.dns_query(name, ask.type, flags, EDNS_SIZE if ask.edns else None)
    reply = world.dns_exchange(server, query, tcp=ask.tcp)
    if reply is not None and not ask.tcp and int.from_bytes(reply[2:4], "big") & _TC:
        return world.dns_exchange(server, query, tcp=True), True
    return reply, ask.tcp


def dig(world: core.World, ask: Ask, *, when: str = "", command: str = "") -> tuple[str, bool]:
    """Return what dig prints, and whether a server replied."""
    if ask.trace:
        return _trace(world, ask, command)
    reply, tcp = _exchange(world, ask, ask.server, ask.name, recurse=ask.recurse)
    if reply is None:
        text = f";; communications error to {ask.server}#53: timed out\n" * 3
        banner = "" if ask.short else _banner(command)
        return banner + text + "\n;; no servers could be reached\n", False
    message = _core.dns_message(reply)
    if message is None:
        return ";; malformed message packet\n", False
    if ask.short:
        return "".join(f"{record[3]}\n" for record in message["answer"]), True
    named = ask.server_name or ask.server
    local = ask.name.lower().rstrip(".").endswith(".local")
    tail = [
        ";; Query time: 0 msec",
        f";; SERVER: {ask.server}#53({named}) ({'TCP' if tcp else 'UDP'})",
        *([f";; WHEN: {when}"] if when else []),
        f";; MSG SIZE  rcvd: {len(reply)}",
    ]
    body = message_text(message, asked_to_recurse=ask.recurse)
    mdns = _MDNS if local else ""
    again = ";; Truncated, retrying in TCP mode.\n" if tcp and not ask.tcp else ""
    found = "; (1 server found)\n" if "@" in command else ""
    return again + _banner(command, found) + ";; Got answer:\n" + mdns + body + "\n".join(
        tail
    ) + "\n\n", True


def _banner(command: str, found: str = "") -> str:
    return f"\n{BANNER} {command}\n{found};; global options: +cmd\n"


def message_text(message: dict[str, Any], *, asked_to_recurse: bool = True) -> str:
    """Return a message in dig's layout, from the header to the last section."""
    flags = message["flags"]
    opcode = _OPCODES.get(flags >> 11 & 15, f"RESERVED{flags >> 11 & 15}")
    names = " ".join(name for name, bit in _FLAGS if flags & bit)
    sections = ("question", "answer", "authority", "additional")
    counts = [len(message[name]) for name in sections]
    counts[3] += message["edns"] is not None
    words = ("QUERY", "ANSWER", "AUTHORITY", "ADDITIONAL")
    told = ", ".join(f"{word}: {count}" for word, count in zip(words, counts, strict=True))
    lines = [
        f";; ->>HEADER<<- opcode: {opcode}, status: {message['rcode']}, id: {message['id']}",
        f";; flags: {names}; {told}",
    ]
    if asked_to_recurse and not flags & _RA:
        lines.append(";; WARNING: recursion requested but not available")
    lines.append("")
    edns = message["edns"]
    if edns is not None:
        does = " do" if edns["dnssec"] else ""
        lines += [
            ";; OPT PSEUDOSECTION:",
            f"; EDNS: version: {edns['version']}, flags:{does}; udp: {edns['size']}",
        ]
    if message["question"]:
        lines.append(";; QUESTION SECTION:")
        for name, kind, _ in message["question"]:
            lines.append(";" + _in_columns([name, "IN", kind], _COLUMNS[1:3]))
        lines.append("")
    for name in sections[1:]:
        if message[name]:
            lines.append(f";; {name.upper()} SECTION:")
            lines += [record_line(*record) for record in message[name]]
            lines.append("")
    return "\n".join(lines) + "\n"


def _trace(world: core.World, ask: Ask, command: str) -> tuple[str, bool]:
    """Ask for the root's servers, then follow referrals from the root down."""
    text = _banner(command)
    root = Ask(".", "NS", ask.server, edns=ask.edns)
    reply, _ = _exchange(world, root, ask.server, ".", recurse=True)
    server, label = ask.server, ask.server_name or ask.server
    name = ask.name
    for _ in range(_MAX_REFERRALS):
        message = None if reply is None else _core.dns_message(reply)
        if reply is None or message is None:
            text += f";; communications error to {server}#53: timed out\n"
            return text + ";; no servers could be reached\n", False
        records = [*message["answer"], *message["authority"]]
        text += "".join(record_line(*record) + "\n" for record in records)
        text += f";; Received {len(reply)} bytes from {server}#53({label}) in 0 ms\n\n"
        referral = [record for record in records if record[2] == "NS"]
        at_root = server == ask.server
        if not at_root and (message["answer"] or not referral or message["rcode"] != "NOERROR"):
            return text, True
        if not referral:
            return text + ";; no root servers: load zones with a root\n", False
        reply = None
        for target in (record[3] for record in referral):
            for address in _addresses(world, ask.server, target, message):
                server, label = address, target.rstrip(".")
                reply, _ = _exchange(world, ask, address, name, recurse=False)
                if reply is not None:
                    break
                text += f";; communications error to {server}#53: timed out\n"
            if reply is not None:
                break
    return text + ";; too many referrals\n", False


def _addresses(world: core.World, resolver: str, name: str, message: dict[str, Any]) -> list[str]:
    """Return the addresses of a server: from the referral's glue, or looked up."""
    glue = [
        record[3]
        for record in message["additional"]
        if record[2] in {"A", "AAAA"} and record[0].lower() == name.lower()
    ]
    if glue:
        return sorted(glue, key=lambda address: ipaddress.ip_address(address).version)
    reply = world.dns_exchange(resolver, _core.dns_query(name, "A"))
    found = None if reply is None else _core.dns_message(reply)
    return [] if found is None else [one[3] for one in found["answer"] if one[2] == "A"]


def resolution_text(resolution: Resolution) -> str:
    """Return what came of a name: the answer, then the queries it took."""
    kind = resolution.type or "A and AAAA"
    if resolution.records:
        lines = [f"{resolution.name} ({kind}): {resolution.rcode}"]
        lines += [f"  {record}" for record in resolution.records]
    elif resolution.rcode is None:
        lines = [f"{resolution.name} ({kind}): no server replied"]
    else:
        told = "no such record" if resolution.rcode == "NOERROR" else resolution.rcode
        lines = [f"{resolution.name} ({kind}): {told}"]
    rows = [
        [
            query.name,
            query.type,
            query.server,
            query.transport,
            _told(query.rcode, query.answers),
            "cached" if query.cached else "",
        ]
        for query in resolution.queries
    ]
    if rows:
        lines.append(f"{len(rows)} {'query' if len(rows) == 1 else 'queries'}:")
        lines += _table(rows)
    if resolution.upstream:
        steps = [
            [step.name, step.type, f"{step.address} ({step.server.rstrip('.')})", step.outcome]
            for step in resolution.upstream
        ]
        lines += ["meanwhile the recursive resolver asked:", *_table(steps)]
    return "\n".join(lines)


def _told(rcode: str | None, answers: int) -> str:
    if rcode is None:
        return "timeout"
    return "NODATA" if rcode == "NOERROR" and not answers else rcode


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
