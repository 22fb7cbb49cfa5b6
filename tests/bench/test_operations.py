"""Each opcode of benchmark files, and what it leaves behind."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from wavetank.bench.run import Run

from .conftest import MILLISECOND, NODE, SECOND, Play

NODES = "- {opcode: createNodes, count: 2, nodeTemplatePath: templates/node.yaml}\n"
COLLECTED = "- {opcode: createPods, count: 1, collectMetrics: true}\n"


def elapsed_ns(run: Run) -> int:
    from wavetank import clock

    return run.now_ns - clock.time_ns(clock.START)


def names(run: Run, kind: str, namespace: str | None = None) -> list[str]:
    return [item["metadata"]["name"] for item in run.cluster.get(kind, namespace=namespace)]


def test_nodes_are_named_after_their_template_and_labelled_with_their_name(play: Play) -> None:
    run = play(NODES + "- {opcode: createNodes, count: 3}\n" + COLLECTED)
    prefixes = Counter(name.rsplit("-", 1)[0] for name in names(run, "nodes"))
    assert prefixes == {"node": 2, "node-1": 3}
    for node in run.cluster.get("nodes"):
        assert node["metadata"]["labels"]["kubernetes.io/hostname"] == node["metadata"]["name"]
        pods = "10" if node["metadata"]["name"].count("-") == 1 else "110"
        assert node["status"]["allocatable"]["pods"] == pods


def test_a_label_goes_round_nodes_by_name(play: Play) -> None:
    run = play(
        "- opcode: createNodes\n  count: 5\n  labelNodePrepareStrategy:\n"
        "    {labelKey: zone, labelValues: [a, b, c]}\n" + COLLECTED
    )
    zones = [node["metadata"]["labels"]["zone"] for node in run.cluster.get("nodes")]
    assert zones == ["a", "b", "c", "a", "b"]


def test_every_node_can_have_a_label_of_its_own(play: Play) -> None:
    run = play(
        "- {opcode: createNodes, count: 4, uniqueNodeLabelStrategy: {labelKey: id}}\n" + COLLECTED
    )
    assert len({node["metadata"]["labels"]["id"] for node in run.cluster.get("nodes")}) == 4


def test_drivers_of_nodes_say_what_they_can_attach(play: Play) -> None:
    run = play("""
- opcode: createNodes
  count: 2
  nodeAllocatableStrategy:
    nodeAllocatable: {attachable-volumes-csi-x: "3"}
    csiNodeAllocatable: {x.csi: {count: 3}}
    migratedPlugins: [kubernetes.io/aws-ebs, kubernetes.io/gce-pd]
- {opcode: createPods, count: 1, collectMetrics: true}
""")
    found = run.cluster.get("csinodes")
    assert [item["metadata"]["name"] for item in found] == names(run, "nodes")
    for item in found:
        (driver,) = item["spec"]["drivers"]
        assert (driver["name"], driver["allocatable"]) == ("x.csi", {"count": 3})
        assert driver["nodeID"] == item["metadata"]["name"]
        migrated = item["metadata"]["annotations"]["storage.alpha.kubernetes.io/migrated-plugins"]
        assert migrated == "kubernetes.io/aws-ebs,kubernetes.io/gce-pd"


def test_pods_are_bound_in_a_namespace_of_their_op_and_nobody_runs_them(play: Play) -> None:
    run = play(
        NODES
        + """
- {opcode: createPods, countParam: $some, podTemplatePath: templates/pod.yaml}
- {opcode: createPods, count: 2, namespace: own, collectMetrics: true}
""",
        "{some: 3}",
    )
    pods = run.cluster.pods
    assert Counter(pods["namespace"]) == {"namespace-1": 3, "own": 2}
    assert all(pods["node"])
    assert set(pods["phase"]) == {"Pending"}
    assert set(pods["cpu_milli"]) == {1000, 100}
    (window,) = run.windows
    assert (window.name, window.pods, window.decisions, window.rejected) == ("own", 2, 2, 0)
    assert names(run, "endpointslices") == ["kubernetes"]


def test_a_pod_may_name_its_priority_itself(play: Play) -> None:
    pod = """
