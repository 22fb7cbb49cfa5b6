"""Arguments that make no sense: one clear sentence, and nothing changed."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import wavetank as wt

if TYPE_CHECKING:
    from collections.abc import Callable

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "web:1"}]}
"""
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"generateName": "web-"},
    "spec": {"containers": [{"name": "c", "image": "web:1"}]},
}
ITSELF: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
ITSELF["data"] = ITSELF
LIST: list[Any] = []
LIST.append(LIST)

REFUSED: dict[str, tuple[Callable[[wt.Cluster], Any], type[Exception], str]] = {
    "no duration": (lambda c: c.run(None), TypeError, "not NoneType"),  # type: ignore[arg-type]
    "a longer time than there is": (lambda c: c.run(1e300), ValueError, "up to 292 years"),
    "not a number": (lambda c: c.run(math.nan), ValueError, "not nan"),
    "NumPy's durations": (lambda c: c.run(np.timedelta64(3, "s")), TypeError, "not timedelta64"),
    "at most a time that is over": (lambda c: c.run(at_most=-1), ValueError, "in the past"),
    "a negative seed": (lambda _: wt.Cluster(seed=-1), ValueError, "from 0 to 2"),
    "a seed of text": (
        lambda _: wt.Cluster(seed="7"),  # type: ignore[arg-type]
        TypeError,
        "a whole number",
    ),
    "a start beyond the clock": (
        lambda _: wt.Cluster(start=datetime(9999, 1, 1, tzinfo=timezone.utc)),
        ValueError,
        "1678 to 2262",
    ),
    "latencies as a dict": (
        lambda _: wt.Cluster(latencies={}),  # type: ignore[arg-type]
        ValueError,
        "latencies is",
    ),
    "a controller that is none": (
        lambda _: wt.Cluster(controllers=["x"]),  # type: ignore[list-item]
        TypeError,
        "not str",
    ),
    "no kind": (lambda c: c.get(""), ValueError, "one kind is wanted"),
    "kinds where one is wanted": (lambda c: c.get("deploy,svc"), ValueError, "ask for each"),
    "a category where one is wanted": (lambda c: c.delete_all("all"), ValueError, "ask for each"),
    "a kind that is no text": (lambda c: c.get(5), TypeError, "not int"),  # type: ignore[arg-type]
    "a patch in the place of the name": (
        lambda c: c.patch("deploy/web", {"spec": {}}),  # type: ignore[arg-type]
        TypeError,
        "the name of an object is text, not dict",
    ),
    "a patch of nothing": (lambda c: c.patch("deploy/web"), ValueError, "patch="),
    "a patch of the name": (
        lambda c: c.patch("deploy/web", patch={"metadata": {"name": "other"}}),
        wt.BadRequestError,
        r"the name of the object \(other\) does not match the name on the URL \(web\)",
    ),
    "a patch without the name": (
        lambda c: c.patch("deploy/web", patch={"metadata": {"name": None}}),
        wt.BadRequestError,
        r"\(web based on URL\) was undeterminable: name must be provided",
    ),
    "a patch of the namespace": (
        lambda c: c.patch("deploy/web", patch={"metadata": {"namespace": "kube-system"}}),
        wt.BadRequestError,
        r"\(kube-system\) does not match the namespace on the request \(default\)",
    ),
    "replicas of a pod": (
        lambda c: c.scale("pod", c.get("pods")[0].name, replicas=3),
        ValueError,
        "pods cannot be scaled",
    ),
    "replicas as text": (
        lambda c: c.scale("deploy/web", replicas="3"),  # type: ignore[arg-type]
        TypeError,
        "not '3'",
    ),
    "negative replicas": (lambda c: c.scale("deploy/web", replicas=-1), ValueError, "not -1"),
    "keys that are no keys": (
        lambda c: c.delete_many(np.array([1.5])),  # type: ignore[arg-type]
        TypeError,
        "a flat array of whole numbers",
    ),
    "fewer than no pods": (lambda c: c.create_many(POD, -1), ValueError, "not -1"),
    "names and a count": (lambda c: c.create_many(POD, 3, names=["a"]), ValueError, "leave"),
    "one text as names": (lambda c: c.create_many(POD, names="abc"), TypeError, "one text"),
    "pages of fewer than none": (lambda c: list(c.pages("pods", limit=-1)), ValueError, "not -1"),
    "a version before the first": (
        lambda c: c.watch("pods", resource_version=-1),
        ValueError,
        "not -1",
    ),
    "an object that holds itself": (lambda c: c.create(ITSELF), ValueError, "nested deeper"),
    "a list that holds itself": (lambda c: c.apply(LIST), ValueError, "holds itself"),
    "half a node": (lambda c: c.add_nodes("m5.large", count=1.5), ValueError, "whole number"),  # type: ignore[arg-type]
    "a zone without a name": (
        lambda c: c.add_nodes("m5.large", zones=[None]),  # type: ignore[list-item]
        ValueError,
        "the name of a zone",
    ),
    "a machine that is no text": (lambda c: c.add_nodes(5), TypeError, "not int"),  # type: ignore[arg-type]
    "a pool with an empty name": (lambda c: c.add_nodes("m5.large", name=""), ValueError, "empty"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_argument_that_makes_no_sense_is_refused_and_nothing_changes(what: str) -> None:
    call, error, message = REFUSED[what]
    cluster = wt.Cluster()
    cluster.add_nodes(cpu="4", memory="16Gi")
    cluster.apply(WEB)
    cluster.run()
    before = cluster.world.to_bytes()
    with pytest.raises(error, match=message):
        call(cluster)
    assert cluster.world.to_bytes() == before


def test_numbers_of_numpy_are_numbers() -> None:
    cluster = wt.Cluster(seed=np.int64(4))  # type: ignore[arg-type]
    cluster.add_nodes(cpu="4", memory="8Gi", count=np.int64(2))  # type: ignore[arg-type]
    cluster.apply(WEB)
    cluster.run(np.float64(3))
    cluster.scale("deploy/web", replicas=np.int32(2))  # type: ignore[arg-type]
    cluster.run()
    assert int(cluster.pods["ready"].sum()) == 2
