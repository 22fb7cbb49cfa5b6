"""One scenario per plugin: what it says, and what would undo it."""

from __future__ import annotations

from typing import Any

import pytest

from .clusters import HOST, LIST, ZONE, add, ask, cluster, edit, kinds, one, pod, small


def test_too_little_cpu() -> None:
    made = add(cluster(small(count=2)), pod("a", cpu="700m"), pod("b", cpu="1"))
    made.create(pod("web", cpu="2"))
    answer = ask(made, "web")
    (group,) = answer.groups
    assert (group.nodes, group.alone, group.plugin) == (2, 2, "NodeResourcesFit")
    assert group.reason == "Insufficient cpu"
    assert group.why == "asks 2 cpu, 1300m of 2 free: 700m too little"
    less = answer.changes[0]
    assert less.text == "ask for 700m less cpu: 1300m instead of 2"
    assert less.field == "spec.containers[0].resources.requests.cpu"
    assert (less.old, less.new) == ("2", "1300m")
    assert less.node == group.node
    assert kinds(answer) == ["request", "node", "priority"]
    assert answer.message.startswith("0/2 nodes are available: 2 Insufficient cpu.")


def test_too_little_memory_is_said_in_whole_mebibytes() -> None:
    made = add(cluster(small()), pod("a", memory="1537Ki"))
    made.create(pod("web", memory="4Gi"))
    less = one(ask(made, "web"), "request")
    assert less.new == "4094Mi"
    (operation,) = less.patches[0].operations
    assert operation["path"] == "/spec/containers/0/resources/requests/memory"


def test_a_request_that_has_to_go_altogether() -> None:
    made = add(cluster(small()), pod("a", cpu="2"))
    made.create(pod("web", cpu="1"))
    less = one(ask(made, "web"), "request")
    assert (less.new, less.text) == ("0", "ask for no cpu: 0 instead of 1")
    # It would lose more than half: not the first thing to say.
    assert kinds(ask(made, "web"))[0] != "request" or less.size > 0.5


def test_requests_of_init_containers_and_sidecars_are_lowered_where_they_count() -> None:
    made = cluster(small())
    wanted = pod("web", cpu="1")
    spec = wanted["spec"]

    def box(name: str, cpu: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "image": "i", "resources": {"requests": {"cpu": cpu}}, **more}

    spec["initContainers"] = [box("side", "800m", restartPolicy="Always"), box("first", "1500m")]
    spec["containers"].append(box("d", "600m"))
    made.create(wanted)
    less = one(ask(made, "web"), "request")
    assert less.text == "ask for 400m less cpu: 2 instead of 2400m"


def test_pod_level_requests_are_lowered_there() -> None:
    made = cluster(small())
    wanted = pod("web", cpu="1")
    wanted["spec"]["resources"] = {"requests": {"cpu": "3"}}
    made.create(wanted)
    assert one(ask(made, "web"), "request").field == "spec.resources.requests.cpu"


@pytest.mark.parametrize(
    ("name", "asked", "offered", "left"),
    [("nvidia.com/gpu", "4", "2", "2"), ("hugepages-2Mi", "16Mi", "9Mi", "8Mi")],
)
def test_extended_resources_are_lowered_with_their_limits(
    name: str, asked: str, offered: str, left: str
) -> None:
    made = cluster(small(resources={name: offered}))
    wanted = pod("web", cpu="1")
    resources = wanted["spec"]["containers"][0]["resources"]
    resources["requests"][name] = asked
    resources["limits"] = {name: asked}
    made.create(wanted)
    less = one(ask(made, "web"), "request")
    assert less.new == left
    assert len(less.patches[0].operations) == 2


def test_a_full_node_needs_another_node() -> None:
    made = add(cluster(small(pods=1)), pod("a"))
    made.create(pod("web"))
    answer = ask(made, "web")
    assert answer.groups[0].why == "all 1 places for pods are taken"
    assert kinds(answer)[0] == "node"
    assert "request" not in kinds(answer)


