"""``wavetank explain``: output, forms, arguments and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner
from wavetank.cli import application

from .clusters import add, cluster, pod, small


@pytest.fixture
def saved(tmp_path: Path) -> str:
    made = add(cluster(small(count=2)), pod("a", cpu="700m"), pod("b", cpu="1"))
    made.create(pod("web", cpu="2"))
    path = tmp_path / "cluster.wt"
    made.save(path)
    return str(path)


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(application(["explain"]), ["explain", *words])
    return done.exit_code, done.output


WANTED = """\
pod/web is pending: no node takes it

NODES   ALONE   PLUGIN             WHY, ON THE NODE THAT COMES CLOSEST            NODE
2       2       NodeResourcesFit   asks 2 cpu, 1300m of 2 free: 700m too little   n-0

What would let it in, the least intrusive first; each was tried on a fork:
1.    ask for 700m less cpu: 1300m instead of 2         -> n-0
2.    one more node of 2 cpu and 4Gi                    -> n-2
3.    a priority of 1 (a new class priority-1), not 0   -> n-0, evicting a

0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: \
0/2 nodes are available: 2 No preemption victims found for incoming pod.
"""


@pytest.mark.parametrize("words", [["pod/web"], ["pod", "web"], ["web"], ["po/web"]])
def test_a_pending_pod(saved: str, words: list[str]) -> None:
    assert run(*words, "--cluster", saved) == (0, WANTED)


def test_every_node(saved: str) -> None:
    _, out = run("web", "--cluster", saved, "--every-node")
    assert "n-1    NodeResourcesFit   Insufficient cpu   2       1       1" in out


def test_json_and_yaml(saved: str) -> None:
    _, out = run("web", "--cluster", saved, "-o", "json")
    told = json.loads(out)
    assert told["state"] == "pending"
    assert told["changes"][0]["patches"][0]["operations"][0]["value"] == "1300m"
    _, out = run("web", "--cluster", saved, "-o", "yaml")
    assert yaml.safe_load(out) == told


def test_manifests_and_nodes_without_a_saved_cluster(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(json.dumps(pod("web", cpu="3")))
    code, out = run("pod/web", str(path), "--nodes", "2x2cpu,4Gi")
    assert code == 0
    assert "ask for 1 less cpu: 2 instead of 3" in out


def test_a_manifest_on_a_saved_cluster(saved: str, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(json.dumps(pod("new", cpu="1")))
    assert "pod/new would go to n-" in run(str(path), "--cluster", saved)[1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nope"], 1, 'Error from server (NotFound): pods "nope" not found'),
        (["deploy/web"], 1, 'Error from server (NotFound): deployments.apps "web" not found'),
        (["pods"], 2, "resource name may not be empty"),
        (["pod/a", "pod/b"], 2, "one pod is explained at a time"),
        (["web", "-o", "wide"], 2, "--output is table, json or yaml"),
        (["foo/web"], 2, "foo"),
    ],
)
def test_what_cannot_be_explained(saved: str, words: list[str], code: int, said: str) -> None:
    done, out = run(*words, "--cluster", saved)
    assert done == code
    assert said in out


def test_a_manifest_that_is_not_there(saved: str) -> None:
    code, out = run("new.yaml", "--cluster", saved)
    assert code == 2
    assert 'the path "new.yaml" does not exist' in out


def test_a_pod_of_another_namespace_is_pointed_at(tmp_path: Path) -> None:
    manifest = tmp_path / "there.yaml"
    manifest.write_text(
        "{apiVersion: v1, kind: Namespace, metadata: {name: there}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: there},"
        " spec: {containers: [{name: a, image: b}]}}\n"
    )
    code, out = run("web", str(manifest), "--nodes", "1xm5.large")
    assert code == 1
    assert out == (
        'Error from server (NotFound): pods "web" not found\n'
        "there is one in namespace there: add -n there\n"
    )


def test_nowhere_to_look() -> None:
    code, out = run("web")
    assert code == 2
    assert "nowhere to look" in out


def test_one_node(saved: str) -> None:
    wanted = "NodeResourcesFit: asks 2 cpu, 1300m of 2 free: 700m too little\n"
    assert run("web", "--cluster", saved, "--node", "n-0") == (0, wanted)
    assert run("a", "--cluster", saved, "--node", "n-0")[1] == "nothing keeps pod/a off n-0\n"
    code, out = run("web", "--cluster", saved, "--node", "n-9")
    assert (code, out) == (1, 'Error from server (NotFound): nodes "n-9" not found\n')