apiVersion: v1
kind: Pod
metadata: {generateName: p-}
spec: {priority: 10, containers: [{name: c, image: i}]}
"""
    run = play(
        NODES
        + "- {opcode: createPods, count: 1, podTemplatePath: templates/p.yaml,"
        + " collectMetrics: true}",
        p=pod,
    )
    assert run.cluster.pods["priority"].tolist() == [10]


def test_templates_are_rendered_for_each_index_and_spelled_as_go_reads_them(play: Play) -> None:
    pod = """
kind: Pod
metadata: {name: "p-{{ .Index }}", labels: {half: "{{ DivideInt .Count 2 }}"}}
spec:
  containers: [{name: c, image: i, Resources: {Requests: {cpu: "{{ AddInt .Index 1 }}"}}}]
"""
    run = play(
        NODES
        + "- {opcode: createPods, count: 2, podTemplatePath: templates/p.yaml,"
        + " collectMetrics: true}",
        p=pod,
    )
    found = run.cluster.get("pods")
    assert [item["metadata"]["name"] for item in found] == ["p-0", "p-1"]
    assert {item["metadata"]["labels"]["half"] for item in found} == {"1"}
    assert run.cluster.pods["cpu_milli"].tolist() == [1000, 2000]


def test_sets_of_pods_are_one_op_for_each_namespace(play: Play) -> None:
    run = play(
        """
- {opcode: createNodes, count: 1}
- {opcode: createNamespaces, prefix: a, count: 2, namespaceTemplatePath: templates/ns.yaml}
- opcode: createPodSets
  countParam: $sets
  namespacePrefix: a
  createPodsOp: {opcode: createPods, count: 3}
- {opcode: createPods, count: 1, collectMetrics: true}
""",
        "{sets: 3}",
        ns="{apiVersion: v1, kind: Namespace, metadata: {labels: {team: x}}}",
    )
    # The last op is the sixth once the sets are three.
    namespaces = Counter(run.cluster.pods["namespace"])
    assert namespaces == {"a-0": 3, "a-1": 3, "a-2": 3, "namespace-5": 1}
    labelled = run.cluster.get("namespaces", label_selector="team=x")
    assert [item["metadata"]["name"] for item in labelled] == ["a-0", "a-1"]


def test_churn_creates_in_virtual_time(play: Play) -> None:
    run = play(
        NODES
        + """
- {opcode: churn, mode: create, number: 3, intervalMilliseconds: 1000, namespace: churned,
   templatePaths: [templates/pod.yaml, templates/node.yaml]}
- {opcode: sleep, duration: 10s}
"""
        + COLLECTED
    )
    assert len(names(run, "nodes")) == 5
    created = run.cluster.pods["created"][np.array(run.cluster.pods["namespace"]) == "churned"]
    began = np.datetime64("2026-01-01T00:00:00")
    assert (created - began).astype("timedelta64[s]").astype(int).tolist() == [1, 2, 3]


@pytest.mark.parametrize(("seconds", "left"), [(1, 1), (2, 2), (3, 1), (4, 0), (5, 1)])
def test_churn_recreates_what_it_made_so_many_rounds_before(
    play: Play, seconds: int, left: int
) -> None:
    run = play(
        NODES
        + """
- {opcode: churn, mode: recreate, number: 2, intervalMilliseconds: 1000,
   templatePaths: [templates/node.yaml]}
- {opcode: sleep, durationParam: $long}
- {opcode: createPods, count: 0, collectMetrics: true}
""",
        f"{{long: {seconds}s}}",
    )
    assert len(names(run, "nodes")) == 2 + left
    assert elapsed_ns(run) == seconds * SECOND


def test_churn_goes_on_without_what_the_api_server_refuses(play: Play) -> None:
    run = play(
        NODES
        + """
