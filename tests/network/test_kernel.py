"""A real kernel takes our rules, and shows the same ones when asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from wavetank.network import ProxyOptions
from wavetank.network.proxy import Family

from . import kernel
from .clusters import busy_cluster, dual_cluster

#: The kernel here has no counters of kube-proxy's.
OPTIONS = ProxyOptions(counters=False)


@pytest.mark.parametrize("backend", kernel.BACKENDS)
def test_the_kernel_shows_the_rules_it_was_given(backend: str, tmp_path: Path) -> None:
    kernel.need(backend)
    rules = tmp_path / "rules"
    given = busy_cluster().iptables("node-0", options=OPTIONS)
    rules.write_text(given)
    shown = kernel.run(
        f"iptables-{backend}-restore --noflush --counters < {rules}; iptables-{backend}-save"
    )
    assert shown.stderr == ""
    assert kernel.parse(shown.stdout) == kernel.parse(given)


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize("backend", kernel.BACKENDS)
def test_the_kernel_shows_the_rules_of_both_families(
    backend: str, family: Family, tmp_path: Path
) -> None:
    kernel.need(backend, family)
    rules = tmp_path / "rules"
    given = dual_cluster().iptables("node-0", family=family, options=OPTIONS)
    assert given.count("KUBE-SEP-") > 8
    assert given.count(" -j REJECT") > 1
    rules.write_text(given)
    name = f"{kernel.PROGRAMS[family]}-{backend}"
    shown = kernel.run(f"{name}-restore --noflush --counters < {rules}; {name}-save")
    assert shown.stderr == ""
    assert kernel.parse(shown.stdout) == kernel.parse(given)


@pytest.mark.parametrize("backend", kernel.BACKENDS)
def test_the_kernel_follows_from_sync_to_sync(backend: str, tmp_path: Path) -> None:
    kernel.need(backend)
    cluster = busy_cluster()
    proxy = cluster.kube_proxy("node-0", options=OPTIONS)
    texts = [proxy.sync()]
    cluster.delete("service", "web", namespace="default")
    texts.append(proxy.sync())
    cluster.scale("deployment/api", replicas=2)
    cluster.run(until="settled")
    texts.append(proxy.sync())
    steps = []
    for number, text in enumerate(texts):
        (tmp_path / str(number)).write_text(text)
        steps.append(f"iptables-{backend}-restore --noflush --counters < {tmp_path / str(number)}")
    shown = kernel.run("; ".join([*steps, f"iptables-{backend}-save"]))
    assert shown.stderr == ""
    now = cluster.iptables("node-0", options=OPTIONS)
    assert kernel.parse(shown.stdout) == kernel.parse(now)


def test_rules_that_differ_are_told_apart() -> None:
    one = "*nat\n:KUBE-A - [0:0]\n-A KUBE-A -s 10.0.0.1/32 -j KUBE-B\nCOMMIT\n"
    assert kernel.parse(one) == kernel.parse(one.replace("/32", ""))
    for other in ("10.0.0.2/32", "10.0.0.1/31", "! 10.0.0.1/32"):
        assert kernel.parse(one) != kernel.parse(one.replace("10.0.0.1/32", other))


def test_a_cluster_for_the_kernel_has_every_sort_of_rule() -> None:
    text = busy_cluster().iptables("node-0")
    for sort in ("SVC", "SVL", "EXT", "FW", "SEP"):
        assert f":KUBE-{sort}-" in text
    for word in ("REJECT", "DROP", "--rcheck", "--probability", "--dport 3"):
        assert word in text
