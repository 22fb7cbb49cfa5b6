"""What clusters, tables and lists show of themselves in a shell and in a notebook."""

from __future__ import annotations

import html
import re

import pytest
import wavetank as wt
from wavetank.show import as_html


@pytest.fixture(scope="module")
def cluster() -> wt.Cluster:
    cluster = wt.Cluster(seed=7)
    cluster.add_nodes(cpu="4", memory="16Gi", count=2)
    metadata = {"name": "web"}
    containers = [{"name": "c", "image": "<script>"}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    cluster.create_many({**pod, "spec": {"containers": containers}}, 50, prefix="web-")
    cluster.run()
    return cluster


def cells(text: str) -> list[list[str]]:
    """Return the cells of an HTML table, row by row."""
    rows = re.findall(r"<tr>(.*?)</tr>", text)
    return [[html.unescape(c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t", row)] for row in rows]


def test_a_list_prints_as_kubectl_does(cluster: wt.Cluster) -> None:
    assert repr(cluster.get("nodes")) == (
        "NAME     STATUS   ROLES    AGE   VERSION\n"
        "node-0   Ready    <none>   0s    v1.36.3\n"
        "node-1   Ready    <none>   0s    v1.36.3"
    )


def test_a_long_list_is_cut_in_the_middle(cluster: wt.Cluster) -> None:
    lines = repr(cluster.get("pods")).split("\n")
    assert lines[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert len(lines) == 1 + 12 + 1 + 6 + 1
    assert lines[13] == "..."
    assert lines[-1] == "(50 in all)"
    rows = cells(cluster.get("pods")._repr_html_())
    assert len(rows) == 1 + 12 + 1 + 6
    assert all(len(row) == 5 for row in rows)


def test_namespaces_are_shown_when_there_are_several(cluster: wt.Cluster) -> None:
    copy = cluster.fork()
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    copy.create(config)
    copy.create(config, namespace="kube-system")
    found = cells(copy.get("configmaps")._repr_html_())
    assert [row[:2] for row in found] == [
        ["NAMESPACE", "NAME"],
        ["default", "a"],
        ["kube-system", "a"],
    ]


def test_a_table_shows_its_columns_and_names_those_that_do_not_fit(
    cluster: wt.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = repr(cluster.pods).split("\n")
    assert lines[0].split()[:5] == ["namespace", "name", "node", "phase", "ready"]
    assert lines[1].split()[:5] == ["default", "web-0", "node-0", "Running", "True"]
    assert all(len(line) <= 60 for line in lines[:-1])
    assert lines[-2] == "(50 in all)"
    assert lines[-1].startswith("not shown: memory_bytes, ")
    assert cells(cluster.pods._repr_html_())[0] == cluster.pods.columns


def test_empty_ones_say_so() -> None:
    cluster = wt.Cluster()
    assert repr(cluster.pods) == "no pods"
    assert repr(cluster.get("deploy")) == "no deployments"
    assert cluster.pods._repr_html_() == "<p>no pods</p>"


def test_a_cluster_counts_its_objects(cluster: wt.Cluster) -> None:
    rows = dict(cells(cluster._repr_html_())[1:])
    assert rows["nodes"] == "2"
    assert rows["pods"] == "50"
    assert "deployments.apps" not in rows


def test_what_objects_say_is_not_taken_for_html() -> None:
    assert "<script>" not in as_html(["a"], [["<script>"]], 1)