def test_a_cordoned_node() -> None:
    made = cluster(small())
    made.patch("node", "n-0", {"spec": {"unschedulable": True}})
    made.create(pod("web"))
    answer = ask(made, "web")
    assert answer.groups[0].why == "cordoned"
    assert answer.changes[0].text == "uncordon node n-0"


def test_a_cordoned_and_tainted_node_needs_one_change() -> None:
    made = cluster(small())
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    made.patch("node", "n-0", {"spec": {"unschedulable": True, "taints": [taint]}})
    made.create(pod("web"))
    assert kinds(ask(made, "web"))[0] == "uncordon"


def test_taints() -> None:
    made = cluster(small(taints=["gpu=a100:NoSchedule", "team:NoExecute", "x:PreferNoSchedule"]))
    made.create(pod("web", tolerations=[{"key": "team", "operator": "Exists"}]))
    answer = ask(made, "web")
    assert answer.groups[0].why == "taint gpu=a100:NoSchedule"
    assert kinds(answer)[:2] == ["toleration", "taint"]
    assert answer.changes[0].new == {
        "key": "gpu",
        "operator": "Equal",
        "value": "a100",
        "effect": "NoSchedule",
    }


def test_taints_of_a_broken_node_are_not_tolerated() -> None:
    made = cluster(small(taints=["node.kubernetes.io/not-ready:NoSchedule"]))
    made.create(pod("web"))
    assert not {"toleration", "taint"} & set(kinds(ask(made, "web")))


def test_a_node_selector_with_another_value() -> None:
    made = cluster(small(labels={"disk": "hdd"}))
    made.create(pod("web", nodeSelector={"disk": "ssd"}))
    answer = ask(made, "web")
    assert answer.groups[0].why == "no disk=ssd"
    assert [change.text for change in answer.changes[:2]] == [
        "select disk=hdd, not ssd",
        "label node n-0 disk=ssd",
    ]
    assert answer.changes[0].field == "spec.nodeSelector.disk"


def test_a_node_selector_nobody_has() -> None:
    made = cluster(small())
    made.create(pod("web", nodeSelector={"team/disk": "ssd"}))
    assert ask(made, "web").changes[0].text == "do not select team/disk=ssd"


def test_nodes_are_not_told_to_be_in_another_zone() -> None:
    made = cluster(small(zones=["a"]))
    made.create(pod("web", nodeSelector={ZONE: "b"}))
    answer = ask(made, "web")
    assert kinds(answer)[:2] == ["selector", "node"]
    assert answer.changes[1].text.startswith("one more node of 2 cpu and 4Gi in zone b")


def affinity(*terms: list[dict[str, Any]]) -> dict[str, Any]:
    listed = [{"matchExpressions": term} for term in terms]
    return {"nodeAffinity": {LIST: {"nodeSelectorTerms": listed}}}


def test_node_affinity_is_relaxed_in_the_closest_term() -> None:
    made = cluster(small(labels={"disk": "hdd", "cpu": "amd"}))
    first = [
        {"key": "disk", "operator": "In", "values": ["ssd"]},
        {"key": "x", "operator": "Exists"},
    ]
    second = [{"key": "cpu", "operator": "NotIn", "values": ["amd"]}]
    made.create(pod("web", affinity=affinity(first, second)))
    answer = ask(made, "web")
    assert one(answer, "selector").text == "do not require any node affinity"
    made.create(pod("other", affinity=affinity(first[:1])))
    answer = ask(made, "other")
    assert one(answer, "selector").text == "let disk also be hdd"
    assert one(answer, "node-label").new == {"disk": "ssd"}


def test_a_pod_that_names_its_node_by_affinity() -> None:
    made = add(cluster(small(count=3)), pod("a", cpu="2"))
    full = next(iter(made.get("pods")))["spec"]["nodeName"]
    field = {"key": "metadata.name", "operator": "In", "values": [full]}
    term = {"nodeAffinity": {LIST: {"nodeSelectorTerms": [{"matchFields": [field]}]}}}
    made.create(pod("web", cpu="1500m", affinity=term))
    answer = ask(made, "web")
    assert {group.plugin: group.alone for group in answer.groups} == {
        "NodeAffinity": 2,
        "NodeResourcesFit": 1,
    }
    assert "selector" in kinds(answer)