- {opcode: churn, mode: create, intervalMilliseconds: 1000, templatePaths: [templates/fixed.yaml]}
- {opcode: sleep, duration: 3s}
"""
        + COLLECTED,
        fixed="{apiVersion: v1, kind: ConfigMap, metadata: {name: one}}",
    )
    assert names(run, "configmaps") == ["one"]
    assert run.notes == ['churn: configmaps "one" already exists']


@pytest.mark.parametrize(("skip", "left_before"), [("true", 4), ("false", 0)])
def test_pods_are_deleted_at_a_rate(play: Play, skip: str, left_before: int) -> None:
    ops = (
        NODES
        + "- {opcode: createPods, count: 4, namespace: a, podTemplatePath: templates/pod.yaml}\n"
        + "- {opcode: deletePods, namespace: a, deletePodsPerSecond: 2,"
        + f" skipWaitToCompletion: {skip}}}\n"
    )
    empty = "- {opcode: createPods, count: 0, collectMetrics: true}\n"
    run = play(ops + empty)
    assert len(run.pods("a")) == left_before
    # One second until the pods are found bound, two for four deletions.
    assert elapsed_ns(run) == (1 if left_before else 3) * SECOND
    run = play(ops + "- {opcode: sleep, duration: 1600ms}\n" + empty)
    assert len(run.pods("a")) == (1 if left_before else 0)


def test_pods_with_these_labels_are_deleted_at_once(play: Play) -> None:
    run = play(
        NODES
        + """
- {opcode: createPods, count: 2, namespace: a, podTemplatePath: templates/pod.yaml}
- {opcode: createPods, count: 3, namespace: a}
- {opcode: barrier, namespaces: [a]}
- {opcode: deletePods, namespace: a, labelSelector: {app: web}}
"""
        + COLLECTED
    )
    assert len(run.pods("a")) == 3
    assert len(run.pods("a", {"app": "web"})) == 0


def test_a_pod_with_time_to_stop_stays_since_no_kubelet_stops_it(play: Play) -> None:
    run = play(
        NODES
        + """
- {opcode: createPods, count: 2, namespace: a}
- {opcode: deletePods, namespace: a}
- {opcode: sleep, duration: 5m}
"""
        + COLLECTED
    )
    assert len(run.pods("a")) == 2
    pods = run.cluster.get("pods", namespace="a")
    assert all("deletionTimestamp" in pod["metadata"] for pod in pods)


LARGE = """
apiVersion: v1
kind: Pod
metadata: {generateName: large-, labels: {size: large}}
spec: {containers: [{name: c, image: i, resources: {requests: {cpu: "9"}}}]}
"""


def test_a_barrier_waits_for_what_was_tried(play: Play) -> None:
    run = play(
        NODES
        + """
- {opcode: createPods, count: 2, namespace: a, podTemplatePath: templates/large.yaml,
   skipWaitToCompletion: true}
- {opcode: barrier, stageRequirement: Attempted}
- {opcode: createPods, count: 0, collectMetrics: true}
""",
        large=LARGE,
    )
    assert run.scheduled("a") == 0
    assert run.attempted("a") == 2
    assert run.waiting == {"a": 2, "namespace-3": 0}


def test_a_barrier_waits_for_what_is_scheduled(play: Play) -> None:
    run = play("""
- {opcode: createPods, count: 3, namespace: a, skipWaitToCompletion: true}
- {opcode: churn, mode: create, number: 1, intervalMilliseconds: 2500,
   templatePaths: [templates/node.yaml]}
- {opcode: barrier, namespaces: [a], labelSelector: {}}
- {opcode: createPods, count: 0, collectMetrics: true}
""")
    assert run.scheduled("a") == 3
    assert elapsed_ns(run) >= 3 * SECOND
    assert elapsed_ns(run) % SECOND == 0
    assert run.waiting == {"namespace-3": 0}


def test_what_is_collected_is_counted_by_namespace_and_label(play: Play) -> None:
    run = play(
        NODES
        + """
- {opcode: startCollectingMetrics, name: mine, namespaces: [a, b], labelSelector: {app: web}}
- {opcode: createPods, count: 2, namespace: a, podTemplatePath: templates/pod.yaml}
- {opcode: createPods, count: 3, namespace: a}
- {opcode: createPods, count: 2, namespace: c, podTemplatePath: templates/pod.yaml}
- {opcode: createPods, count: 1, namespace: b, podTemplatePath: templates/large.yaml,
   skipWaitToCompletion: true}
