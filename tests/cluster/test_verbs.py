"""Create, read, change and delete objects as the API server would answer."""

from __future__ import annotations

import re
from typing import Any

import pytest
import wavetank as wt


def config_map(name: str = "settings", **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": data,
    }


def deployment(name: str = "web", replicas: int = 2, image: str = "web:1") -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": image}]},
            },
        },
    }


def pod(name: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {"containers": [{"name": "c", "image": "web:1"}]},
    }


@pytest.fixture
def cluster() -> wt.Cluster:
    return wt.Cluster(seed=1)


def test_a_created_object_comes_back_with_what_the_server_adds(cluster: wt.Cluster) -> None:
    made = cluster.create(config_map(a="1"))
    assert made["data"] == {"a": "1"}
    assert re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", made.uid)
    assert made.metadata["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert int(made.metadata["resourceVersion"]) > 0
    assert cluster.get("cm/settings") == made


def test_generate_name_appends_five_characters_of_the_alphabet(cluster: wt.Cluster) -> None:
    obj = config_map()
    del obj["metadata"]["name"]
    obj["metadata"]["generateName"] = "settings-"
    names = {cluster.create(obj).name for _ in range(200)}
    assert len(names) == 200
    assert all(re.fullmatch(r"settings-[bcdfghjklmnpqrstvwxz2456789]{5}", name) for name in names)


def test_a_name_is_taken_once(cluster: wt.Cluster) -> None:
    cluster.create(config_map())
    with pytest.raises(wt.AlreadyExistsError, match='configmaps "settings" already exists'):
        cluster.create(config_map())


def test_a_missing_object_is_not_found(cluster: wt.Cluster) -> None:
    with pytest.raises(wt.NotFoundError, match='deployments.apps "nothing" not found') as error:
        cluster.get("deploy", "nothing")
    assert error.value.status["reason"] == "NotFound"
    assert error.value.status["code"] == 404


def test_an_unknown_kind_is_told_in_kubectl_words(cluster: wt.Cluster) -> None:
    with pytest.raises(ValueError, match='the server doesn\'t have a resource type "widgets"'):
        cluster.get("widgets")


def test_a_namespace_must_exist(cluster: wt.Cluster) -> None:
    obj = config_map()
    obj["metadata"]["namespace"] = "elsewhere"
    with pytest.raises(wt.NotFoundError, match='namespaces "elsewhere" not found'):
        cluster.create(obj)


def test_a_terminating_namespace_takes_nothing_new(cluster: wt.Cluster) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "old"}}
    cluster.create(namespace)
    obj = config_map()
    obj["metadata"] |= {"namespace": "old", "finalizers": ["example.com/hold"]}
    cluster.create(obj)
    cluster.delete("ns/old")
    cluster.run()
    obj["metadata"]["name"] = "late"
    message = "unable to create new content in namespace old because it is being terminated"
    with pytest.raises(wt.ForbiddenError, match=message):
        cluster.create(obj)
    cluster.patch(
        "cm/settings", patch={"metadata": {"finalizers": None}}, namespace="old", type="merge"
    )
    cluster.run()
    with pytest.raises(wt.NotFoundError):
        cluster.get("ns/old")


