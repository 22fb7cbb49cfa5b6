"""What a second apply makes of the first: kubectl's three-way merge."""

from __future__ import annotations

import json
from typing import Any

import pytest
import wavetank as wt
from wavetank.resource import Resource

LAST = "kubectl.kubernetes.io/last-applied-configuration"


def deployment(**spec: Any) -> dict[str, Any]:
    containers = spec.pop("containers", [{"name": "web", "image": "web:1"}])
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web", "tier": "front"}},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": containers},
            },
            **spec,
        },
    }


@pytest.fixture
def cluster() -> wt.Cluster:
    return wt.Cluster(seed=1)


def web(cluster: wt.Cluster) -> Resource:
    found = cluster.get("deployment/web")
    assert isinstance(found, Resource)
    return found


def images(item: Resource) -> dict[str, str]:
    return {c["name"]: c["image"] for c in item.spec["template"]["spec"]["containers"]}


def test_the_words_are_kubectls(cluster: wt.Cluster) -> None:
    assert str(cluster.apply(deployment())) == "deployment.apps/web created"
    assert str(cluster.apply(deployment())) == "deployment.apps/web unchanged"
    assert str(cluster.apply(deployment(replicas=3))) == "deployment.apps/web configured"


def test_nothing_is_written_when_nothing_changed(cluster: wt.Cluster) -> None:
    cluster.apply(deployment(replicas=3))
    before = web(cluster)
    cluster.apply(deployment(replicas=3))
    assert web(cluster) == before


def test_a_field_left_out_is_removed(cluster: wt.Cluster) -> None:
    cluster.apply(deployment(minReadySeconds=5, replicas=3))
    cluster.apply(deployment(replicas=3))
    assert "minReadySeconds" not in web(cluster).spec
    assert web(cluster).spec["replicas"] == 3


def test_a_field_left_out_goes_back_to_its_default(cluster: wt.Cluster) -> None:
    cluster.apply(deployment(replicas=3))
    cluster.apply(deployment())
    assert web(cluster).spec["replicas"] == 1


def test_what_others_set_is_kept(cluster: wt.Cluster) -> None:
    cluster.apply(deployment())
    cluster.scale("deployment/web", replicas=7)
    cluster.patch("deployment/web", patch={"metadata": {"labels": {"team": "a"}}})
    assert str(cluster.apply(deployment())) == "deployment.apps/web unchanged"
    assert web(cluster).spec["replicas"] == 7
    assert web(cluster).labels["team"] == "a"


def test_what_the_manifest_sets_wins_over_others(cluster: wt.Cluster) -> None:
    cluster.apply(deployment(replicas=2))
    cluster.scale("deployment/web", replicas=7)
    assert str(cluster.apply(deployment(replicas=2))) == "deployment.apps/web configured"
    assert web(cluster).spec["replicas"] == 2


def test_a_label_left_out_is_removed(cluster: wt.Cluster) -> None:
    cluster.apply(deployment())
    manifest = deployment()
    del manifest["metadata"]["labels"]["tier"]
    cluster.apply(manifest)
    assert web(cluster).labels == {"app": "web"}


def test_containers_are_merged_by_name(cluster: wt.Cluster) -> None:
    pair = [{"name": "web", "image": "web:1"}, {"name": "log", "image": "log:1"}]
    cluster.apply(deployment(containers=pair))
    sidecar = {"name": "mesh", "image": "mesh:1"}
    injected = {"spec": {"template": {"spec": {"containers": [sidecar]}}}}
    cluster.patch("deployment/web", patch=injected)
    newer = [{"name": "log", "image": "log:2"}, {"name": "web", "image": "web:1"}]
    cluster.apply(deployment(containers=newer))
    assert images(web(cluster)) == {"web": "web:1", "log": "log:2", "mesh": "mesh:1"}


