"""``wavetank plan`` as people type it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import Command

HERE = Path(__file__).parent
POOL = "3xm5.large,zones=3"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def shop(root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(root)
    return "examples/shop"


def test_the_plan_of_the_shop_reads_as_recorded(command: Command, shop: str) -> None:
    done = command("plan", shop, "--nodes", POOL)
    assert done.code == 1
    assert done.err == ""
    assert done.out == (HERE / "golden/shop.txt").read_text()


def test_it_fits_one_node_further(command: Command, shop: str) -> None:
    done = command("plan", shop, "--nodes", "4xm5.large,zones=3")
    assert done.code == 0
    assert done.out.startswith("Fits: 33 pods on 4 nodes.\n")


@pytest.mark.parametrize("pool", [POOL, "40xm5.large,zones=3", "1x1cpu,1Gi"])
def test_a_terminal_of_80_columns_gets_colours_and_no_longer_lines(
    command: Command, shop: str, monkeypatch: pytest.MonkeyPatch, pool: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    done = command("plan", shop, "--nodes", pool)
    assert "\x1b[" in done.out
    assert max(len(_COLOUR.sub("", line)) for line in done.out.splitlines()) <= 80
    assert "…" not in done.out


def test_what_no_terminal_reads_has_no_colours_and_no_blanks_at_line_ends(
    command: Command, shop: str
) -> None:
    lines = command("plan", shop, "--nodes", POOL).out.splitlines()
    assert not any("\x1b" in line for line in lines)
    assert [line for line in lines if line != line.rstrip()] == []


def test_json_and_yaml_say_the_same(command: Command, shop: str) -> None:
    as_json = json.loads(command("plan", shop, "--nodes", POOL, "-o", "json").out)
    as_yaml = yaml.safe_load(command("plan", shop, "--nodes", POOL, "-o", "yaml").out)
    assert as_json == as_yaml
    assert (as_json["fits"], as_json["pods"], as_json["pending"]) == (False, 32, 2)
    search = next(row for row in as_json["workloads"] if row["name"] == "search")
    assert (search["pods"], search["placed"], search["limits"]) == (2, 0, {"cpu": 3})
    payments = next(row for row in as_json["headroom"] if row["name"] == "payments")
    assert (payments["more"], payments["limits"]) == (1, {"pod anti-affinity": 3})
    assert as_json["pools"][0]["resources"]["cpu"] == {"requested": 4890, "allocatable": 5790}
    assert as_json["refused"] == []


def test_many_nodes_are_shown_in_groups(command: Command, shop: str) -> None:
    done = command("plan", shop, "--nodes", "400xm5.large,zones=3", "--no-headroom")
    nodes = done.out[done.out.index("NODES  OF POOL") :].splitlines()
    assert (
        sum(
            int(line.split()[0])
            for line in nodes[1:]
            if line and line[0] in " 0123456789" and line.split()[0].isdigit()
        )
        == 400
    )
    assert len(nodes) < 30
    every = command("plan", shop, "--nodes", "400xm5.large,zones=3", "--no-headroom", "--all")
    assert sum(line.startswith("m5-large-") for line in every.out.splitlines()) == 400


def test_a_saved_run_can_be_planned_on(command: Command, shop: str, tmp_path: Path) -> None:
    file = tmp_path / "shop.wavetank"
    command("run", shop, "--nodes", POOL, "--save", file)
    done = command("plan", "--cluster", file, "--nodes", "1xm5.large,zones=a", "-o", "json")
    answer = json.loads(done.out)
    assert done.code == 0
    assert [(pool["pool"], pool["nodes"]) for pool in answer["pools"]] == [("m5-large", 4)]
    assert answer["pods"] == 33


def test_a_dump_is_planned_on_as_it_is(command: Command, tmp_path: Path) -> None:
    dump = tmp_path / "dump.yaml"
    dump.write_text(
        """
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Node
  metadata: {name: m1}
  status: {allocatable: {cpu: "2", memory: 4Gi, pods: "10"}, capacity: {cpu: "2"},
           conditions: [{type: Ready, status: "True"}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: old, namespace: default}
  spec:
    nodeName: m1
    containers: [{name: c, image: i, resources: {requests: {cpu: 1500m}}}]
  status: {phase: Running}
"""
    )
    new = "apiVersion: v1\nkind: Pod\nmetadata: {name: new}\nspec:\n  containers:\n"
    new += "  - {name: c, image: i, resources: {requests: {cpu: 600m}}}\n"
    done = command("plan", "-", "--cluster", dump, "-o", "json", stdin=new)
    answer = json.loads(done.out)
    assert done.code == 1
    assert {row["name"]: row["placed"] for row in answer["workloads"]} == {"old": 1, "new": 0}
    assert answer["pools"][0]["resources"]["cpu"] == {"requested": 1500, "allocatable": 2000}


def test_a_table_of_ones_own_machines(command: Command, shop: str, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("type,cpu,memory_mib,max_pods,price_usd_hour\nrack,32,131072,250,1.5\n")
    done = command("plan", shop, "--nodes", "3xrack,zones=3", "--catalogue", file, "-o", "json")
    answer = json.loads(done.out)
    assert done.code == 0
    assert answer["pools"][0]["price_usd_hour"] == 4.5


def test_missing_namespaces_are_made_with_a_note(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: team}\n"
        "spec: {containers: [{name: c, image: i}]}\n"
    )
    done = command("plan", file, "--nodes", "1x2cpu,4Gi")
    assert done.code == 0
    note = "Note: created the namespace team, which the manifests use and do not create.\n"
    assert note in done.out


def test_refused_objects_are_told_and_the_rest_is_planned(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "pods.yaml"
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {{name: {0}}}\nspec:\n  containers: [{1}]\n"
    good = pod.format("good", "{name: c, image: i}")
    bad = pod.format("bad", "{name: Not_A_Name, image: i}")
    file.write_text(f"{good}---\n{bad}")
    done = command("plan", file, "--nodes", "1x2cpu,4Gi")
    assert done.code == 2
    assert done.err.startswith(f"error: {file}:")
    assert 'Pod "bad" is invalid: spec.containers[0].name: Invalid value' in done.err
    assert done.out.startswith("Fits: 1 pod on 1 node.\n1 object refused, see above;")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to plan: give manifests, or --cluster"),
        (["{shop}"], "there are no nodes: say which, for example --nodes 3xm5.large,"),
        (["nope.yaml", "--nodes", POOL], 'the path "nope.yaml" does not exist'),
        (["{empty}", "--nodes", POOL], "error reading [{empty}]: recognized file extensions are"),
        (["{shop}", "--nodes", "3xm5.larg"], "no machine is called 'm5.larg'; did you mean"),
        (["{shop}", "--nodes", "0xm5.large"], "a pool has from 1 to 1,000,000 nodes, not 0"),
        (["{shop}", "--nodes", "-1xm5.large"], "a pool has from 1 to 1,000,000 nodes, not -1"),
        (["{shop}", "--nodes", "nodes.yaml"], "nodes.yaml"),
        (["{shop}", "--nodes", POOL, "--catalogue", "no.csv"], "no.csv: No such file or directory"),
        (["{shop}", "--cluster", "no.dump"], 'the path "no.dump" does not exist'),
        (["{shop}", "--nodes", POOL, "-o", "wide"], "--output is table, json or yaml, not 'wide'"),
    ],
)
def test_a_question_that_makes_no_sense_gets_one_sentence(
    command: Command, shop: str, tmp_path: Path, arguments: list[str], message: str
) -> None:
    words = [word.format(shop=shop, empty=tmp_path) for word in arguments]
    done = command("plan", *words)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert message.format(empty=tmp_path) in done.err
    assert done.err.count("\n") == 1


def test_a_reader_that_has_seen_enough_ends_it_quietly(shop: str) -> None:
    script = f"{sys.executable} -m wavetank plan {shop} --nodes {POOL} --all | head -1"
    done = subprocess.run(script, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout == "Does not fit: 2 of 32 pods have no place on 3 nodes.\n"
    assert done.stderr == ""


def test_the_help_has_examples_that_run(command: Command, shop: str) -> None:
    text = command("plan", "--help").out
    example = f"wavetank plan {shop} --nodes {POOL}"
    assert example in text
    assert command(*example.split()[1:]).code == 1


def test_many_warnings_are_cut_short(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "services.yaml"
    service = "apiVersion: v1\nkind: Service\nmetadata: {{name: s-{0}}}\n"
    service += "spec: {{selector: {{app: nothing}}, ports: [{{port: 80}}]}}\n"
    file.write_text("---\n".join(service.format(number) for number in range(14)))
    arguments = ["plan", file, "--nodes", "1x2cpu,4Gi"]
    few, every = command(*arguments), command(*arguments, "--all")
    assert few.err.count("selects no pod") == 10
    assert few.err.endswith("Warning: ... and 4 more\n")
    assert every.err.count("selects no pod") == 14
    assert len(json.loads(command(*arguments, "-o", "json").out)["warnings"]) == 14