def test_update_needs_the_version_it_was_read_at(cluster: wt.Cluster) -> None:
    first = cluster.create(config_map(a="1"))
    cluster.update({**first, "data": {"a": "2"}})
    message = (
        'Operation cannot be fulfilled on configmaps "settings": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    with pytest.raises(wt.ConflictError) as error:
        cluster.update({**first, "data": {"a": "3"}})
    assert str(error.value) == message
    assert cluster.get("cm/settings")["data"] == {"a": "2"}


def test_generation_counts_changes_of_the_spec_only(cluster: wt.Cluster) -> None:
    made = cluster.create(deployment())
    assert made.metadata["generation"] == 1
    labelled = cluster.patch("deploy/web", patch={"metadata": {"labels": {"tier": "front"}}})
    assert labelled.metadata["generation"] == 1
    scaled = cluster.scale("deploy/web", replicas=5)
    assert scaled.metadata["generation"] == 2
    written = cluster.update({**scaled, "status": {"observedGeneration": 2}}, subresource="status")
    assert written.metadata["generation"] == 2
    assert written.status["observedGeneration"] == 2


def test_a_write_that_changes_nothing_is_no_write(cluster: wt.Cluster) -> None:
    made = cluster.create(config_map(a="1"))
    again = cluster.update(made)
    assert again.metadata["resourceVersion"] == made.metadata["resourceVersion"]


def test_status_and_spec_are_written_apart(cluster: wt.Cluster) -> None:
    made = cluster.create(deployment())
    changed = {**made, "status": {"replicas": 9}, "spec": {**made.spec, "replicas": 7}}
    assert "replicas" not in cluster.update(changed).status
    made = cluster.get("deploy/web")
    written = cluster.update(
        {**made, "status": {"replicas": 9}, "spec": {**made.spec, "replicas": 1}},
        subresource="status",
    )
    assert (written.spec["replicas"], written.status["replicas"]) == (7, 9)


def test_patches_of_three_kinds(cluster: wt.Cluster) -> None:
    cluster.create(deployment())
    containers = {"containers": [{"name": "side", "image": "side:1"}]}
    patch = {"spec": {"template": {"spec": containers}}}
    strategic = cluster.patch("deploy", "web", patch)
    names = [c["name"] for c in strategic.spec["template"]["spec"]["containers"]]
    assert names == ["side", "c"]
    merged = cluster.patch("deploy", "web", patch, type="merge")
    assert [c["name"] for c in merged.spec["template"]["spec"]["containers"]] == ["side"]
    operations = [{"op": "replace", "path": "/spec/replicas", "value": 9}]
    assert cluster.patch("deploy", "web", operations, type="json").spec["replicas"] == 9


def test_a_json_patch_that_fails_its_test_changes_nothing(cluster: wt.Cluster) -> None:
    before = cluster.create(config_map(a="1"))
    operations = [
        {"op": "replace", "path": "/data/a", "value": "2"},
        {"op": "test", "path": "/data/a", "value": "3"},
    ]
    with pytest.raises(wt.ApiError):
        cluster.patch("cm", "settings", operations, type="json")
    assert cluster.get("cm/settings") == before


def test_deleting_with_preconditions(cluster: wt.Cluster) -> None:
    made = cluster.create(config_map())
    with pytest.raises(wt.ConflictError, match="the UID in the precondition"):
        cluster.delete("cm/settings", uid="11111111-2222-3333-4444-555555555555")
    assert cluster.delete("cm/settings", uid=made.uid)


def test_a_finalizer_holds_an_object(cluster: wt.Cluster) -> None:
    obj = config_map()
    obj["metadata"]["finalizers"] = ["example.com/hold"]
    cluster.create(obj)
    assert cluster.delete("cm/settings") is False
    held = cluster.get("cm/settings")
    assert held.metadata["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    cluster.patch("cm/settings", patch={"metadata": {"finalizers": []}}, type="merge")
    with pytest.raises(wt.NotFoundError):
        cluster.get("cm/settings")


def owned(cluster: wt.Cluster, *, blocking: bool = True) -> None:
    owner = cluster.create(config_map("owner"))
    child = config_map("child")
    child["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": "owner",
            "uid": owner.uid,
            "blockOwnerDeletion": blocking,
        }
    ]
    cluster.create(child)


def names(cluster: wt.Cluster) -> set[str]:
    return {obj.name for obj in cluster.get("cm", namespace="default")} & {"owner", "child"}


def test_background_deletion_takes_dependents_later(cluster: wt.Cluster) -> None:
    owned(cluster)
    assert cluster.delete("cm/owner")
    assert names(cluster) == {"child"}
    cluster.run()
    assert names(cluster) == set()


def test_foreground_deletion_takes_dependents_first(cluster: wt.Cluster) -> None:
    owned(cluster)
    assert cluster.delete("cm/owner", propagation_policy="Foreground") is False
    assert cluster.get("cm/owner").metadata["finalizers"] == ["foregroundDeletion"]
    cluster.run()
    assert names(cluster) == set()


def test_orphans_stay_without_their_owner(cluster: wt.Cluster) -> None:
    owned(cluster)
    assert cluster.delete("cm/owner", propagation_policy="Orphan") is False
    cluster.run()
    assert names(cluster) == {"child"}
    assert "ownerReferences" not in cluster.get("cm/child").metadata


def test_lists_by_labels_fields_and_pages(cluster: wt.Cluster) -> None:
    for number in range(25):
        cluster.create(pod(f"p{number:02}", labels={"parity": "odd" if number % 2 else "even"}))
    assert len(cluster.get("pods", label_selector="parity in (odd)")) == 12
    assert [p.name for p in cluster.get("pods", field_selector="metadata.name=p03")] == ["p03"]
    pages = list(cluster.pages("pods", limit=10))
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [p.name for page in pages for p in page] == [f"p{number:02}" for number in range(25)]


def test_a_page_shows_the_moment_of_the_first(cluster: wt.Cluster) -> None:
    for number in range(6):
        cluster.create(config_map(f"c{number}"))
    pages = cluster.pages("cm", limit=3, namespace="default")
    first = [obj.name for obj in next(pages)]
    cluster.delete("cm/c4")
    cluster.create(config_map("c45"))
    rest = [obj.name for page in pages for obj in page]
    assert [*first, *rest] == [f"c{number}" for number in range(6)]


def test_bad_selectors_are_refused_in_kubernetes_words(cluster: wt.Cluster) -> None:
    with pytest.raises((ValueError, wt.BadRequestError), match="unable to parse requirement"):
        cluster.get("pods", label_selector="a in b")


def test_unknown_fields_stay(cluster: wt.Cluster) -> None:
    obj = deployment()
    obj["spec"]["favouriteColour"] = {"name": "teal", "rank": [1, 2.5, None]}
    cluster.create(obj)
    assert cluster.get("deploy/web").spec["favouriteColour"] == obj["spec"]["favouriteColour"]
    with pytest.raises(wt.BadRequestError, match='unknown field "spec.favouriteColour"'):
        cluster.create({**obj, "metadata": {"name": "b", "namespace": "default"}}, strict=True)


def test_a_dry_run_changes_nothing(cluster: wt.Cluster) -> None:
    made = cluster.create(config_map(), dry_run=True)
    assert made.uid
    with pytest.raises(wt.NotFoundError):
        cluster.get("cm/settings")


def test_custom_resources_come_with_their_definition(cluster: wt.Cluster) -> None:
    tank = {"apiVersion": "example.com/v1", "kind": "Tank", "metadata": {"name": "big"}}
    with pytest.raises(wt.ApiError, match='no matches for kind "Tank" in version "example.com/v1"'):
        cluster.create(tank)
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {"litres": {"type": "integer", "minimum": 1, "default": 10}},
            }
        },
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    cluster.create(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "tanks.example.com"},
            "spec": {
                "group": "example.com",
                "names": {"kind": "Tank", "plural": "tanks", "shortNames": ["tk"]},
                "scope": "Cluster",
                "versions": [version],
            },
        }
    )
    cluster.run()
    made = cluster.create({**tank, "spec": {}})
    assert made.spec == {"litres": 10}
    with pytest.raises(wt.InvalidError, match="spec.litres"):
        cluster.create({**tank, "metadata": {"name": "small"}, "spec": {"litres": 0}})
    assert [obj.name for obj in cluster.get("tk")] == ["big"]


