"""The rules of a node of a cluster, asked for from Python and from the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import wavetank as wt
from typer.testing import CliRunner
from wavetank.cli import application
from wavetank.network import ProxyOptions

from .clusters import busy_cluster


def targets(text: str) -> list[str]:
    """Return the endpoints of a text of rules."""
    return sorted(re.findall(r"--to-destination (\S+)", text))


def addresses(cluster: wt.Cluster, app: str, node: str | None = None) -> set[str]:
    """Return the addresses of the pods of an app, on a node or anywhere."""
    pods = cluster.get("pods", namespace="default", label_selector=f"app={app}")
    return {
        pod["status"]["podIP"] for pod in pods if node is None or pod["spec"]["nodeName"] == node
    }


@pytest.fixture(scope="module")
def cluster() -> wt.Cluster:
    return busy_cluster()


def test_rules_follow_the_pods_of_a_cluster(cluster: wt.Cluster) -> None:
    text = cluster.iptables("node-0")
    every = {f"{address}:8080" for app in ("web", "api") for address in addresses(cluster, app)}
    assert len(every) == 10
    assert every <= set(targets(text))
    assert "--random-fully" in text
    assert "-j MARK --or-mark 0x00004000" in text
    branch = cluster.fork()
    branch.scale("deployment/web", replicas=0)
    branch.run(until="settled")
    assert "default/web:http has no endpoints" in branch.iptables("node-0")
    assert cluster.iptables("node-0") == text, "a branch changes nothing here"


def test_nodes_differ_in_what_is_kept_on_them(cluster: wt.Cluster) -> None:
    (home,) = [
        pod["spec"]["nodeName"]
        for pod in cluster.get("pods", namespace="default", label_selector="app=local")
    ]
    other = next(f"node-{n}" for n in range(3) if f"node-{n}" != home)
    dropped = r'"default/local:http has no local endpoints" .* -j DROP'
    assert not re.search(dropped, cluster.iptables(home))
    assert re.search(dropped, cluster.iptables(other))


def test_a_sync_writes_what_changed_and_deletes_what_is_gone(cluster: wt.Cluster) -> None:
    branch = cluster.fork()
    proxy = branch.kube_proxy("node-0")
    assert proxy.sync() == branch.iptables("node-0")
    assert not re.search("^:KUBE-SEP-", proxy.sync(), re.MULTILINE)
    branch.delete("service", "web", namespace="default")
    text = proxy.sync()
    assert len(re.findall(r"^-X KUBE-SEP-", text, re.MULTILINE)) == 5
    assert "default/web" not in text
    assert "default/api:http loadbalancer IP" in text


def test_rules_are_the_same_after_save_and_load(cluster: wt.Cluster, tmp_path: Path) -> None:
    cluster.save(tmp_path / "c.wt")
    assert wt.Cluster.load(tmp_path / "c.wt").iptables("node-1") == cluster.iptables("node-1")


def test_options_show(cluster: wt.Cluster) -> None:
    def text(**options: object) -> str:
        return cluster.iptables("node-0", options=ProxyOptions(**options))  # type: ignore[arg-type]

    assert "nfacct" not in text(counters=False)
    assert "-s 10.244.0.0/16 -j" in text(cluster_cidr="10.244.0.0/16")
    assert "! -s" not in text(cluster_cidr=(), localhost_node_ports=False)
    assert "--or-mark 0x00000100" in text(masquerade_bit=8)
    assert "--dst-type LOCAL -j KUBE-NODEPORTS" not in text(node_port_addresses=["172.16.0.0/12"])
    six = cluster.iptables("node-0", family="IPv6")
    assert "! -d ::1/128 -j KUBE-NODEPORTS" in six
    assert "default/" not in six


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"node": "node-9"}, wt.NotFoundError, 'nodes "node-9" not found'),
        (
            {"family": "IPv5"},
            ValueError,
            'Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
        ),
        (
            {"options": ProxyOptions(cluster_cidr="10.0.0.0")},
            ValueError,
            'cluster_cidr: "10.0.0.0": must be a valid CIDR value, '
            "(e.g. 10.9.8.0/24 or 2001:db8::/64)",
        ),
        (
            {"options": ProxyOptions(masquerade_bit=32)},
            ValueError,
            "masquerade_bit: 32: must be within the range [0, 31]",
        ),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(
    cluster: wt.Cluster, arguments: dict[str, object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error) as raised:
        cluster.iptables(**{"node": "node-0", **arguments})  # type: ignore[arg-type]
    assert str(raised.value) == sentence


def test_the_command_prints_the_text(cluster: wt.Cluster, tmp_path: Path) -> None:
    path = str(tmp_path / "c.wt")
    cluster.save(path)

    def run(*words: str) -> tuple[int, str, str]:
        arguments = ["iptables", *words, "--cluster", path]
        done = CliRunner().invoke(application(arguments), arguments)
        return done.exit_code, done.stdout, done.stderr

    assert run("node-0") == (0, cluster.iptables("node-0"), "")
    options = ProxyOptions(counters=False)
    wanted = cluster.iptables("node-0", family="IPv6", options=options)
    assert run("node-0", "--family", "ipv6", "--no-counters") == (0, wanted, "")
    assert run("node-9") == (2, "", 'error: nodes "node-9" not found\n')
    code, out, said = run("node-0", "--cluster-cidr", "pods")
    assert (code, out) == (2, "")
    assert said.startswith('error: cluster_cidr: "pods": must be a valid CIDR value')