def test_a_container_left_out_is_removed_and_an_injected_one_stays(cluster: wt.Cluster) -> None:
    pair = [{"name": "web", "image": "web:1"}, {"name": "log", "image": "log:1"}]
    cluster.apply(deployment(containers=pair))
    sidecar = {"name": "mesh", "image": "mesh:1"}
    injected = {"spec": {"template": {"spec": {"containers": [sidecar]}}}}
    cluster.patch("deployment/web", patch=injected)
    cluster.apply(deployment(containers=pair[:1]))
    assert images(web(cluster)) == {"web": "web:1", "mesh": "mesh:1"}


def test_ports_are_merged_by_their_number(cluster: wt.Cluster) -> None:
    def service(*ports: dict[str, Any]) -> dict[str, Any]:
        metadata = {"name": "web"}
        spec = {"selector": {"app": "web"}, "ports": list(ports)}
        return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}

    http, https = {"name": "http", "port": 80}, {"name": "https", "port": 443}
    cluster.apply(service(http, https))
    address = cluster.get("service/web").spec["clusterIP"]
    cluster.apply(service(https, {"name": "web", "port": 80}))
    spec = cluster.get("service/web").spec
    assert sorted((port["port"], port["name"]) for port in spec["ports"]) == [
        (80, "web"),
        (443, "https"),
    ]
    assert spec["clusterIP"] == address


def test_a_plain_list_is_replaced(cluster: wt.Cluster) -> None:
    command = {"name": "web", "image": "web:1", "args": ["a", "b"]}
    cluster.apply(deployment(containers=[command]))
    cluster.apply(deployment(containers=[{**command, "args": ["c"]}]))
    assert web(cluster).spec["template"]["spec"]["containers"][0]["args"] == ["c"]


def test_finalizers_of_others_stay(cluster: wt.Cluster) -> None:
    def config(*finalizers: str) -> dict[str, Any]:
        metadata = {"name": "c", "finalizers": [f"example.com/{name}" for name in finalizers]}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}

    cluster.apply(config("first", "second"))
    patch = {"metadata": {"finalizers": ["example.com/theirs"]}}
    cluster.patch("configmap/c", patch=patch)
    cluster.apply(config("second"))
    found = sorted(cluster.get("configmap/c").metadata["finalizers"])
    assert found == ["example.com/second", "example.com/theirs"]


def test_custom_resources_replace_lists(cluster: wt.Cluster) -> None:
    cluster.apply(
        """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: tanks.example.com}
        spec:
          group: example.com
          scope: Namespaced
          names: {plural: tanks, singular: tank, kind: Tank}
          versions:
          - name: v1
            served: true
            storage: true
            schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
        """
    )

    def tank(*pumps: str) -> dict[str, Any]:
        spec = {"pumps": [{"name": name} for name in pumps]}
        return {
            "apiVersion": "example.com/v1",
            "kind": "Tank",
            "metadata": {"name": "t"},
            "spec": spec,
        }

    assert str(cluster.apply(tank("a", "b"))) == "tank.example.com/t created"
    cluster.apply(tank("b"))
    assert cluster.get("tank/t").spec == {"pumps": [{"name": "b"}]}


def test_the_last_configuration_is_kept_as_kubectl_writes_it(cluster: wt.Cluster) -> None:
    cluster.apply(deployment(replicas=2))
    text = web(cluster).annotations[LAST]
    assert text.endswith("}\n")
    kept = json.loads(text)
    assert kept["spec"]["replicas"] == 2
    assert kept["metadata"]["namespace"] == "default"
    assert kept["metadata"]["annotations"] == {}


def test_an_object_that_was_created_is_taken_over(cluster: wt.Cluster) -> None:
    cluster.create(deployment(replicas=2))
    assert LAST not in web(cluster).annotations
    assert str(cluster.apply(deployment(replicas=3))) == "deployment.apps/web configured"
    assert web(cluster).spec["replicas"] == 3


def test_an_immutable_field_is_refused_and_nothing_changes(cluster: wt.Cluster) -> None:
    cluster.apply(deployment())
    before = web(cluster)
    moved = deployment(replicas=9)
    moved["spec"]["selector"] = {"matchLabels": {"app": "web", "tier": "front"}}
    moved["spec"]["template"]["metadata"]["labels"] = {"app": "web", "tier": "front"}
    with pytest.raises(wt.ApplyError, match="spec.selector: Invalid value: .*field is immutable$"):
        cluster.apply(moved)
    assert web(cluster) == before


