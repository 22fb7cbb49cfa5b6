"""DNS on real sockets: answers, rubbish, and an independent reader of both."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator

import pytest
import wavetank as wt
from hypothesis import given, settings
from hypothesis import strategies as st
from wavetank import _core
from wavetank.network.serving import DnsServer

from .test_dns_golden import cluster, recorded

__all__ = ["cluster"]

NAME = "web.shop.svc.cluster.local"


@pytest.fixture(scope="module")
def server(cluster: wt.Cluster) -> Iterator[DnsServer]:
    with cluster.serve_dns(0) as server:
        yield server


def send(server: DnsServer, message: bytes, timeout: float = 2.0) -> bytes | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        client.connect((server.host, server.port))
        client.send(message)
        try:
            return client.recv(65535)
        except (TimeoutError, ConnectionRefusedError):
            return None


def over_tcp(server: DnsServer, *messages: bytes) -> list[bytes]:
    replies = []
    with socket.create_connection((server.host, server.port), timeout=5) as client:
        for message in messages:
            client.sendall(struct.pack("!H", len(message)) + message)
        stream = client.makefile("rb")
        for _ in messages:
            (length,) = struct.unpack("!H", stream.read(2))
            replies.append(stream.read(length))
    return replies


def addresses(reply: bytes | None) -> list[str]:
    message = _core.dns_message(reply or b"")
    assert message is not None
    return [record[3] for record in message["answer"]]


def test_answers_follow_the_cluster() -> None:
    cluster = wt.Cluster()
    query = _core.dns_query("web.default.svc.cluster.local", "A")
    with cluster.serve_dns(0) as server:
        assert addresses(send(server, query)) == []
        spec = {"clusterIP": "10.96.1.1", "ports": [{"port": 80}]}
        metadata = {"name": "web"}
        cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
        assert addresses(send(server, query)) == ["10.96.1.1"]
        cluster.delete("service", "web")
        assert addresses(send(server, query)) == []
        assert server.counters["udp"] == 3
        assert server.counters["nxdomain"] == 2
        port = server.port
    assert send(server, query, 0.2) is None
    assert server.counters["udp"] == 3, "counters stay"
    with cluster.serve_dns(port) as again:
        assert again.port == port
        with pytest.raises(OSError, match=f"127.0.0.1 port {port}"):
            cluster.serve_dns(port)


def test_both_transports_answer(server: DnsServer) -> None:
    query = _core.dns_query(NAME, "A")
    assert addresses(send(server, query)) == ["10.96.1.1"]
    replies = over_tcp(server, query, query, query)
    assert [addresses(reply) for reply in replies] == [["10.96.1.1"]] * 3


def test_what_does_not_fit_is_cut_and_says_so(server: DnsServer) -> None:
    crowd = "crowd.shop.svc.cluster.local"
    plain = send(server, _core.dns_query(crowd, "A"))
    assert plain is not None
    assert len(plain) <= 512
    assert plain[2] & 2, "truncated"
    assert 20 < len(addresses(plain)) < 60
    wide = send(server, _core.dns_query(crowd, "A", size=4096))
    assert len(addresses(wide)) == 60
    (whole,) = over_tcp(server, _core.dns_query(crowd, "A"))
    assert len(addresses(whole)) == 60
    assert not whole[2] & 2


@pytest.mark.parametrize(
    ("message", "rcode"),
    [
        (b"", None),
        (b"\x00" * 11, None),
        (b"\x12\x34\x81\x00" + b"\x00" * 8, None),
        (b"\x12\x34\x01\x00" + b"\x00" * 8, "FORMERR"),
        (b"\x12\x34\x01\x00\x00\x02" + b"\x00" * 6, "FORMERR"),
        (b"\x12\x34\x01\x00\x00\x01" + b"\x00" * 6 + b"\x03abc", "FORMERR"),
        (b"\x12\x34\x01\x00\x00\x01" + b"\x00" * 6 + b"\xc0\x0c\x00\x01\x00\x01", "FORMERR"),
        (b"\x12\x34\x01\x00\x00\x01" + b"\x00" * 6 + b"\x7fabc\x00\x00\x01\x00\x01", "FORMERR"),
        (b"\x12\x34\x29\x00\x00\x01" + b"\x00" * 6 + b"\x00\x00\x01\x00\x01", "NOTIMP"),
        (b"\x12\x34\x01\x00\x00\x01" + b"\x00" * 6 + b"\x00\x00\x01\x00\x03", "REFUSED"),
    ],
)
def test_malformed_messages_are_counted(
    server: DnsServer, message: bytes, rcode: str | None
) -> None:
    before = server.counters
    reply = send(server, message, 0.3 if rcode is None else 2.0)
    seen = None if reply is None else _core.dns_message(reply)
    assert (None if seen is None else seen["rcode"]) == rcode
    if seen is not None:
        assert seen["id"] == 0x1234
    after = server.counters
    words = {None: "ignored", "FORMERR": "malformed", "NOTIMP": "not_implemented"}
    counter = words.get(rcode, "refused")
    assert after[counter] == before[counter] + 1


def test_another_version_of_edns_is_not_known(server: DnsServer) -> None:
    query = bytearray(_core.dns_query(NAME, "A", size=1232))
    query[-5] = 1
    reply = send(server, bytes(query))
    assert reply is not None
    message = _core.dns_message(reply)
    assert message is not None
    assert (message["rcode"], message["answer"]) == ("BADVERS", [])
    assert message["edns"]["version"] == 0


def test_streams_that_break_off_are_closed(server: DnsServer) -> None:
    before = server.counters["connections"]
    for start in (b"", b"\x00", b"\x00\x20abc", b"\xff\xff" + b"x" * 100):
        with socket.create_connection((server.host, server.port), timeout=5) as client:
            client.sendall(start)
    assert addresses(over_tcp(server, _core.dns_query(NAME, "A"))[0]) == ["10.96.1.1"]
    assert server.counters["connections"] >= before + 5


@settings(max_examples=300, deadline=None)
@given(message=st.binary(max_size=100), base=st.booleans(), seed=st.integers(0, 2**32))
def test_rubbish_breaks_nothing(cluster: wt.Cluster, message: bytes, base: bool, seed: int) -> None:
    rng = random.Random(seed)
    if base:
        changed = bytearray(_core.dns_query(NAME, rng.choice(["A", "SRV", "ANY"]), size=700))
        for _ in range(rng.randrange(4)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        message = bytes(changed[: rng.randrange(len(changed) + 1)]) + message
    reply = cluster.world.dns_exchange("10.96.0.10", message)
    assert reply is None or _core.dns_message(reply) is not None


def test_rubbish_on_the_wire_leaves_the_server_well(server: DnsServer) -> None:
    rng = random.Random(7)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((server.host, server.port))
        for _ in range(2000):
            client.send(rng.randbytes(rng.randrange(1, 120)))
    assert addresses(send(server, _core.dns_query(NAME, "A"))) == ["10.96.1.1"]
    assert server.counters["panics"] == 0


def test_an_independent_reader_agrees(server: DnsServer, cluster: wt.Cluster) -> None:
    pytest.importorskip("dns", reason="dnspython is not installed")
    import dns.message
    import dns.query
    import dns.rdatatype

    kinds = ["A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "SOA", "NS"]
    compared = 0
    for name in sorted({str(answer[0]) for answer in recorded()})[::3]:
        for kind in kinds:
            query = dns.message.make_query(name, kind, use_edns=True, payload=4096)
            theirs = dns.query.udp(query, server.host, port=server.port, timeout=5)
            ours = _core.dns_message(theirs.to_wire())
            raw = cluster.world.dns_exchange("10.96.0.10", query.to_wire())
            assert raw is not None
            read = _core.dns_message(raw)
            assert ours is not None
            assert read is not None
            if read["flags"] & 0x0200:
                # Which records were left out depends on their order, which is random.
                continue
            for section, records in zip(
                ("answer", "authority", "additional"),
                (theirs.answer, theirs.authority, theirs.additional),
                strict=True,
            ):
                expected = sorted(
                    (
                        rrset.name.to_text(),
                        rrset.ttl,
                        dns.rdatatype.to_text(rrset.rdtype),
                        one.to_text(),
                    )
                    for rrset in records
                    for one in rrset
                )
                assert sorted(map(tuple, read[section])) == expected
                compared += len(expected)
    assert compared > 300
