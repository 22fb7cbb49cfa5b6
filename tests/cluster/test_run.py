"""Time: what a run does, why it stops, and what an exception or Ctrl-C leaves behind."""

from __future__ import annotations

import os
import signal
import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import wavetank as wt
from wavetank.controllers import Answer, Context, Controller, Watch, after, timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def deployment(name: str = "web", replicas: int = 3, **spec: Any) -> dict[str, Any]:
    pod = {
        "containers": [{"name": "c", "image": "web:1", "resources": {"requests": {"cpu": "100m"}}}]
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
            **spec,
        },
    }


def cluster_of(count: int = 3, **options: Any) -> wt.Cluster:
    cluster = wt.Cluster(**options)
    cluster.add_nodes(cpu="4", memory="16Gi", count=count)
    return cluster


def test_nothing_happens_before_time_passes() -> None:
    cluster = cluster_of()
    cluster.create(deployment())
    assert len(cluster.pods) == 0
    assert cluster.get("deploy/web").status == {}
    assert cluster.run().reason == "settled"
    assert sum(cluster.pods["ready"]) == 3


def test_a_settled_cluster_settles_at_once() -> None:
    cluster = cluster_of()
    cluster.create(deployment())
    cluster.run()
    version = cluster.get("deploy/web").metadata["resourceVersion"]
    stopped = cluster.run()
    assert (stopped.reason, stopped.elapsed_s) == ("settled", 0)
    assert cluster.get("deploy/web").metadata["resourceVersion"] == version


@pytest.mark.parametrize(
    "until",
    ["10m", 600, 600.0, timedelta(minutes=10), "2026-01-01T00:10:00Z"],
    ids=str,
)
def test_a_run_ends_at_a_time(until: Any) -> None:
    cluster = cluster_of()
    stopped = cluster.run(until)
    assert stopped.reason == "deadline"
    assert cluster.now == datetime(2026, 1, 1, 0, 10, tzinfo=timezone.utc)
    assert stopped.elapsed_s == 600


def test_a_run_ends_when_a_predicate_holds() -> None:
    cluster = cluster_of(latencies="default")
    cluster.create(deployment(replicas=8))
    stopped = cluster.run(lambda cluster: bool(sum(cluster.pods["ready"]) >= 4))
    assert stopped.reason == "predicate"
    assert 4 <= sum(cluster.pods["ready"]) < 8


def test_a_limit_ends_a_run_that_would_not_settle() -> None:
    class Restless(Controller):
        name = "restless"

        def watches(self) -> Sequence[Watch]:
            return (Watch("nodes"),)

        def sync(self, context: Context, key: int) -> Answer:
            return after(1_000_000_000)

    cluster = cluster_of()
    cluster.add_controller(Restless())
    stopped = cluster.run("settled", at_most="1h")
    assert (stopped.reason, stopped.elapsed_s) == ("deadline", 3600)


def test_timeouts_do_not_keep_a_cluster_busy() -> None:
    class Patient(Controller):
        name = "patient"
        calls = 0

        def watches(self) -> Sequence[Watch]:
            return (Watch("nodes"),)

        def sync(self, context: Context, key: int) -> Answer:
            self.calls += 1
            return timeout(60_000_000_000)

    cluster = cluster_of(count=1)
    patient = Patient()
    cluster.add_controller(patient)
    assert cluster.run().elapsed_s == 0
    assert patient.calls == 1
    cluster.run("10m")
    assert patient.calls == 11


@pytest.mark.parametrize("until", ["soon", "-5s", -1, "", "10 parsecs", float("nan")])
def test_an_end_that_makes_no_sense_is_refused(until: Any) -> None:
    cluster = wt.Cluster()
    with pytest.raises(ValueError, match=r"\w"):
        cluster.run(until)
    assert cluster.now_ns == wt.Cluster().now_ns


def test_time_never_goes_back() -> None:
    cluster = wt.Cluster()
    cluster.advance("1h")
    with pytest.raises(ValueError, match="past"):
        cluster.run("2026-01-01T00:30:00Z")


def test_default_latencies_take_time_and_ideal_ones_none() -> None:
    ideal, real = cluster_of(), cluster_of(latencies="default")
    for cluster in (ideal, real):
        cluster.create(deployment())
        cluster.run()
    assert ideal.now_ns == wt.Cluster().now_ns
    elapsed = (real.now_ns - wt.Cluster().now_ns) / 1e9
    assert 5 < elapsed < 300
    pods = real.pods
    assert (pods["ready_since"] > pods["created"]).all()