- {opcode: barrier, namespaces: [b], stageRequirement: Attempted}
- {opcode: stopCollectingMetrics}
""",
        large=LARGE,
    )
    (window,) = run.windows
    assert window.name == "mine"
    assert (window.pods, window.decisions, window.rejected) == (2, 8, 1)
    assert window.deciding_s > 0
    assert window.p50_us is not None
    assert window.p99_us is not None
    assert 0 < window.p50_us <= window.p99_us


def test_a_steady_state_is_a_batch_after_the_other(play: Play) -> None:
    ops = (
        NODES
        + "- {opcode: createPods, count: 5, namespace: a, podTemplatePath: templates/pod.yaml,"
        + " steadyStateParam: $steady, durationParam: $long, collectMetrics: true}\n"
    )
    run = play(ops, "{steady: true, long: 1s}", cycle_ns=10 * MILLISECOND)
    (window,) = run.windows
    # A hundred cycles in a second, the last batch perhaps not all of it.
    assert 90 <= window.pods <= 100
    assert len(run.pods("a")) == 5
    assert elapsed_ns(run) == SECOND


def test_anything_can_be_created(play: Play) -> None:
    run = play(
        NODES
        + """
- {opcode: createAny, templatePath: templates/map.yaml, namespace: maps, countParam: $maps}
- {opcode: createAny, templatePath: templates/class.yaml}
"""
        + COLLECTED,
        "{maps: 2}",
        map="{apiVersion: v1, kind: ConfigMap, metadata: {name: 'm-{{.Index}}-of-{{.Count}}'}}",
        **{"class": "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass,"
           " metadata: {name: high}, value: 7}"},
    )  # fmt: skip
    assert names(run, "configmaps", "maps") == ["m-0-of-2", "m-1-of-2"]
    assert "high" in names(run, "priorityclasses")


def test_pods_and_nodes_are_updated_with_their_status_at_a_rate(play: Play) -> None:
    node = """
apiVersion: v1
kind: Node
metadata: {name: "n-{{ .Index }}"}
spec: {unschedulable: UNSCHEDULABLE}
status: {capacity: {pods: "PODS", cpu: "4", memory: 8Gi}}
"""
    closed = node.replace("UNSCHEDULABLE", "true").replace("PODS", "1")
    opened = node.replace("UNSCHEDULABLE", "false").replace("PODS", "2")
    run = play(
        """
- {opcode: createNodes, count: 2, nodeTemplatePath: templates/closed.yaml}
- {opcode: createPods, count: 4, namespace: a, skipWaitToCompletion: true}
- {opcode: barrier, stageRequirement: Attempted}
- {opcode: updateAny, templatePath: templates/opened.yaml, count: 2, updatePerSecond: 4}
- {opcode: barrier}
- {opcode: createPods, count: 0, collectMetrics: true}
""",
        closed=closed,
        opened=opened,
    )
    assert run.scheduled("a") == 4
    nodes = run.cluster.get("nodes")
    assert [item["status"]["allocatable"]["pods"] for item in nodes] == ["2", "2"]
    # A look at once and one after a second for each barrier, and two updates.
    assert elapsed_ns(run) == 2 * SECOND + SECOND // 2


def test_a_bound_pod_is_changed_and_resized(play: Play) -> None:
    pod = """
apiVersion: v1
kind: Pod
metadata: {name: "p-{{ .Index }}", labels: {LABELS}}
spec:
  containers: [{name: c, image: i, resources: {requests: {cpu: "CPU"}}}]
"""
    before = pod.replace("CPU", "2").replace("LABELS", 'color: "green-{{ .Index }}"')
    bare = pod.replace("CPU", "2").replace("LABELS", "") + "  nodeName: only\n"
    small = bare.replace('"2"', '"1"')
    only = NODE.replace("generateName: node-", "name: only")
    ops = """