def with_port(name: str, *ports: int) -> dict[str, Any]:
    wanted = pod(name)
    listed = [{"containerPort": port, "hostPort": port} for port in ports]
    wanted["spec"]["containers"][0]["ports"] = listed
    return wanted


def test_host_ports() -> None:
    made = add(cluster(small()), with_port("a", 80, 443))
    made.create(with_port("web", 8080, 443))
    answer = ask(made, "web")
    assert answer.groups[0].why == "host port 443/TCP is taken"
    given_up = one(answer, "port")
    assert given_up.text == "give up host port 443/TCP"
    assert given_up.field == "spec.containers[0].ports[1].hostPort"


def spread(most: int = 1, key: str = ZONE, **more: Any) -> dict[str, Any]:
    return {
        "maxSkew": most,
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
        **more,
    }


def test_a_spread_constraint() -> None:
    made = cluster(
        small("a", zones=["a"], cpu="16"), small("b", zones=["b"], taints=["x:NoSchedule"])
    )
    web = {"app": "web"}
    add(made, *(pod(f"w{n}", labels=web) for n in range(3)))
    made.create(pod("web", labels=web, topologySpreadConstraints=[spread(2, minDomains=2)]))
    answer = ask(made, "web")
    by_plugin = {group.plugin: group for group in answer.groups}
    assert by_plugin["PodTopologySpread"].why == "spread by zone: skew would be 4, maxSkew is 2"
    most, soft = (change for change in answer.changes if change.kind == "spread")
    assert most.text == "allow a skew of 4 by zone, not 2"
    assert (most.field, most.new) == ("spec.topologySpreadConstraints[0].maxSkew", 4)
    assert soft.new == "ScheduleAnyway"


def test_a_node_without_the_spread_label() -> None:
    made = cluster(small())
    made.create(pod("web", labels={"app": "web"}, topologySpreadConstraints=[spread()]))
    answer = ask(made, "web")
    assert answer.groups[0].why == f"spread: no label {ZONE}"
    assert answer.changes[0].new == "ScheduleAnyway"


def near(labels: dict[str, str], key: str = HOST) -> dict[str, Any]:
    return {"labelSelector": {"matchLabels": labels}, "topologyKey": key}


def test_pod_affinity_to_nobody() -> None:
    made = cluster(small())
    made.create(pod("web", affinity={"podAffinity": {LIST: [near({"app": "db"})]}}))
    answer = ask(made, "web")
    assert answer.groups[0].why == "affinity to app=db by host: no such pod there"
    assert answer.changes[0].text == "drop the affinity to app=db by host"


def test_pod_anti_affinity_of_its_own() -> None:
    made = add(cluster(small(zones=["a"])), pod("db-0", labels={"app": "db"}))
    terms = [near({"app": "cache"}), near({"app": "db"}, ZONE)]
    made.create(pod("web", affinity={"podAntiAffinity": {LIST: terms}}))
    answer = ask(made, "web")
    assert answer.groups[0].why == "anti-affinity to app=db by zone: there is one"
    dropped = one(answer, "anti-affinity")
    assert dropped.old == terms[1] or dropped.old["topologyKey"] == ZONE
    assert len(dropped.patches[0].operations) == 1


def test_anti_affinity_of_others() -> None:
    keeps = {"podAntiAffinity": {LIST: [near({"app": "web"})]}}
    made = add(cluster(small()), pod("db-0", affinity=keeps))
    made.create(pod("web", labels={"app": "web"}))
    answer = ask(made, "web")
    assert answer.groups[0].why == "anti-affinity of default/db-0 by host keeps it away"
    assert kinds(answer)[0] == "node"


