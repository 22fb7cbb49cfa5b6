"""The way of one packet, asked for from Python and from the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import wavetank as wt
from typer.testing import CliRunner
from wavetank.cli import application
from wavetank.network import JUMPS, ProxyOptions, Trace

from .clusters import busy_cluster

CLIENT = "203.0.113.9"


@pytest.fixture(scope="module")
def cluster() -> wt.Cluster:
    return busy_cluster()


def pod_of(cluster: wt.Cluster, app: str, node: str | None = None) -> str:
    pods = cluster.get("pods", namespace="default", label_selector=f"app={app}")
    names = [p["metadata"]["name"] for p in pods if node in (None, p["spec"]["nodeName"])]
    return f"pod/{names[0]}"


def hooks(trace: Trace) -> list[str]:
    return [f"{table} {hook}" for hop in trace.ends[0].hops for table, hook in hop.hooks]


def test_all_ends_of_a_service_are_listed_with_their_chances(cluster: wt.Cluster) -> None:
    source = pod_of(cluster, "web")
    trace = cluster.trace(source, "web")
    pods = {p["metadata"]["name"] for p in cluster.get("pods", label_selector="app=web")}
    assert {end.pod for end in trace.ends} == pods
    assert [round(end.chance, 9) for end in trace.ends] == [0.2] * 5
    assert trace.verdict == "connected"
    assert trace.endpoint is None
    itself = [end for end in trace.ends if f"pod/{end.pod}" == source]
    assert [end.masqueraded for end in itself] == [True]
    assert sum(end.masqueraded for end in trace.ends) == 1
    assert hooks(trace) == ["nat PREROUTING", "filter FORWARD", "nat POSTROUTING"]


def test_every_rule_met_is_one_of_the_node(cluster: wt.Cluster) -> None:
    rules = set(cluster.iptables("node-0").splitlines()) | set(JUMPS.splitlines())
    for source, to in [("node/node-0", "web"), (CLIENT, "api"), ("node/node-0", "empty")]:
        trace = cluster.trace(source, to, node="node-0")
        assert {step.rule for step in trace.steps} <= rules
        for step in trace.steps:
            assert f"-A {step.chain} " in step.rule
            assert step.depth or step.chain == step.hook


@pytest.mark.parametrize(
    ("source", "to", "verdict", "why"),
    [
        ("node/node-0", "empty", "connection refused", "default/empty:http has no endpoints"),
        ("node/node-1", "inner", "timeout", "default/inner:http has no local endpoints"),
        ("node/node-0", "web:81", "routed away", "service default/web has no port 81/TCP: no rule"),
        ("node/node-0", "8.8.8.8:53", "routed away", "no rule: it leaves the cluster"),
        ("node/node-0", "node/node-1:10250", "connected", "the kubelet"),
        ("node/node-0", "node/node-1:9", "connection refused", "nothing on the node listens at 9"),
        ("203.0.113.200", "api", "timeout", "traffic not accepted by KUBE-FW-"),
        (CLIENT, "10.0.0.2:80", "timeout", "addresses of pods are not routed outside the cluster"),
        (CLIENT, "9.9.9.9:80", "routed away", "the address is not of this cluster"),
    ],
)
def test_what_a_sender_sees_where_no_endpoint_answers(
    cluster: wt.Cluster, source: str, to: str, verdict: str, why: str
) -> None:
    trace = cluster.trace(source, to)
    assert trace.verdict == verdict
    assert why in trace.ends[0].why
    assert why in str(trace)


def test_a_cluster_ip_is_not_routed_outside(cluster: wt.Cluster) -> None:
    address = cluster.get("service/web")["spec"]["clusterIP"]
    trace = cluster.trace("outside", f"{address}:80")
    assert trace.verdict == "timeout"
    entered = cluster.trace("outside", f"{address}:80", node="node-1")
    assert entered.verdict == "connected"
    assert all(end.masqueraded for end in entered.ends)


def test_a_node_port_of_another_node_meets_the_rules_of_both(cluster: wt.Cluster) -> None:
    port = cluster.get("service/web")["spec"]["ports"][0]["nodePort"]
    trace = cluster.trace("node/node-0", f"node/node-2:{port}")
    assert [hop.name for hop in trace.ends[0].hops] == ["node-0", "node-2"]
    assert {end.source for end in trace.ends} == {"172.16.0.4"}
    assert len(trace.ends) == 5


def test_a_load_balancer_sends_to_nodes_that_have_an_endpoint(cluster: wt.Cluster) -> None:
    trace = cluster.trace(CLIENT, "local")
    assert trace.balancer is not None
    assert len(trace.balancer.usable) == 1
    assert trace.endpoint is not None
    assert trace.endpoint.node == trace.balancer.usable[0].node
    assert trace.endpoint.source == CLIENT
    everywhere = cluster.trace(CLIENT, "api")
    assert round(sum(end.chance for end in everywhere.ends), 9) == 1
    assert len({end.hops[1].name for end in everywhere.ends}) == 3


def test_one_way_is_drawn_and_the_same_one_again(cluster: wt.Cluster) -> None:
    drawn = [cluster.trace("node/node-0", "web", draw=seed) for seed in range(1, 40)]
    assert all(len(trace.ends) == 1 for trace in drawn)
    assert len({trace.ends[0].pod for trace in drawn}) == 5
    assert cluster.trace("node/node-0", "web", draw=5) == drawn[4]
    assert "connected to pod/web-" in str(drawn[0])


def test_the_page_fits_and_shows_what_decided(cluster: wt.Cluster) -> None:
    trace = cluster.trace(pod_of(cluster, "web"), "web")
    page = trace.text(width=80)
    rules = page.split("CHANCE")[0].splitlines()
    assert max(map(len, rules)) <= 80
    assert "    20.0% " in page
    assert page.count("    DNAT ") == 5
    assert "    SNAT " in page
    assert "KUBE-PROXY-FIREWALL" not in page
    assert "KUBE-PROXY-FIREWALL" in trace.text(every=True)
    short = trace.text(most=2)
    assert "60.0%       ... 3 more branches" in short
    shown = trace._repr_html_()
    assert "&lt;" not in shown.split("<details>")[0]
    assert "KUBE-SVC-" in shown


def test_options_and_families_show(cluster: wt.Cluster) -> None:
    trace = cluster.trace("node/node-0", "web", options=ProxyOptions(cluster_cidr="172.16.0.0/12"))
    assert not any(end.masqueraded for end in trace.ends)
    with pytest.raises(ValueError, match=r"service/web has no IPv6 address"):
        cluster.trace("node/node-0", "web", family="IPv6")


@pytest.mark.parametrize(
    ("source", "to", "error", "sentence"),
    [
        ("pod/none", "web", wt.NotFoundError, 'pods "none" not found'),
        ("node/node-0", "none", wt.NotFoundError, 'services "none" not found'),
        ("node/node-0", "dns.default:54x", ValueError, "service/dns has no port 54x"),
        ("node/node-0", "dns", ValueError, "has several ports, dns 53, dns-tcp 53: say"),
        ("node/node-0", "10.96.0.1", ValueError, "which port? say 10.96.0.1:PORT"),
        ("node/node-0", "10.96.0.1:99999", ValueError, "must be between 1 and 65535, inclusive"),
        ("node/node-0", "deployment/web:80", ValueError, 'traffic goes to "NAME"'),
        ("here", "web", ValueError, 'a source is "pod/NAME"'),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(
    cluster: wt.Cluster, source: str, to: str, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=re.escape(sentence)):
        cluster.trace(source, to)


def test_the_command_prints_the_page_and_data(cluster: wt.Cluster, tmp_path: Path) -> None:
    path = str(tmp_path / "c.wt")
    cluster.save(path)

    def run(*words: str) -> tuple[int, str, str]:
        arguments = ["trace", *words, "--cluster", path]
        done = CliRunner(env={"COLUMNS": "80"}).invoke(application(arguments), arguments)
        return done.exit_code, done.stdout, done.stderr

    code, out, _ = run("node/node-0", "web", "--draw", "3")
    drawn = cluster.trace("node/node-0", "web", draw=3)
    assert (code, out) == (0, drawn.text(width=80) + "\n")
    code, out, _ = run("node/node-0", "dns:dns", "--protocol", "udp", "-o", "json")
    assert code == 0
    assert json.loads(out)["verdict"] == "connected"
    assert len(json.loads(out)["ends"]) == 5
    assert run("node/node-9", "web")[0] == 1
    assert run("pod/none", "web")[0] == 1
    assert run("node/node-0", "web", "--family", "5")[0] == 2


def test_both_families_have_rules_of_their_own() -> None:
    cluster = wt.Cluster(seed=2, service_cidr="10.96.0.0/16,fd00:10:96::/112")
    cluster.add_nodes(cpu="16", memory="64Gi", count=2, name="node", zones=["a", "b"])
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web"},
            "spec": {"containers": [{"name": "c", "image": "web:1"}]},
        }
    )
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"ports": [{"port": 80}], "ipFamilyPolicy": "PreferDualStack"},
        }
    )
    cluster.run()
    for entry in cluster.get("pod/web")["status"]["podIPs"]:
        kind = "IPv6" if ":" in entry["ip"] else "IPv4"
        labels = {"kubernetes.io/service-name": "web"}
        cluster.create(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {"name": f"web-{kind.lower()}", "labels": labels},
                "addressType": kind,
                "endpoints": [{"addresses": [entry["ip"]]}],
                "ports": [{"name": "", "port": 80}],
            }
        )
    four = cluster.trace("node/node-0", "web")
    six = cluster.trace("node/node-0", "web", family="IPv6")
    assert (four.verdict, six.verdict) == ("connected", "connected")
    assert four.endpoint is not None
    assert six.endpoint is not None
    assert four.endpoint.pod == six.endpoint.pod == "web"
    assert ":" in six.endpoint.address
    assert ":" not in four.endpoint.address
    assert "] -> " not in str(four)
    assert f"--to-destination [{six.endpoint.address}]:80" in str(six)
    assert cluster.trace("pod/web", f"[{six.target.address}]:80").verdict == "connected"
