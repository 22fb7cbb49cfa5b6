"""The scheduler as a configuration has it, in runs, forks and saved clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import wavetank as wt

PACKED = """
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
- schedulerName: packer
  plugins:
    score:
      disabled: [{name: "*"}]
      enabled: [{name: NodeResourcesFit}]
  pluginConfig:
  - name: NodeResourcesFit
    args:
      scoringStrategy:
        type: MostAllocated
        resources: [{name: cpu, weight: 1}]
"""


def pods_of(scheduler: str, count: int) -> dict[str, Any]:
    resources = {"requests": {"cpu": "500m", "memory": "64Mi"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": scheduler, "namespace": "default"},
        "spec": {
            "replicas": count,
            "selector": {"matchLabels": {"app": scheduler}},
            "template": {
                "metadata": {"labels": {"app": scheduler}},
                "spec": {
                    "schedulerName": scheduler,
                    "containers": [{"name": "c", "image": "i", "resources": resources}],
                },
            },
        },
    }


def used(cluster: wt.Cluster) -> list[int]:
    return sorted(cluster.nodes["requested_cpu_milli"].tolist())


def test_a_profile_packs_where_the_default_spreads(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.yaml"
    file.write_text(PACKED)
    nodes: dict[str, list[int]] = {}
    for name in ("packer", "default-scheduler"):
        cluster = wt.Cluster(scheduler=file)
        cluster.add_nodes(cpu="4", memory="16Gi", count=4)
        cluster.create(pods_of(name, 8))
        cluster.run()
        nodes[name] = used(cluster)
    assert nodes == {"packer": [0, 0, 0, 4000], "default-scheduler": [1000] * 4}


def test_a_saved_cluster_keeps_its_configuration(tmp_path: Path) -> None:
    cluster = wt.Cluster(scheduler=PACKED)
    cluster.add_nodes(cpu="4", memory="16Gi", count=4)
    cluster.save(tmp_path / "x.wavetank")
    for branch in (wt.Cluster.load(tmp_path / "x.wavetank"), cluster.fork()):
        branch.create(pods_of("packer", 8))
        branch.run()
        assert used(branch) == [0, 0, 0, 4000]


def test_pods_of_a_scheduler_nobody_runs_wait() -> None:
    cluster = wt.Cluster()
    cluster.add_nodes(cpu="4", memory="16Gi")
    cluster.create(pods_of("packer", 1))
    cluster.run()
    [pod] = cluster.get("pods")
    assert pod.status["phase"] == "Pending"
    assert "conditions" not in pod.status


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "Pod", "apiVersion": "v1"}, "KubeSchedulerConfiguration|no kind"),
        (PACKED + "extenders: [{urlPrefix: 'http://example.com'}]\n", "extender"),
        (PACKED.replace("MostAllocated", "Emptiest"), "Emptiest"),
        (PACKED + "speed: 3\n", 'unknown field "speed"'),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wt.Cluster(scheduler=given)


def test_a_missing_configuration_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="nothing.yaml"):
        wt.Cluster(scheduler="nothing.yaml")


def test_a_bound_pod_that_is_like_no_other_can_change(tmp_path: Path) -> None:
    cluster = wt.Cluster()
    cluster.add_nodes(cpu="2", memory="4Gi")
    web = {"metadata": {"name": "web", "labels": {"app": "web"}}, **_pod_asking("2")}
    cluster.create(web)
    cluster.create({"metadata": {"name": "next"}, **_pod_asking("1")})
    cluster.run()
    assert _node_of(cluster, "next") is None
    cluster.patch("pod/web", patch={"metadata": {"labels": {"app": "other"}}})
    cluster.run()
    resized = {**cluster.get("pod/web")}
    resized["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "1"
    resized["spec"]["containers"][0]["image"] = "another"
    written = cluster.update(resized, subresource="resize")
    assert written["metadata"]["generation"] == 2
    assert written["spec"]["containers"][0]["image"] == "i"
    cluster.save(tmp_path / "saved")
    for one in (cluster, wt.Cluster.load(tmp_path / "saved")):
        one.run()
        assert _node_of(one, "next") is not None


def test_a_resize_that_makes_no_sense_is_refused() -> None:
    cluster = wt.Cluster()
    cluster.create({"metadata": {"name": "web"}, **_pod_asking("2")})
    pod = cluster.get("pod/web")
    pod["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "3"}, "limits": {"cpu": "2"}}
    with pytest.raises(wt.InvalidError, match="must be less than or equal to cpu limit of 2"):
        cluster.update(pod, subresource="resize")
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    with pytest.raises(wt.NotFoundError, match="could not find the requested resource"):
        cluster.update(cluster.get("configmap/a"), subresource="resize")


def _pod_asking(cpu: str) -> dict[str, Any]:
    resources = {"requests": {"cpu": cpu}}
    containers = [{"name": "c", "image": "i", "resources": resources}]
    return {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": containers}}


def _node_of(cluster: wt.Cluster, name: str) -> str | None:
    node: str | None = cluster.get("pod", name)["spec"].get("nodeName")
    return node


def test_a_pod_that_no_event_wakes_is_tried_again_after_five_minutes() -> None:
    cluster = wt.Cluster()
    cluster.add_nodes(cpu="1", memory="1Gi")
    box = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "2"}}}
    meta = {"name": "web"}
    cluster.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [box]}}
    )
    cluster.run(until="5m")
    assert cluster.events["count"].tolist() == [1]
    # Looked for every thirty seconds.
    cluster.run(until="31s")
    assert cluster.events["count"].tolist() == [2]
    cluster.run(until="6m")
    assert cluster.events["count"].tolist() == [3]


UNKNOWN = PACKED.replace("NodeResourcesFit}", "Nope}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (UNKNOWN, 'policy.yaml: ScorePlugin "Nope" does not exist'),
        ("a: [b\n", "policy.yaml:1: did not find"),
        ("  \n", "policy.yaml: the scheduler configuration is empty"),
        ("é\n".encode("latin-1"), "policy.yaml: a scheduler configuration is text in UTF-8"),
    ],
)
def test_what_is_wrong_with_a_file_names_the_file(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=message):
        wt.Cluster(scheduler=file)


def test_what_is_wrong_with_text_names_no_file() -> None:
    with pytest.raises(ValueError, match='^ScorePlugin "Nope" does not exist'):
        wt.Cluster(scheduler=UNKNOWN)


def test_what_is_wrong_with_a_plugin_names_no_file(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(PACKED)
    broken = wt.scheduling.Expression("Mine", score="1 +")
    with pytest.raises(ValueError, match='^plugin "Mine": score: column 4'):
        wt.Cluster(scheduler=file, plugins=[broken])


def test_a_dict_may_leave_out_what_it_is() -> None:
    chosen = {}
    for mode in ("oracle", "seeded", "first-by-name"):
        cluster = wt.Cluster(seed=5, scheduler={"tieBreak": mode})
        cluster.add_nodes(cpu="4", memory="16Gi", count=40)
        cluster.create(pods_of("default-scheduler", 8))
        cluster.run()
        chosen[mode] = tuple(map(str, cluster.pods["node"]))
    assert len(set(chosen.values())) == 3
    assert min(chosen["first-by-name"]) == "node-0"
    with pytest.raises(ValueError, match='no kind "KubeSchedulerConfiguration"'):
        wt.Cluster(scheduler={"kind": "KubeSchedulerConfiguration", "tieBreak": "seeded"})


@pytest.mark.parametrize("given", [3, [PACKED], PACKED.encode()])
def test_what_is_no_configuration_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match="a scheduler configuration is a file, text or a dict"):
        wt.Cluster(scheduler=given)