- {opcode: createNodes, count: 1, nodeTemplatePath: templates/only.yaml}
- {opcode: createPods, count: 2, namespace: a, podTemplatePath: templates/before.yaml}
- {opcode: createPods, count: 2, namespace: b, podTemplatePath: templates/pod.yaml,
   skipWaitToCompletion: true}
- {opcode: barrier, stageRequirement: Attempted}
- {opcode: updateAny, namespace: a, templatePath: templates/bare.yaml, count: 2}
- {opcode: updateAny, namespace: a, templatePath: templates/small.yaml, count: 2,
   subresources: [resize]}
- {opcode: barrier}
- {opcode: createPods, count: 0, collectMetrics: true}
"""
    run = play(ops, before=before, bare=bare, small=small, only=only)
    assert run.scheduled("b") == 2
    asked = [item["spec"]["containers"][0] for item in run.cluster.get("pods", namespace="a")]
    assert {item["resources"]["requests"]["cpu"] for item in asked} == {"1"}


def test_volumes_and_claims_are_bound_to_each_other_before_the_pod_comes(play: Play) -> None:
    run = play(
        NODES
        + """
- {opcode: createPods, count: 3, namespace: a, collectMetrics: true,
   persistentVolumeTemplatePath: templates/pv.yaml,
   persistentVolumeClaimTemplatePath: templates/pvc.yaml}
""",
        pv="""
apiVersion: v1
kind: PersistentVolume
spec: {accessModes: [ReadOnlyMany], capacity: {storage: 1Gi}, csi: {driver: x.csi}}
""",
        pvc="""
kind: PersistentVolumeClaim
metadata: {annotations: {pv.kubernetes.io/bind-completed: "true"}}
spec: {accessModes: [ReadOnlyMany], resources: {requests: {storage: 1Gi}}}
""",
    )
    assert run.scheduled("a") == 3
    volumes = run.cluster.get("persistentvolumes")
    assert [item["metadata"]["name"] for item in volumes] == ["a-vol-0", "a-vol-1", "a-vol-2"]
    for index, volume in enumerate(volumes):
        assert volume["spec"]["csi"]["volumeHandle"] == f"a-vol-{index}"
        assert volume["spec"]["claimRef"]["name"] == f"pvc-{index}"
        assert volume["status"]["phase"] == "Bound"
    claims = run.cluster.get("persistentvolumeclaims", namespace="a")
    assert {item["status"]["phase"] for item in claims} == {"Bound"}
    mounted = [item["spec"]["volumes"][0] for item in run.cluster.get("pods", namespace="a")]
    used = {item["persistentVolumeClaim"]["claimName"] for item in mounted}
    assert used == {"pvc-0", "pvc-1", "pvc-2"}


def test_a_claim_learns_the_volume_that_names_it(play: Play) -> None:
    run = play(
        NODES
        + """
- {opcode: createAny, namespace: a, templatePath: templates/pvc.yaml}
- {opcode: createAny, templatePath: templates/pv.yaml}
"""
        + COLLECTED,
        pv="""
apiVersion: v1
kind: PersistentVolume
metadata: {name: pv}
spec:
  accessModes: [ReadOnlyMany]
  capacity: {storage: 1Gi}
  csi: {driver: x.csi, volumeHandle: h}
  claimRef: {namespace: a, name: pvc}
""",
        pvc="""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: pvc}
spec: {accessModes: [ReadOnlyMany], storageClassName: "",
       resources: {requests: {storage: 1Gi}}}
""",
    )
    claim = run.cluster.get("persistentvolumeclaim/pvc", namespace="a")
    assert claim["spec"]["volumeName"] == "pv"
    assert claim["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes"


def test_without_virtual_time_for_cycles_all_are_decided_in_one_instant(play: Play) -> None:
    ops = NODES + "- {opcode: createPods, count: 20, collectMetrics: true}\n"
    assert play(ops, cycle_ns=0).windows[0].pods == 20
    run = play(ops, cycle_ns=100 * MILLISECOND)
    assert elapsed_ns(run) == 2 * SECOND
