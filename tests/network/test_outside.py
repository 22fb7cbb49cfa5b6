"""The world outside: zone files, referrals, and a resolver that remembers."""

from __future__ import annotations

from typing import Any

import pytest
import wavetank as wt
from wavetank import _core

ZONES = "examples/zones"


@pytest.fixture
def world(root: Any) -> wt.Cluster:
    cluster = wt.Cluster()
    cluster.set_dns(zones=root / ZONES)
    return cluster


def ask(world: wt.Cluster, server: str, name: str, kind: str = "A") -> dict[str, Any]:
    reply = world.world.dns_exchange(server, _core.dns_query(name, kind, flags=0))
    assert reply is not None
    message = _core.dns_message(reply)
    assert message is not None
    return message


def data(records: list[Any]) -> list[str]:
    return [f"{record[2]} {record[3]}" for record in records]


def outcomes(found: wt.network.Resolution) -> list[tuple[str, str]]:
    return [(step.address, step.outcome) for step in found.upstream]


def test_the_root_refers_with_glue(world: wt.Cluster) -> None:
    message = ask(world, "198.18.0.1", "www.example.com")
    assert not message["flags"] & 0x0400, "a referral is not authoritative"
    assert message["rcode"] == "NOERROR"
    assert message["answer"] == []
    assert data(message["authority"]) == ["NS a.gtld.example.", "NS b.gtld.example."]
    assert data(message["additional"]) == ["A 198.18.1.1", "A 198.18.1.2"]


def test_an_authority_answers_and_denies(world: wt.Cluster) -> None:
    message = ask(world, "198.18.2.1", "api.example.com")
    assert message["flags"] & 0x0400
    assert data(message["answer"]) == ["A 203.0.113.20", "A 203.0.113.21"]
    nothing = ask(world, "198.18.2.1", "api.example.com", "TXT")
    assert (nothing["rcode"], nothing["answer"]) == ("NOERROR", [])
    assert nothing["authority"][0][1:3] == [60, "SOA"]
    assert ask(world, "198.18.2.1", "gone.example.com")["rcode"] == "NXDOMAIN"
    between = ask(world, "198.18.2.1", "_tcp.example.com")
    assert between["rcode"] == "NOERROR", "a name with names below is there"
    assert ask(world, "198.18.2.1", "example.net")["rcode"] == "REFUSED"


def test_wildcards_stand_for_names_that_are_not_there(world: wt.Cluster) -> None:
    for name in ("a.apps.example.com", "a.b.apps.example.com"):
        message = ask(world, "198.18.2.1", name)
        assert message["answer"] == [[f"{name}.", 300, "A", "203.0.113.80"]]
    listed = ask(world, "198.18.2.1", "status.apps.example.com")
    assert data(listed["answer"]) == ["A 203.0.113.81"]
    below = ask(world, "198.18.2.1", "x.status.apps.example.com")
    assert below["rcode"] == "NXDOMAIN", "a name that is there hides the wildcard above it"


def test_a_server_refers_to_what_it_handed_on(world: wt.Cluster) -> None:
    message = ask(world, "198.18.2.1", "bench.lab.example.com")
    assert data(message["authority"]) == ["NS ns.lab.example.com."]
    assert data(message["additional"]) == ["A 198.18.2.9"]
    assert world.resolve("bench.lab.example.com.").addresses == ("203.0.113.99",)


def test_the_resolver_walks_down_once(world: wt.Cluster) -> None:
    first = world.resolve("api.example.com.", source="outside")
    assert outcomes(first) == [
        ("198.18.0.1", "referral"),
        ("198.18.1.1", "referral"),
        ("198.18.2.1", "NOERROR"),
    ]
    second = world.resolve("mail.example.com.", source="outside")
    assert outcomes(second) == [("198.18.2.1", "NOERROR")]
    assert outcomes(world.resolve("mail.example.com.", source="outside")) == []