def test_a_million_is_one_call_per_thousand(cluster: wt.Cluster) -> None:
    template = pod("unused", labels={"app": "crowd"})
    del template["metadata"]["name"]
    keys = cluster.create_many(template, 1000, prefix="crowd-")
    assert keys.shape == (1000,)
    assert keys.dtype == "int64"
    assert len(cluster.get("pods", label_selector="app=crowd")) == 1000
    assert cluster.get("pod/crowd-999").labels == {"app": "crowd"}
    assert cluster.set_pods(keys[:10], phase="Running", ready=True) == 10
    assert sum(cluster.pods["ready"]) == 10
    assert cluster.delete_many(keys[:400], grace_period_seconds=0) == 400
    assert len(cluster.pods) == 600


def test_bulk_creation_is_all_or_nothing(cluster: wt.Cluster) -> None:
    cluster.create(pod("crowd-7"))
    template = pod("unused")
    with pytest.raises(wt.AlreadyExistsError):
        cluster.create_many(template, 10, prefix="crowd-")
    assert len(cluster.pods) == 1


def test_kinds_know_their_words(cluster: wt.Cluster) -> None:
    for word in ("deployments", "deployment", "deploy", "Deployment", "deployments.apps"):
        assert cluster.kind(word).resource == "deployments.apps"
    assert cluster.kind("svc").namespaced
    assert not cluster.kind("nodes").namespaced
    assert "all" in cluster.kind("pods").categories
    assert len(cluster.kinds()) > 60