def test_a_dry_run_says_what_would_happen(cluster: wt.Cluster) -> None:
    planned = cluster.apply(deployment(), dry_run=True)
    assert str(planned) == "deployment.apps/web created (server dry run)"
    assert cluster.find("deployment/web") is None


def test_the_namespace_asked_for_is_the_objects(cluster: wt.Cluster) -> None:
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    assert cluster.apply(deployment(), namespace="shop")[0].namespace == "shop"
    assert cluster.get("deployment/web", namespace="shop").namespace == "shop"


def test_another_namespace_than_asked_for_is_refused(cluster: wt.Cluster) -> None:
    manifest = deployment()
    manifest["metadata"]["namespace"] = "kube-system"
    sentence = (
        'the namespace from the provided object "kube-system" does not match the namespace '
        "\"default\". You must pass '--namespace=kube-system' to perform this operation."
    )
    with pytest.raises(wt.ApplyError) as met:
        cluster.apply(manifest, namespace="default")
    assert sentence in str(met.value)


def test_a_namespace_in_the_same_manifest_comes_first(cluster: wt.Cluster) -> None:
    manifest = deployment()
    manifest["metadata"]["namespace"] = "shop"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    assert len(cluster.apply([namespace, manifest])) == 2
    with pytest.raises(wt.ApplyError, match='namespaces "shop" not found'):
        wt.Cluster().apply([manifest, namespace])


def test_create_update_and_patch_take_text(cluster: wt.Cluster) -> None:
    created = cluster.create("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}}")
    changed = json.dumps({**created, "data": {"a": "c"}})
    assert cluster.update(changed)["data"] == {"a": "c"}
    assert cluster.patch("configmap/c", patch="data:\n  d: e\n")["data"] == {"a": "c", "d": "e"}
    with pytest.raises(wt.ManifestError, match="one object is wanted, the text holds 2"):
        cluster.create("a: b\n---\nc: d\n")


def test_empty_fields_are_no_change(cluster: wt.Cluster) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {}},
        "spec": {
            "containers": [
                {"name": "c", "image": "i", "command": [], "resources": {"limits": {"cpu": 1.0}}}
            ],
        },
    }
    cluster.apply(pod)
    stored = cluster.get("pod/p")
    assert stored.spec["containers"][0]["resources"] == {
        "limits": {"cpu": "1"},
        "requests": {"cpu": "1"},
    }
    assert "command" not in stored.spec["containers"][0]
    cluster.apply(pod)
    assert cluster.get("pod/p") == stored


def test_empty_fields_forbid_no_other_change(cluster: wt.Cluster) -> None:
    spec = {"tolerations": None, "containers": [{"name": "c", "image": "i", "env": []}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
    cluster.apply(pod)
    labelled = {**pod, "metadata": {"name": "p", "labels": {"a": "b"}}}
    assert str(cluster.apply(labelled)) == "pod/p configured"
    manifest = deployment(containers=[{"name": "web", "image": "web:1", "args": []}])
    cluster.apply(manifest)
    sent = web(cluster)
    sent.spec["template"]["spec"]["containers"][0]["args"] = []
    sent.labels["other"] = "label"
    assert cluster.update(sent).metadata["generation"] == 1


def test_labels_that_controllers_give_are_not_looked_for_in_templates(cluster) -> None:
    applied = cluster.apply(
        """
apiVersion: v1
kind: Service
metadata: {name: first}
spec:
  selector: {app: db, statefulset.kubernetes.io/pod-name: db-0}
  ports: [{port: 5432}]
---
apiVersion: v1
kind: Service
metadata: {name: lost}
spec:
  selector: {app: nothing, statefulset.kubernetes.io/pod-name: db-0}
  ports: [{port: 5432}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1"}]}
"""
    )
    assert [str(notice.message) for notice in applied.warnings] == [
        "service/lost selects no pod: nothing has the labels "
        "app=nothing,statefulset.kubernetes.io/pod-name=db-0"
    ]