def test_aliases_lead_across_zones(world: wt.Cluster) -> None:
    found = world.resolve("www.example.com.", source="outside")
    assert found.canonical_name == "edge.example.org."
    assert set(found.addresses) == {"203.0.113.40", "203.0.113.41"}
    assert [record.ttl for record in found.records] == [300, 60, 60]


def test_servers_without_glue_are_looked_up(world: wt.Cluster) -> None:
    found = world.resolve("partner.com.", source="outside")
    assert found.addresses == ("203.0.113.60",)
    assert ("198.18.3.1", "NOERROR") in outcomes(found)
    assert any(step.name == "ns1.example.org." for step in found.upstream)


def test_lame_and_silent_servers_are_passed_over(world: wt.Cluster) -> None:
    found = world.resolve("limping.com.", source="outside")
    assert found.addresses == ("203.0.113.70",)
    assert ("198.18.2.2", "lame (REFUSED)") in outcomes(found)
    assert ("198.18.9.9", "timeout") in outcomes(found)
    world.set_dns(silent=["198.18.2.1"])
    over = world.resolve("limping.com.", source="outside")
    assert over.rcode == "SERVFAIL"


def test_what_is_not_there_is_remembered_as_long_as_the_zone_says(world: wt.Cluster) -> None:
    name = "gone.example.com."
    assert world.resolve(name, source="outside").rcode == "NXDOMAIN"
    assert outcomes(world.resolve(name, source="outside")) == []
    # Nor is any other type, nor does anybody ask.
    assert outcomes(world.resolve(name, "TXT", source="outside")) == []
    world.advance(59)
    assert outcomes(world.resolve(name, source="outside")) == []
    world.advance(1)
    assert outcomes(world.resolve(name, source="outside")) == [("198.18.2.1", "NXDOMAIN")]


def test_records_grow_old(world: wt.Cluster) -> None:
    name = "edge.example.org."
    assert world.resolve(name, source="outside").records[0].ttl == 60
    world.advance(25)
    assert world.resolve(name, source="outside").records[0].ttl == 35
    world.advance(35)
    assert outcomes(world.resolve(name, source="outside")) == [("198.18.3.1", "NOERROR")]


def test_without_recursion_only_what_is_remembered_is_told(world: wt.Cluster) -> None:
    assert data(ask(world, "192.168.0.2", "api.example.com")["authority"])[0].startswith(
        "NS a.root"
    )
    world.resolve("api.example.com.", source="outside")
    known = ask(world, "192.168.0.2", "api.example.com")
    assert len(known["answer"]) == 2
    near = ask(world, "192.168.0.2", "mail.example.com")
    assert data(near["authority"]) == ["NS ns1.example.com.", "NS ns2.example.com."]


def test_a_server_is_believed_about_its_own_names_only() -> None:
    root = "$TTL 9\n. SOA a. b. 1 1 1 1 1\n. NS ns.\nns. A 192.0.2.1\nevil. NS ns.evil.\n"
    root += "ns.evil. A 192.0.2.66\nbank. NS ns.bank.\nns.bank. A 192.0.2.7\n"
    # The answer of evil. comes with an address for the bank that is not its own to give.
    evil = "$TTL 9\nevil. SOA ns.evil. b. 1 1 1 1 1\nevil. NS ns.evil.\nevil. MX 1 www.bank.\n"
    evil += "ns.evil. A 192.0.2.66\n"
    bank = "$TTL 9\nbank. SOA ns.bank. b. 1 1 1 1 1\nbank. NS ns.bank.\nns.bank. A 192.0.2.7\n"
    bank += "www.bank. A 192.0.2.8\n"
    world = wt.Cluster()
    world.set_dns(zones={"root.zone": root, "evil.zone": evil, "bank.zone": bank})
    world.resolve("evil.", "MX", source="outside")
    assert world.resolve("www.bank.", source="outside").addresses == ("192.0.2.8",)