def test_anti_affinity_of_others_names_the_pod_of_the_same_zone() -> None:
    keeps = {"podAntiAffinity": {LIST: [near({"app": "web"}, ZONE)]}}
    made = cluster(small("a", zones=["a"]), small("b", zones=["b"], count=2))
    add(made, pod("db-a", affinity=keeps, nodeSelector={ZONE: "a"}))
    add(made, pod("db-b", affinity=keeps, nodeSelector={ZONE: "b"}))
    made.create(pod("web", labels={"app": "web"}))
    answer = ask(made, "web")
    for node, keeper in (("a-0", "db-a"), ("b-0", "db-b"), ("b-1", "db-b")):
        (line,) = answer.on(node)
        assert f"anti-affinity of default/{keeper} by zone" in line


def test_pod_affinity_on_a_node_without_the_label() -> None:
    made = add(cluster(small()), pod("db", labels={"app": "db"}))
    made.create(pod("web", affinity={"podAffinity": {LIST: [near({"app": "db"}, ZONE)]}}))
    assert ask(made, "web").groups[0].why == f"affinity to app=db by zone: no label {ZONE}"


def volume(name: str, zone: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    term = [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]}]
    required = {} if labels else {"nodeAffinity": {"required": {"nodeSelectorTerms": term}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "csi": {"driver": "d", "volumeHandle": name},
            "claimRef": {"name": "data", "namespace": "default"},
            **required,
        },
    }


def claim(name: str = "data", volume: str = "pv-1", mode: str = "ReadWriteOnce") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": name,
            "namespace": "default",
            "annotations": {"pv.kubernetes.io/bind-completed": "yes"},
        },
        "spec": {
            "accessModes": [mode],
            "volumeName": volume,
            "storageClassName": "",
            "resources": {"requests": {"storage": "1Gi"}},
        },
        "status": {"phase": "Bound"},
    }


DATA = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]


@pytest.mark.parametrize("labelled", [False, True])
def test_a_volume_in_another_zone(labelled: bool) -> None:
    made = cluster(small(zones=["b"]))
    made.restore([volume("pv-1", "a", {ZONE: "a"} if labelled else None), claim()])
    made.create(pod("web", volumes=DATA))
    answer = ask(made, "web")
    assert answer.groups[0].plugin == ("VolumeZone" if labelled else "VolumeBinding")
    moved = one(answer, "volume")
    assert moved.text == "have volume pv-1 in zone b, not a"
    assert moved.patches[0].anew is not labelled


def test_a_claim_that_is_missing() -> None:
    made = cluster(small())
    made.create(pod("web", volumes=DATA))
    answer = ask(made, "web")
    assert set(answer.blocked) == {"VolumeRestrictions", "VolumeBinding", "VolumeZone"}
    assert answer.changes == []
    assert 'persistentvolumeclaim "data" not found' in str(answer)


def test_a_claim_that_one_pod_alone_may_use() -> None:
    made = cluster(small(count=2))
    made.restore([volume("pv-1", "a", {"x": "y"}), claim(mode="ReadWriteOncePod")])
    add(made, pod("a", volumes=DATA))
    made.create(pod("web", volumes=DATA))
    answer = ask(made, "web")
    assert {group.plugin for group in answer.groups} == {"VolumeRestrictions"}
    assert "ReadWriteOncePod" in answer.groups[0].why


def test_a_node_with_too_many_volumes() -> None:
    made = cluster(small())
    limits = {"name": "d", "nodeID": "n", "allocatable": {"count": 0}}
    csi = {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": "n-0"}}
    made.create({**csi, "spec": {"drivers": [limits]}})
    made.restore([volume("pv-1", "a", {"x": "y"}), claim()])
    made.create(pod("web", volumes=DATA))
    answer = ask(made, "web")
    assert answer.groups[0].why == "exceed max volume count"
    assert kinds(answer) == ["node"]


def test_the_tests_own_patches_are_those_of_the_standard() -> None:
    item: Any = {"a": [1, 2], "b/c": 1}
    edit(item, {"op": "add", "path": "/a/1", "value": 9})
    edit(item, {"op": "add", "path": "/a/-", "value": 8})
    edit(item, {"op": "remove", "path": "/b~1c"})
    assert item == {"a": [1, 9, 2, 8]}
