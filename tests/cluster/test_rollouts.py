"""Rollouts, as ``kubectl rollout`` and ``kubectl set image`` have them."""

from __future__ import annotations

from typing import Any

import pytest
import wavetank as wt
from wavetank.rollouts import RolloutError

CAUSE = "kubernetes.io/change-cause"


def deployment(replicas: int = 3, image: str = "web:1") -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "annotations": {CAUSE: "first"}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "initContainers": [{"name": "setup", "image": "setup:1"}],
                    "containers": [
                        {"name": "web", "image": image},
                        {"name": "proxy", "image": "proxy:1"},
                    ],
                },
            },
        },
    }


@pytest.fixture
def cluster() -> wt.Cluster:
    cluster = wt.Cluster(latencies="default")
    cluster.add_nodes("2x8cpu,16Gi")
    cluster.run()
    cluster.create(deployment())
    return cluster


def images(cluster: wt.Cluster) -> list[str]:
    spec = cluster.get("deploy/web")["spec"]["template"]["spec"]
    return [item["image"] for item in [*spec["initContainers"], *spec["containers"]]]


def test_status_tells_how_far_it_is_until_it_is_done(cluster: wt.Cluster) -> None:
    said: list[str] = []

    def done(cluster: wt.Cluster) -> bool:
        status = cluster.rollout_status("deploy/web")
        if not said or said[-1] != status.message:
            said.append(status.message)
        return status.done

    assert cluster.run(until=done).reason == "predicate"
    waiting = 'Waiting for deployment "web" rollout to finish:'
    assert said == [
        "Waiting for deployment spec update to be observed...",
        f"{waiting} 0 out of 3 new replicas have been updated...",
        f"{waiting} 0 of 3 updated replicas are available...",
        f"{waiting} 1 of 3 updated replicas are available...",
        f"{waiting} 2 of 3 updated replicas are available...",
        'deployment "web" successfully rolled out',
    ]


def test_old_replicas_are_waited_for(cluster: wt.Cluster) -> None:
    cluster.run()
    cluster.set_image("deploy/web", {"web": "web:2"})
    said = set()

    def done(cluster: wt.Cluster) -> bool:
        said.add(cluster.rollout_status("deployment", "web").message)
        return cluster.rollout_status("deployment", "web").done

    cluster.run(until=done)
    assert any("new replicas have been updated" in line for line in said)
    assert any("old replicas are pending termination" in line for line in said)


def test_a_rollout_that_goes_nowhere_fails_at_its_deadline(cluster: wt.Cluster) -> None:
    cluster.run()
    cluster.patch("deploy/web", patch={"spec": {"progressDeadlineSeconds": 60}})
    too_much = {"containers": [{"name": "web", "resources": {"requests": {"cpu": "100"}}}]}
    cluster.patch("deploy/web", patch={"spec": {"template": {"spec": too_much}}})
    cluster.run(until="5m")
    with pytest.raises(RolloutError, match='deployment "web" exceeded its progress deadline'):
        cluster.rollout_status("deploy/web")


@pytest.mark.parametrize(
    ("strategy", "status", "message"),
    [
        ({}, {}, "Waiting for statefulset spec update to be observed..."),
        ({}, {"observedGeneration": 1, "readyReplicas": 1}, "Waiting for 2 pods to be ready..."),
        (
            {"rollingUpdate": {"partition": 1}},
            {"observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": 1},
            "Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...",
        ),
        (
            {"rollingUpdate": {"partition": 1}},
            {"observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": 2},
            "partitioned roll out complete: 2 new pods have been updated...",
        ),
    ],
)
def test_stateful_sets_have_words_of_their_own(
    cluster: wt.Cluster, strategy: dict, status: dict, message: str
) -> None:
    item = deployment()
    item["kind"] = "StatefulSet"
    item["spec"] |= {"serviceName": "web", "updateStrategy": {"type": "RollingUpdate", **strategy}}
    created = cluster.create(item)
    created["status"] = {"replicas": 3, **status}
    cluster.update(created, subresource="status")
    found = cluster.rollout_status("sts/web")
    assert (found.message, found.done) == (message, not message.startswith("Waiting"))


def test_history_names_revisions_and_causes(cluster: wt.Cluster) -> None:
    cluster.run()
    cluster.set_image("deploy/web", {"web": "web:2"})
    cluster.patch("deploy/web", patch={"metadata": {"annotations": {CAUSE: "second"}}})
    cluster.run()
    history = cluster.rollout_history("deploy/web")
    assert str(history).splitlines() == [
        "deployment.apps/web ",
        "REVISION  CHANGE-CAUSE",
        "1         first",
        "2         second",
    ]
    assert [item.template["spec"]["containers"][0]["image"] for item in history] == [
        "web:1",
        "web:2",
    ]