def test_a_circle_of_aliases_ends() -> None:
    zone = "$TTL 9\n. SOA a. b. 1 1 1 1 1\n. NS ns.\nns. A 192.0.2.1\na. CNAME b.\nb. CNAME a.\n"
    world = wt.Cluster()
    world.set_dns(zones={"root.zone": zone})
    assert world.resolve("a.", source="outside").rcode == "SERVFAIL"


HEAD = "$TTL 60\n@ IN SOA ns hostmaster 1 2 3 4 5\n@ IN NS ns\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + "www IN A 10.0.0.256\n", 'z.test.zone:4: "10.0.0.256" is no A record'),
        (HEAD + "www IN BOGUS x\n", 'z.test.zone:4: unknown record type "BOGUS"'),
        (HEAD + "www IN MX mail\n", "z.test.zone:4: a MX record has 2 fields, and this one 1"),
        (HEAD + "a..b IN A 10.0.0.1\n", 'z.test.zone:4: DNS name "a..b": must not have empty'),
        (HEAD + "x" * 64 + " IN A 10.0.0.1\n", "z.test.zone:4: .*no more than 63 characters"),
        (HEAD + "www.other. IN A 10.0.0.1\n", "z.test.zone:4: www.other. is not within the zone"),
        (HEAD + "w IN A 10.0.0.1\nw IN CNAME x\n", "z.test.zone:5: w.z.test. has a CNAME record"),
        (HEAD + 'w IN TXT "open\n', "z.test.zone:4: a quote is not closed"),
        (HEAD + "w IN TXT ( a\nb\n", r"z.test.zone:4: a \( is not closed"),
        (HEAD + "w IN A\n", "z.test.zone:4: a A record says something, and this one nothing"),
        (HEAD + "$INCLUDE other\n", r"z.test.zone:4: \$INCLUDE is not supported"),
        (HEAD + "@ IN SOA ns h 1 2 3 4 5\n", "z.test.zone:4: a zone has one SOA record"),
        ("www 60 IN A 10.0.0.1\n", "z.test.zone: a zone has a SOA record, and there is none"),
        (" IN A 10.0.0.1\n", "z.test.zone:1: the first record must say whose it is"),
    ],
)
def test_what_is_wrong_with_a_zone_file_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        wt.Cluster().set_dns(zones={"z.test.zone": text})
    assert "\n" not in str(caught.value)


def test_zone_files_that_are_not_there_are_told(tmp_path: Any) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist"):
        wt.Cluster().set_dns(zones=tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="has no zone files"):
        wt.Cluster().set_dns(zones=tmp_path)
    text = "$ORIGIN z.\n" + HEAD
    with pytest.raises(ValueError, match="two.zone: the zone z. is in one.zone already"):
        wt.Cluster().set_dns(zones={"one.zone": text, "two.zone": text})


def test_zone_files_are_read_as_dnspython_reads_them(root: Any, world: wt.Cluster) -> None:
    zones = pytest.importorskip("dns.zone", reason="dnspython is not installed")
    servers = {zone: address for _, address, known in world.world.dns_servers() for zone in known}
    compared = 0
    for file in sorted((root / ZONES).iterdir()):
        origin = "." if file.stem == "root" else file.stem
        zone = zones.from_file(str(file), origin=origin, relativize=False, check_origin=False)
        apex = zone.origin.to_text()
        cuts = {
            name
            for name, node in zone.nodes.items()
            if name != zone.origin and any(rd.rdtype == 2 for rd in node.rdatasets)
        }
        for name, node in zone.nodes.items():
            if any(name.is_subdomain(cut) for cut in cuts):
                continue
            for wanted in node.rdatasets:
                kind = zones.dns.rdatatype.to_text(wanted.rdtype)
                found = ask(world, servers[apex], name.to_text(), kind)
                expected = sorted(f"{kind} {entry.to_text()}" for entry in wanted)
                assert sorted(data(found["answer"])) == expected
                assert {record[1] for record in found["answer"]} == {wanted.ttl}
                compared += 1
    assert compared > 30