def test_an_exception_in_a_controller_loses_nothing() -> None:
    class Moody(Controller):
        name = "moody"
        angry = True

        def __init__(self) -> None:
            self.seen: list[str] = []

        def watches(self) -> Sequence[Watch]:
            return (Watch("configmaps"),)

        def sync(self, context: Context, key: int) -> None:
            if self.angry:
                raise RuntimeError("not today")
            found = context.world.get_many([key])[0]
            if found is not None:
                self.seen.append(found["metadata"]["name"])

    cluster = wt.Cluster()
    moody = Moody()
    cluster.add_controller(moody)
    for name in ("b", "a", "c"):
        cluster.create(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}},
            namespace="default",
        )
    with pytest.raises(RuntimeError, match="not today"):
        cluster.run()
    moody.angry = False
    cluster.run()
    assert sorted(moody.seen) == ["a", "b", "c"]


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Python's own handling of SIGINT, which a job in the background does not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_stops_between_events_and_the_run_goes_on_after() -> None:
    class Endless(Controller):
        name = "endless"

        def watches(self) -> Sequence[Watch]:
            return (Watch("nodes"),)

        def sync(self, context: Context, key: int) -> Answer:
            return after(1_000_000)

    cluster = cluster_of()
    cluster.add_controller(Endless())
    cluster.create(deployment(replicas=20))
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        cluster.run("10h")
    timer.join()
    assert sum(cluster.pods["ready"]) == 20
    before = cluster.now_ns
    assert cluster.advance("1s").reason == "deadline"
    assert cluster.now_ns == before + 1_000_000_000


def test_a_pod_that_does_not_fit_says_why() -> None:
    cluster = cluster_of(count=2)
    big = deployment("big", replicas=1)
    big["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "8"
    cluster.create(big)
    cluster.run()
    [pod] = cluster.get("pods")
    [condition] = [c for c in pod.status["conditions"] if c["type"] == "PodScheduled"]
    assert (condition["status"], condition["reason"]) == ("False", "Unschedulable")
    message = (
        "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: "
        "0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    )
    assert condition["message"] == message
    [event] = cluster.get("events", field_selector="reason=FailedScheduling")
    assert event["message"] == message


def test_a_pending_pod_is_placed_when_room_appears() -> None:
    cluster = cluster_of(count=1)
    cluster.create(deployment(replicas=50))
    cluster.run()
    assert sum(cluster.pods["ready"]) == 40
    cluster.add_nodes(cpu="4", memory="16Gi", count=1, name="more")
    cluster.run()
    assert sum(cluster.pods["ready"]) == 50


def test_a_pod_with_a_declared_run_time_completes() -> None:
    cluster = cluster_of()
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "job",
            "namespace": "default",
            "annotations": {"wavetank.dev/run-duration": "90s"},
        },
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "job:1"}]},
    }
    cluster.create(pod)
    cluster.run()
    found = cluster.get("pod/job")
    assert found.status["phase"] == "Succeeded"
    assert found.status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    assert (cluster.now - datetime(2026, 1, 1, tzinfo=timezone.utc)).total_seconds() == 90


def test_services_get_their_endpoints() -> None:
    cluster = cluster_of()
    cluster.create(deployment())
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    cluster.create(service)
    cluster.run()
    [piece] = cluster.get("endpointslices", label_selector="kubernetes.io/service-name=web")
    addresses = sorted(address for e in piece["endpoints"] for address in e["addresses"])
    pods = sorted(pod.status["podIP"] for pod in cluster.get("pods"))
    assert addresses == pods
    assert all(endpoint["conditions"]["ready"] for endpoint in piece["endpoints"])
    cluster.scale("deploy/web", replicas=1)
    cluster.run()
    [piece] = cluster.get("endpointslices", label_selector="kubernetes.io/service-name=web")
    assert len(piece["endpoints"]) == 1


def test_a_rolling_update_keeps_enough_pods_ready() -> None:
    cluster = cluster_of(latencies="default")
    cluster.create(deployment(replicas=8))
    cluster.run()
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "web:2"}]}}}}
    cluster.patch("deploy/web", patch=patch)
    least = 8

    def rolled_out(cluster: wt.Cluster) -> bool:
        nonlocal least
        web = cluster.get("deploy/web")
        status = web.status
        least = min(least, status.get("readyReplicas", 0))
        if status["observedGeneration"] < web.metadata["generation"]:
            return False
        counts = {status.get(key) for key in ("updatedReplicas", "readyReplicas", "replicas")}
        return counts == {8}

    assert cluster.run(rolled_out, at_most="1h").reason == "predicate"
    assert least == 6
    cluster.run()
    active = [rs for rs in cluster.get("rs") if rs.spec["replicas"]]
    assert [rs.annotations["deployment.kubernetes.io/revision"] for rs in active] == ["2"]