def test_undo_goes_back_and_makes_a_new_revision(cluster: wt.Cluster) -> None:
    cluster.run()
    for image in ("web:2", "web:3"):
        cluster.set_image("deploy/web", {"web": image})
        cluster.run()
    assert cluster.rollout_undo("deploy/web") == "deployment.apps/web rolled back"
    cluster.run()
    assert images(cluster)[1] == "web:2"
    assert [item.revision for item in cluster.rollout_history("deploy/web")] == [1, 3, 4]
    assert cluster.rollout_undo("deploy/web", to_revision=1) == "deployment.apps/web rolled back"
    cluster.run()
    assert images(cluster)[1] == "web:1"
    assert [item.revision for item in cluster.rollout_history("deploy/web")] == [3, 4, 5]
    assert len(cluster.get("rs", namespace="default")) == 3
    labels = cluster.get("deploy/web")["spec"]["template"]["metadata"]["labels"]
    assert labels == {"app": "web"}


def test_undo_to_the_present_revision_is_skipped(cluster: wt.Cluster) -> None:
    cluster.run()
    before = cluster.get("deploy/web")
    assert cluster.rollout_undo("deploy/web", to_revision=1) == (
        "deployment.apps/web skipped rollback (current template already matches revision 1)"
    )
    assert cluster.get("deploy/web") == before


def test_restart_replaces_every_pod(cluster: wt.Cluster) -> None:
    cluster.run()
    before = set(cluster.pods["name"])
    assert cluster.rollout_restart("deploy/web") == "deployment.apps/web restarted"
    with pytest.raises(RolloutError, match="restart has already been triggered within the past"):
        cluster.rollout_restart("deploy/web")
    cluster.run()
    after = cluster.pods
    assert len(after) == 3
    assert before.isdisjoint(after["name"])
    assert cluster.rollout_restart("deploy/web") == "deployment.apps/web restarted"


def test_a_paused_rollout_waits_and_goes_on(cluster: wt.Cluster) -> None:
    cluster.run()
    assert cluster.rollout_pause("deploy/web") == "deployment.apps/web paused"
    cluster.set_image("deploy/web", {"web": "web:2"})
    cluster.run()
    assert len(cluster.get("rs")) == 1
    with pytest.raises(RolloutError, match=r'deployments.apps "web" is already paused'):
        cluster.rollout_pause("deploy/web")
    with pytest.raises(RolloutError, match="can't restart paused deployment"):
        cluster.rollout_restart("deploy/web")
    assert cluster.rollout_resume("deploy/web") == "deployment.apps/web resumed"
    cluster.run()
    assert len(cluster.get("rs")) == 2
    with pytest.raises(RolloutError, match=r'deployments.apps "web" is not paused'):
        cluster.rollout_resume("deploy/web")


def test_undo_refuses_a_paused_deployment(cluster: wt.Cluster) -> None:
    cluster.run()
    cluster.set_image("deploy/web", {"web": "web:2"})
    cluster.run()
    cluster.rollout_pause("deploy/web")
    with pytest.raises(RolloutError, match="you cannot rollback a paused deployment; resume it"):
        cluster.rollout_undo("deploy/web")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"web": "web:9"}, ["setup:1", "web:9", "proxy:1"]),
        ({"setup": "setup:9", "proxy": "proxy:9"}, ["setup:9", "web:1", "proxy:9"]),
        ({"*": "all:9"}, ["all:9", "all:9", "all:9"]),
    ],
)
def test_images_are_set_by_container(
    cluster: wt.Cluster, given: dict[str, str], wanted: list[str]
) -> None:
    cluster.set_image("deploy/web", given)
    assert images(cluster) == wanted


def test_images_of_pods_and_cronjobs_are_set_where_they_are(cluster: wt.Cluster) -> None:
    pod = {"containers": [{"name": "c", "image": "c:1"}], "restartPolicy": "Never"}
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": pod})
    job = {"template": {"spec": pod}}
    cluster.create(
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "nightly"},
            "spec": {"schedule": "0 2 * * *", "jobTemplate": {"spec": job}},
        }
    )
    one = cluster.set_image("pod/one", {"c": "c:2"})
    nightly = cluster.set_image("cronjob", {"c": "c:2"}, name="nightly")
    assert one["spec"]["containers"][0]["image"] == "c:2"
    inner = nightly["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert inner["containers"][0]["image"] == "c:2"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.set_image("deploy/web", {"nope": "x"}), 'container named "nope"'),
        (lambda c: c.set_image("deploy/web", {"*": "x", "web": "y"}), "already specified by"),
        (lambda c: c.rollout_undo("deploy/web"), 'no rollout history found for deployment "web"'),
        (
            lambda c: c.rollout_undo("deploy/web", to_revision=7),
            "unable to find specified revision 7 in history",
        ),
        (lambda c: c.rollout_status("node/node-0"), "no status viewer has been implemented"),
        (lambda c: c.rollout_pause("node/node-0"), 'nodes "node-0" pausing is not supported'),
        (lambda c: c.rollout_restart("node/node-0"), 'nodes "node-0" restarting is not supported'),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_changes(
    cluster: wt.Cluster, call: Any, message: str
) -> None:
    cluster.run()
    version = cluster.world.revision
    with pytest.raises(RolloutError) as caught:
        call(cluster)
    assert message in str(caught.value)
    assert cluster.world.revision == version
