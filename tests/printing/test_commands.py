"""``wavetank get`` and ``describe``: what they refuse, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import wavetank as wt
from typer.testing import CliRunner
from wavetank.cli import application

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cluster = wt.Cluster()
    cluster.add_nodes(cpu="4", memory="16Gi", count=1)
    cluster.apply(CONFIG)
    cluster.run()
    path = tmp_path_factory.mktemp("clusters") / "cluster"
    cluster.save(path)
    return path


def run(saved: Path, *words: str) -> Result:
    arguments = [*words, "--cluster", str(saved)]
    return CliRunner().invoke(application(arguments), arguments)


#: Arguments, exit code, what is said on standard error. kubectl 1.36.3 says the same; it ends
#: with 1 where a question makes no sense, and with the number of 2 we tell that from "no".
SAID = {
    "get pods": (0, "No resources found in default namespace."),
    "get pods -n kube-system": (0, "No resources found in kube-system namespace."),
    "get pods -A": (0, "No resources found"),
    "get pv": (0, "No resources found"),
    "describe pods": (0, "No resources found in default namespace."),
    "get pods x": (1, 'Error from server (NotFound): pods "x" not found'),
    "get deploy/x": (1, 'Error from server (NotFound): deployments.apps "x" not found'),
    "describe pods x": (1, 'Error from server (NotFound): pods "x" not found'),
    "get pods x y": (
        1,
        'Error from server (NotFound): pods "x" not found\n'
        'Error from server (NotFound): pods "y" not found',
    ),
    "get hpa x -o yaml": (
        1,
        'Error from server (NotFound): horizontalpodautoscalers.autoscaling "x" not found',
    ),
    "get pods --field-selector foo=bar": (
        1,
        'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label '
        'selector "", field selector "foo=bar": field label not supported: foo',
    ),
    "get pods -l a===b": (
        1,
        'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label '
        'selector "a===b", field selector "": unable to parse requirement: found \'=\', '
        "expected: identifier",
    ),
    "get pods x -A": (2, "error: a resource cannot be retrieved by name across all namespaces"),
    "get pods x -l a=b": (2, "error: name cannot be provided when a selector is specified"),
    "get foo": (2, 'error: the server doesn\'t have a resource type "foo"'),
    "get pods,foo": (2, 'error: the server doesn\'t have a resource type "foo"'),
    "get po/x/y": (2, "error: arguments in resource/name form may not have more than one slash"),
    "get po/": (2, "error: arguments in resource/name form must have a single resource and name"),
    "get ns -o yaml --show-labels": (
        2,
        "error: --show-labels option cannot be used with yaml printer",
    ),
    "get ns -o custom-columns=A": (
        2,
        "error: unexpected custom-columns spec: A, expected <header>:<json-path-expr>",
    ),
    "get ns -o jsonpath={.a": (2, "error: unclosed action"),
}


@pytest.mark.parametrize("command", SAID)
def test_the_sentences_are_kubectls(saved: Path, command: str) -> None:
    code, sentence = SAID[command]
    done = run(saved, *command.split(" "))
    assert (done.exit_code, done.stderr, done.stdout) == (code, f"{sentence}\n", "")


def test_an_unknown_format_names_the_known_ones(saved: Path) -> None:
    done = run(saved, "get", "pods", "-o", "foo")
    assert done.exit_code == 2
    assert done.stderr.startswith(
        'error: unable to match a printer suitable for the output format "foo", allowed formats '
        "are: custom-columns=...,json,"
    )


def test_what_is_there_is_printed_beside_what_is_missing(saved: Path) -> None:
    done = run(saved, "get", "configmaps", "settings", "nope", "--no-headers", "-o", "name")
    assert done.exit_code == 1
    assert done.stdout == "configmap/settings\n"
    assert done.stderr == 'Error from server (NotFound): configmaps "nope" not found\n'


def test_describe_takes_the_beginning_of_a_name(saved: Path) -> None:
    done = run(saved, "describe", "cm", "sett")
    assert done.exit_code == 0
    assert done.stdout.startswith("Name:         settings\n")


def test_a_dump_is_a_cluster_too(tmp_path: Path) -> None:
    (tmp_path / "dump.yaml").write_text(CONFIG)
    assert run(tmp_path / "dump.yaml", "get", "cm", "-o", "name").stdout == "configmap/settings\n"


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    done = run(tmp_path / "nowhere", "get", "pods")
    assert (done.exit_code, done.stderr) == (
        2,
        f'error: the path "{tmp_path}/nowhere" does not exist\n',
    )


def test_objects_come_in_the_version_that_is_asked_for() -> None:
    cluster = wt.Cluster()
    target = {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}
    spec = {"maxReplicas": 3, "scaleTargetRef": target, "targetCPUUtilizationPercentage": 70}
    version, kind = "autoscaling/v1", "HorizontalPodAutoscaler"
    cluster.create({"apiVersion": version, "kind": kind, "metadata": {"name": "web"}, "spec": spec})
    assert cluster.get("hpa/web").api_version == "autoscaling/v2"
    assert (
        cluster.get("hpa")[0].spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    )
    old = cluster.get("horizontalpodautoscalers.v1.autoscaling", "web")
    assert old.api_version == "autoscaling/v1"
    assert old.spec["targetCPUUtilizationPercentage"] == 70