def test_images_are_pulled_once_per_node_and_waited_for() -> None:
    cluster = cluster_of(count=1, latencies="default")
    cluster.create(deployment(replicas=3))
    cluster.run()
    cluster.scale("deploy/web", replicas=4)
    cluster.run()
    events = [event for event in cluster.get("events") if event["source"]["component"] == "kubelet"]
    pulled = [event["message"] for event in events if event["reason"] == "Pulled"]
    present = 'Container image "web:1" already present on machine and can be accessed by the pod'
    assert pulled.count(present) == 1
    took = [message for message in pulled if message != present]
    assert all(m.startswith('Successfully pulled image "web:1" in 4.25s (') for m in took)
    assert [event["message"] for event in events if event["reason"] == "Pulling"] == [
        'Pulling image "web:1"'
    ] * 3
    waited = cluster.pods["ready_since"] - cluster.pods["scheduled"] > np.timedelta64(4, "s")
    assert waited.sum() == 3


def test_deleting_a_deployment_takes_its_pods() -> None:
    cluster = cluster_of(latencies="default")
    cluster.create(deployment(replicas=5))
    cluster.run()
    cluster.delete("deploy/web")
    cluster.run()
    assert (len(cluster.get("rs")), len(cluster.pods)) == (0, 0)


def test_columns_hold_what_the_objects_say() -> None:
    cluster = cluster_of(latencies="default")
    cluster.create(deployment(replicas=7))
    cluster.run()
    pods = cluster.pods
    assert len(pods) == 7
    assert set(pods["phase"]) == {"Running"}
    assert pods["ready"].dtype == np.bool_
    assert pods["created"].dtype == "datetime64[ns]"
    assert set(pods["cpu_milli"]) == {100}
    by_name = dict(zip(pods["name"], pods["node"], strict=True))
    assert by_name == {pod.name: pod.spec["nodeName"] for pod in cluster.get("pods")}
    frame, polar = pods.to_pandas(), pods.to_polars()
    assert list(frame["name"]) == list(polar["name"]) == list(pods["name"])
    assert frame["cpu_milli"].sum() == polar["cpu_milli"].sum() == 700
    assert list(frame.columns) == polar.columns == pods.columns
    nodes = cluster.nodes.to_pandas()
    assert len(nodes) == 3
    events = cluster.events.to_pandas()
    assert "Scheduled" in set(events["reason"])


def test_a_table_is_a_moment() -> None:
    cluster = cluster_of()
    before = cluster.pods
    cluster.create(deployment())
    cluster.run()
    assert (len(before), len(cluster.pods)) == (0, 3)


def test_an_empty_table_is_a_table() -> None:
    for table in (wt.Cluster().pods, wt.Cluster().nodes, wt.Cluster().events):
        assert len(table) == 0
        assert len(table.to_pandas()) == 0
        assert table.to_polars().height == 0
        assert all(len(column) == 0 for column in table.to_numpy().values())


def test_a_run_ends_where_it_stands_when_a_predicate_can_never_hold() -> None:
    cluster = cluster_of()
    cluster.create(deployment(progressDeadlineSeconds=2**31 - 1))
    stopped = cluster.run(lambda _: False)
    assert stopped.reason == "settled"
    assert stopped.elapsed_s == 0
    assert cluster.run(lambda _: False, at_most="1h").reason == "deadline"
    assert cluster.now_ns == stopped.now_ns + 3_600_000_000_000


class Naming(Controller):
    """Watches pods and does what a test says."""

    name = "naming"

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def watches(self) -> Sequence[Watch]:
        return [Watch("pods")]

    def sync(self, context: Context, key: int) -> Answer | None:
        answer: Answer | None = self.act()
        return answer


def test_an_answer_that_is_none_is_named_and_the_keys_are_kept() -> None:
    cluster = cluster_of()
    cluster.create(deployment())
    naming = Naming(lambda: "done")
    cluster.add_controller(naming)
    with pytest.raises(TypeError, match="Naming answers DONE, FAILED"):
        cluster.run()
    naming.act = lambda: None
    assert cluster.run().reason == "settled"
    assert int(cluster.pods["ready"].sum()) == 3


def test_a_controller_cannot_let_time_pass() -> None:
    cluster = cluster_of()
    cluster.create(deployment())
    naming = Naming(lambda: cluster.run("1s"))
    cluster.add_controller(naming)
    with pytest.raises(RuntimeError, match="a controller cannot let time pass"):
        cluster.run()
    naming.act = lambda: None
    assert cluster.run().reason == "settled"


def test_runs_of_two_threads_follow_one_another() -> None:
    cluster = cluster_of()
    faults: list[BaseException] = []

    def play(name: str) -> None:
        try:
            for replicas in range(1, 9):
                cluster.apply(deployment(name, replicas=replicas))
                cluster.run()
        except BaseException as error:  # noqa: BLE001 - the test reports it
            faults.append(error)

    threads = [threading.Thread(target=play, args=(name,)) for name in ("web", "cart", "db")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert int(cluster.pods["ready"].sum()) == 24
