"""Watches: what happened since, in order, and what is no longer kept."""

from __future__ import annotations

from typing import Any

import pytest
import wavetank as wt


def config_map(name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "labels": {"set": data.get("set", "a")}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def seen(watch: Any) -> list[tuple[str, str]]:
    return [(kind, obj["metadata"]["name"]) for kind, obj in watch.poll(100) if kind != "BOOKMARK"]


def test_a_watch_tells_every_change_in_order() -> None:
    cluster = wt.Cluster()
    watch = cluster.watch("cm", namespace="default")
    cluster.create(config_map("one"))
    cluster.patch("cm/one", patch={"data": {"a": "2"}}, type="merge")
    cluster.create(config_map("two"))
    cluster.delete("cm/one")
    assert seen(watch) == [
        ("ADDED", "one"),
        ("MODIFIED", "one"),
        ("ADDED", "two"),
        ("DELETED", "one"),
    ]
    assert seen(watch) == []


def test_an_object_that_no_longer_matches_is_deleted_for_the_watch() -> None:
    cluster = wt.Cluster()
    watch = cluster.watch("cm", namespace="default", label_selector="set=a")
    cluster.create(config_map("one"))
    labels = {"metadata": {"labels": {"set": "b"}}}
    cluster.patch("cm/one", patch=labels, type="merge")
    cluster.patch("cm/one", patch={"data": {"x": "y"}}, type="merge")
    labels["metadata"]["labels"]["set"] = "a"
    cluster.patch("cm/one", patch=labels, type="merge")
    assert seen(watch) == [("ADDED", "one"), ("DELETED", "one"), ("ADDED", "one")]


def test_each_version_is_told_as_it_was() -> None:
    cluster = wt.Cluster()
    made = cluster.create(config_map("one"))
    for number in range(5):
        cluster.patch("cm/one", patch={"data": {"n": str(number)}}, type="merge")
    watch = cluster.watch("cm", resource_version=made.metadata["resourceVersion"])
    values = [obj["data"]["n"] for kind, obj in watch.poll(100) if kind == "MODIFIED"]
    assert values == ["0", "1", "2", "3", "4"]


def test_a_bookmark_lets_a_watch_go_on() -> None:
    cluster = wt.Cluster()
    watch = cluster.watch("cm")
    cluster.create(config_map("one"))
    assert seen(watch) == [("ADDED", "one")]
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    [(kind, version)] = watch.poll(100)
    assert (kind, version) == ("BOOKMARK", watch.resource_version)
    cluster.create(config_map("two"))
    assert seen(cluster.watch("cm", resource_version=version)) == [("ADDED", "two")]


def test_history_that_is_gone_is_gone() -> None:
    cluster = wt.Cluster()
    template = config_map("unused")
    keys = cluster.create_many(template, 140_000, prefix="c")
    cluster.delete_many(keys)
    cluster.run()
    with pytest.raises(wt.GoneError, match="too old resource version"):
        cluster.watch("cm", resource_version=1).poll(10)


def test_a_watch_on_a_fork_sees_the_fork_only() -> None:
    cluster = wt.Cluster()
    branch = cluster.fork()
    watch = branch.watch("cm")
    cluster.create(config_map("one"))
    assert seen(watch) == []
    branch.create(config_map("two"))
    assert seen(watch) == [("ADDED", "two")]
