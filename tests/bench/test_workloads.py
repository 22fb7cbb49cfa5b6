"""Benchmark files: what is read from them, and what is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from wavetank.bench.errors import WorkloadError
from wavetank.bench.workloads import read, select

from .conftest import Files, only

Broken = Callable[..., str]

PODS = "- {opcode: createPods, count: 1, collectMetrics: true}\n"

TWO_CASES = """
- name: Small
  labels: [short]
  featureGates: {One: true, Two: true}
  workloadTemplate: &ops
  - {opcode: createPods, countParam: $pods, collectMetrics: true}
  workloads:
  - {name: a, labels: [performance], threshold: 12.5, params: {pods: 1}}
  - {name: b, featureGates: {Two: false}, params: {pods: 2}}
- name: Large
  workloadTemplate: *ops
  workloads:
  - {name: a, labels: [performance], threshold: {topic: 7, other: 8}, params: {pods: 3}}
  - {name: b, threshold: {other: 8}, params: {pods: 4}}
  - name: c
    threshold: 5
    thresholdMetricSelector: {name: scheduler_latency, dataBucket: Perc99, expectLower: true}
    params: {pods: 4}
"""


@pytest.fixture
def two_cases(tmp_path: Path) -> Path:
    """Return a folder with a benchmark file of two test cases."""
    (tmp_path / "topic").mkdir()
    (tmp_path / "topic" / "performance-config.yaml").write_text(TWO_CASES)
    return tmp_path


def test_workloads_are_found_in_folders_below(two_cases: Path) -> None:
    names = ["Small/a", "Small/b", "Large/a", "Large/b", "Large/c"]
    for path in (two_cases, two_cases / "topic", two_cases / "topic" / "performance-config.yaml"):
        assert [workload.full_name for workload in read(path)] == names


def test_a_workload_adds_to_its_test_case(two_cases: Path) -> None:
    first, second, *_ = read(two_cases)
    assert first.labels == ("short", "performance")
    assert second.feature_gates == {"One": True, "Two": False}


def test_a_threshold_is_for_the_topic_and_the_throughput(two_cases: Path) -> None:
    for path in (two_cases, two_cases / "topic", two_cases / "topic" / "performance-config.yaml"):
        found = [workload.threshold for workload in read(path)]
        assert found == [12.5, None, 7.0, None, None]


@pytest.mark.parametrize(
    ("filter_", "label", "names"),
    [
        (None, None, ["Small/a", "Small/b", "Large/a", "Large/b", "Large/c"]),
        ("Large", None, ["Large/a", "Large/b", "Large/c"]),
        ("/a", None, ["Small/a", "Large/a"]),
        ("*/b", None, ["Small/b", "Large/b"]),
        (None, "performance", ["Small/a", "Large/a"]),
        (None, "performance,-short", ["Large/a"]),
        (None, "+short,-performance", ["Small/b"]),
        ("Large", "performance", ["Large/a"]),
    ],
)
def test_workloads_are_chosen_by_name_and_label(
    two_cases: Path, filter_: str | None, label: str | None, names: list[str]
) -> None:
    found = select(read(two_cases), filter_, label)
    assert [workload.full_name for workload in found] == names


def test_a_choice_of_nothing_lists_what_there_is(two_cases: Path) -> None:
    with pytest.raises(WorkloadError) as caught:
        select(read(two_cases), "Medium", "performance")
    assert str(caught.value) == "no workload matches 'Medium'; there are Small/a, Large/a"
    with pytest.raises(WorkloadError) as caught:
        select(read(two_cases), None, "fast")
    assert str(caught.value) == "no workload has the label fast; there are performance, short"


def test_a_path_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='the path ".*/nowhere" does not exist'):
        read(tmp_path / "nowhere")
    with pytest.raises(WorkloadError, match="no performance-config.yaml in this folder or below"):
        read(tmp_path)


FILE = "performance-config.yaml: "
PLACE = "performance-config.yaml: Case/work: "


@pytest.mark.parametrize(
    ("ops", "told"),
    [
        ("- {opcode: createNoodles}", 'op 0: unknown opcode "createNoodles"; there are'),
        ("- {count: 1}", 'op 0: unknown opcode "None"; there are allocResourceClaims, barrier,'),
        ("- createPods", "op 0: an op is a map with an opcode"),
        (
            "- {opcode: createPods, countParam: $pods, collectMetrics: true}",
            "op 0 (createPods): countParam='$pods': parameter pods is undefined",
        ),
        (
            "- {opcode: createPods, countParam: pods, collectMetrics: true}",
            "op 0 (createPods): invalid countParam='pods': a parameter is written $name",
        ),
        (
            PODS + "- {opcode: createNodes, count: -3}",
            "op 1 (createNodes): invalid count=-3: it is a whole number from 0 on",
        ),
        (
            "- {opcode: createPods, count: many}",
            "op 0 (createPods): invalid count=many: it is a whole number from 0 on",
        ),
        (
            "- {opcode: createPods, count: 1, color: red}",
            'op 0 (createPods): unknown field "color"',
        ),
        (
            "- {opcode: createPods, count: 1, collectMetrics: 1}",
            "op 0 (createPods): invalid collectMetrics=1: it is true or false",
        ),
        (
            "- {opcode: createPods, count: 1, collectMetrics: true, skipWaitToCompletion: true}",
            "op 0 (createPods): collectMetrics and skipWaitToCompletion cannot be true at the",
        ),
        (
            "- {opcode: createPods, count: 1, steadyState: true}",
            "op 0 (createPods): when creating pods in a steady state, the test duration must be",
        ),
        (
            "- {opcode: createPods, count: 1, steadyState: true, duration: soon}",
            "op 0 (createPods): invalid duration='soon': it is a duration such as 10s",
        ),
        (
            "- {opcode: churn, mode: often, templatePaths: [a]}",
            "op 0 (churn): invalid mode: often: it is recreate or create",
        ),
        (
            "- {opcode: churn, mode: recreate, templatePaths: [a]}",
            "op 0 (churn): number cannot be 0 when mode is recreate",
        ),
        (
            "- {opcode: churn, mode: create}",
            "op 0 (churn): at least one template spec file needs to be specified",
        ),
        (
            "- {opcode: barrier, stageRequirement: Done}",
            "op 0 (barrier): invalid StageRequirement Done: it is Scheduled or Attempted",
        ),
        ("- {opcode: createAny}", "op 0 (createAny): templatePath must be set"),
        ("- {opcode: deletePods}", "op 0 (deletePods): namespace must be set"),
        (
            "- {opcode: startCollectingMetrics}",
            "op 0 (startCollectingMetrics): namespaces cannot be empty",
        ),
        (
            "- {opcode: createNodes, count: 1, labelNodePrepareStrategy: {labelKey: a}}",
            "op 0 (createNodes): labelNodePrepareStrategy: labelValues must be set",
        ),
        ("- {opcode: sleep, duration: 1s}", "no op in the workload template collects metrics"),
        (
            "- {opcode: createPods, count: 1, podTemplatePath: no.yaml, collectMetrics: true}",
            "createPods: the template no.yaml does not exist",
        ),
        (
            PODS.replace("collect", "steadyState: false, collect") + "- {opcode: barrier,"
            " namespaces: [x]}",
            "op 1 (barrier): unknown namespace x",
        ),
        (
            "- {opcode: stopCollectingMetrics}",
            "op 0 (stopCollectingMetrics): missing startCollectingMetrics operation before",
        ),
        (
            "- {opcode: startCollectingMetrics, namespaces: [a]}\n" + PODS,
            "op 1 (createPods): metrics collection is overlapping",
        ),
        (
            "- {opcode: createAny, templatePath: templates/pod.yaml}\n" + PODS,
            "op 0 (createAny): namespace not set for pod.yaml, but Pod needs one",
        ),
        (
            "- {opcode: createAny, templatePath: templates/node.yaml, namespace: a}\n" + PODS,
            "op 0 (createAny): namespace a set for node.yaml, but Node has none",
        ),
    ],
)
def test_an_op_that_makes_no_sense_is_refused(broken: Broken, ops: str, told: str) -> None:
    if "barrier, namespaces" in ops:
        ops = "- {opcode: createNodes, count: 1}\n" + ops
        told = told.replace("op 1", "op 2")
    sentence = broken(ops)
    assert sentence.startswith(PLACE)
    assert told in sentence


def test_an_unused_parameter_is_refused(broken: Broken) -> None:
    told = broken(PODS, "{pods: 1, nodes: 2}")
    assert told == f"{PLACE}the parameters nodes, pods are defined but unused"


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("a: {{ Nope }}", 'templates/x.yaml:1: {{ Nope }}: function "Nope" not defined'),
        ("a: {{ DivideInt 1 .Index }}", "templates/x.yaml:1: error calling DivideInt: division by"),
        ("a: [", "templates/x.yaml:"),
        ("[]", "templates/x.yaml: an object is wanted"),
        ("", "templates/x.yaml: one object is wanted, not 0"),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {speed: 1}}",
            'op 0 (createPods): Pod in version "v1" cannot be handled as a Pod: strict decoding',
        ),
        (
            "{metadata: {name: a}, spec: {containers: []}}",
            'op 0 (createPods): Pod "a" is invalid: spec.containers: Required value',
        ),
    ],
)
def test_a_template_that_makes_no_object_is_refused(
    broken: Broken, template: str, told: str
) -> None:
    ops = "- {opcode: createPods, count: 1, podTemplatePath: templates/x.yaml,"
    assert told in broken(ops + " collectMetrics: true}", x=template)


def test_pods_nobody_schedules_end_the_workload_with_the_reason(broken: Broken) -> None:
    told = broken("- {opcode: createNodes, count: 1}\n- {opcode: createPods, count: 2,"
                  " podTemplatePath: templates/large.yaml, collectMetrics: true}",
                  large="{metadata: {generateName: p-}, spec: {containers: [{name: c, image: i,"
                  " resources: {requests: {cpu: '9'}}}]}}")  # fmt: skip
    assert "0 of 2 pods of namespace namespace-1 were scheduled in ten minutes" in told
    assert "0/1 nodes are available: 1 Insufficient cpu." in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no test cases defined: a benchmark file is a list of them"),
        ("a: 1", "no test cases defined: a benchmark file is a list of them"),
        ("[1]", "a test case is a map with a name"),
        ("- {name: A}", "A: no workloads defined"),
        ("- {name: A, workloads: [{name: a}]}", "A: no ops defined"),
        ("- {name: A, speed: 1}", 'A: unknown field "speed"'),
        ("- {name: A, workloads: [{}], workloadTemplate: [{}]}", "A: a workload is a map with a"),
        (
            "- {name: A, workloads: [{name: a, weight: 1}], workloadTemplate: [{}]}",
            'A/a: unknown field "weight"',
        ),
        (
            "- {name: A, workloads: [{name: a, threshold: -1}], workloadTemplate: [{}]}",
            "A/a: invalid threshold=-1: it is a number from 0 on",
        ),
        (
            "- {name: A, workloads: [{name: a}, {name: a}], workloadTemplate: [{}]}",
            "A/a: name is not unique",
        ),
        (
            "- {name: A, workloads: [{name: a}], workloadTemplate: [{}], schedulerConfigPath: x}",
            "A/a: the scheduler configuration ",
        ),
        ("a: [", ":"),
    ],
)
def test_a_file_that_is_no_benchmark_file_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "performance-config.yaml"
    path.write_text(text)
    with pytest.raises(WorkloadError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)


def test_dynamic_resource_allocation_is_a_reason_to_skip(files: Files) -> None:
    path = files("- {opcode: createResourceDriver, driverName: d, nodes: n}\n" + PODS)
    told = only(path).reason_to_skip()
    assert told == "needs dynamic resource allocation: createResourceDriver"
    kind = "apiVersion: resource.k8s.io/v1\nkind: DeviceClass\nmetadata: {name: a}\n"
    path = files("- {opcode: createAny, templatePath: templates/a.yaml}\n" + PODS, a=kind)
    told = only(path).reason_to_skip()
    assert told == "needs dynamic resource allocation: a.yaml has resource.k8s.io"
    assert only(files(PODS)).reason_to_skip() is None


def test_a_scheduler_configuration_is_taken(files: Files) -> None:
    from wavetank.bench.runner import execute

    text = """
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles: [{schedulerName: other}]
"""
    spec = "{schedulerName: other, containers: [{name: c, image: i}]}"
    pod = f"{{metadata: {{generateName: p-}}, spec: {spec}}}"
    path = files("- {opcode: createNodes, count: 1}\n" + PODS,
                 case="schedulerConfigPath: templates/config.yaml\n"
                      "defaultPodTemplatePath: templates/other.yaml",
                 config=text, other=pod)  # fmt: skip
    run = execute(only(path))
    assert run.cluster.get("pods")[0]["spec"]["schedulerName"] == "other"
    assert run.windows[0].pods == 1
