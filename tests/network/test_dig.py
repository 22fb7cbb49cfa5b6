"""``wavetank dig`` and ``wavetank dns``: what they print, beside what dig itself prints."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import wavetank as wt
from typer.testing import CliRunner
from wavetank.cli import application
from wavetank.network.dig import Ask, dig
from wavetank.network.serving import DnsServer

from .test_dns_golden import cluster as golden

__all__ = ["golden"]

ZONES = "examples/zones"
#: Lines that differ from run to run, and those of who is speaking.
_CHANGING = re.compile(r"^; <<>> DiG.*$|^;; (Query time|SERVER|WHEN).*$|, id: \d+", re.MULTILINE)


@pytest.fixture(scope="module")
def server(golden: wt.Cluster) -> Iterator[DnsServer]:
    with golden.serve_dns(0) as server:
        yield server


def plain(text: str) -> list[str]:
    """Lines without what changes; those of a section in one order, for addresses are shuffled."""
    paragraphs = _CHANGING.sub("", text).strip().split("\n\n")
    return [
        "\n".join(sorted(paragraph.split("\n"))) if "SECTION:" in paragraph else paragraph
        for paragraph in paragraphs
    ]


@pytest.mark.skipif(shutil.which("dig") is None, reason="dig is not installed (bind9-dnsutils)")
@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("web.shop.svc.cluster.local", "A", ""),
        ("web.shop.svc.cluster.local", "AAAA", ""),
        ("none.shop.svc.cluster.local", "A", ""),
        ("_pg._tcp.db.shop.svc.cluster.local", "SRV", ""),
        ("dns-version.cluster.local", "TXT", ""),
        ("cluster.local", "SOA", ""),
        ("cluster.local", "NS", "+noedns"),
        ("1.1.96.10.in-addr.arpa", "PTR", ""),
        ("crowd.shop.svc.cluster.local", "A", "+noedns"),
        ("crowd.shop.svc.cluster.local", "A", "+tcp"),
        ("ext.shop.svc.cluster.local", "A", "+norec"),
        ("ext-www.shop.svc.cluster.local", "AAAA", ""),
        ("txt.example.com", "TXT", ""),
        ("mail.example.com", "MX", ""),
        ("gone.example.com", "A", ""),
        ("_sip._udp.example.com", "SRV", ""),
        ("a-rather-long-name-that-is-not-there.shop.svc.cluster.local", "A", ""),
        ("web.shop.svc.cluster.local", "A", "+short"),
        ("ext.shop.svc.cluster.local", "A", "+short"),
    ],
)
def test_the_layout_is_that_of_dig(
    golden: wt.Cluster, server: DnsServer, name: str, kind: str, options: str
) -> None:
    command = ["dig", f"@{server.host}", "-p", str(server.port), "+nocookie", name, kind]
    command += options.split()
    asked = Ask(
        name + ".",
        kind,
        "10.96.0.10",
        recurse="+norec" not in options,
        short="+short" in options,
        tcp="+tcp" in options,
        edns="+noedns" not in options,
    )
    # Once for the caches, which both have then.
    for _ in range(2):
        ours, replied = dig(golden.world, asked, when="now", command=f"@10.96.0.10 {name}")
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    assert replied
    if asked.short:
        assert sorted(ours.split()) == sorted(done.stdout.split())
    else:
        assert plain(ours) == plain(done.stdout)


@pytest.mark.skipif(shutil.which("nslookup") is None, reason="nslookup is not installed")
def test_nslookup_is_answered(server: DnsServer) -> None:
    command = ["nslookup", f"-port={server.port}", "web.shop.svc.cluster.local", server.host]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    assert "Name:\tweb.shop.svc.cluster.local\nAddress: 10.96.1.1" in done.stdout


def run(root: Path, *words: str) -> tuple[int, str, str]:
    before = Path.cwd()
    os.chdir(root)
    try:
        done = CliRunner().invoke(application(words), list(words))
    finally:
        os.chdir(before)
    return done.exit_code, done.stdout, done.stderr


def test_a_trace_goes_from_the_root_down(root: Path) -> None:
    code, text, _ = run(root, "dig", "bench.lab.example.com", "+trace", "--zones", ZONES)
    assert code == 0
    asked = re.findall(r"^;; Received \d+ bytes from (\S+)", text, re.MULTILINE)
    assert asked == [
        "192.168.0.2#53(192.168.0.2)",
        "198.18.0.1#53(a.root-servers.example)",
        "198.18.1.1#53(a.gtld.example)",
        "198.18.2.1#53(ns1.example.com)",
        "198.18.2.9#53(ns.lab.example.com)",
    ]
    assert "bench.lab.example.com.\t120\tIN\tA\t203.0.113.99" in text


def test_the_shop_is_asked(root: Path) -> None:
    words = ("dig", "cart.shop", "+search", "+short", "examples/shop", "--nodes", "3xm5.large")
    code, text, _ = run(root, *words)
    assert code == 0
    assert re.fullmatch(r"10\.\d+\.\d+\.\d+\n", text)


def test_servers_are_named_and_addressed(root: Path) -> None:
    code, text, _ = run(
        root, "dig", "@ns1.example.com", "example.com", "MX", "+norec", "+short", "--zones", ZONES
    )
    assert (code, text) == (0, "10 mail.example.com.\n")
    code, text, _ = run(root, "dig", "@198.18.9.9", "example.com", "--zones", ZONES)
    assert code == 1
    assert "no servers could be reached" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["a..b"], 'DNS name "a..b": must not have empty labels'),
        (["example.com", "NOPE"], 'unknown record type "NOPE"'),
        (["example.com", "+nope"], "+nope: there is no such option of dig here"),
        (["@nowhere.example", "example.com"], "couldn't get address for 'nowhere.example'"),
        (["example.com", "A", "what"], "what: one name is asked for at a time"),
    ],
)
def test_bad_questions_are_told_in_a_sentence(root: Path, words: list[str], told: str) -> None:
    code, _, text = run(root, "dig", *words, "--zones", ZONES)
    assert code == 2
    assert told in " ".join(text.split())


def test_nowhere_to_look_is_told(root: Path) -> None:
    code, _, text = run(root, "dig", "example.com")
    assert code == 2
    assert "nowhere to look: give --cluster, manifests, or --zones" in text


def test_the_server_ends_with_a_summary(root: Path) -> None:
    command = [sys.executable, "-m", "wavetank", "dns", "--zones", ZONES, "--port", "0"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        port = int(re.findall(r"port (\d+)", first)[0])
        from wavetank import _core

        from .test_dns_served import addresses, send

        server = type("At", (), {"host": "127.0.0.1", "port": port})()
        try:
            found = addresses(send(server, _core.dns_query("api.example.com", "A")))
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=20)
        finally:
            process.kill()
        assert sorted(found) == ["203.0.113.20", "203.0.113.21"]
        assert process.returncode == 0
    assert re.match(r"answering for cluster.local \(\d+ services?\) on 127.0.0.1 port ", first)
    assert rest.endswith("\n1 query (1 UDP, 0 TCP): 1 NOERROR\n")
