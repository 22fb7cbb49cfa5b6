"""EndpointSlices and Endpoints, held against what the real reconciler made of random Services.

Recorded by tools/record/slices. Each case is a Service whose pods come, go, turn ready or end,
while its ports, labels and wishes about hints change.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from wavetank import Cluster, _core, clock
from wavetank.network.ranges import Ranges, to_core
from wavetank.program import rules

FILES = sorted((Path(__file__).parent.parent / "golden/slices").glob("cases-*.jsonl"))
CASES = [json.loads(line) for file in FILES for line in file.read_text().splitlines()]
ZONE = "topology.kubernetes.io/zone"


class WithoutKubelets(Cluster):
    """A cluster whose pods do what the test says and nothing else."""

    def __init__(self) -> None:
        world = _core.World(
            rules(),
            seed=0,
            start_ns=clock.time_ns(clock.START),
            latencies={},
            without=("kubelets",),
            ranges=to_core(Ranges(service_cidr="10.96.0.0/12,fd00:10:96::/112")),
        )
        self._attach(world, (), ())


def node(name: str, zone: str, cpu: str, ready: bool, excluded: bool) -> dict[str, Any]:
    labels = {ZONE: zone} if zone else {}
    if excluded:
        labels["node-role.kubernetes.io/control-plane"] = ""
    condition = {"type": "Ready", "status": str(ready)}
    status = {"allocatable": {"cpu": cpu}, "conditions": [condition]}
    meta = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {}, "status": status}


def service(asked: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "port", "protocol", "targetPort", "appProtocol")
    ports = [
        {name: value for name, value in zip(names, port, strict=True) if value is not None}
        for port in asked["ports"]
    ]
    ips = asked["ips"]
    spec = {
        "type": "ClusterIP",
        "selector": {"app": "web"},
        "clusterIP": ips[0],
        "clusterIPs": ips,
        "ipFamilies": ["IPv4", "IPv6"][: len(ips)],
        "ipFamilyPolicy": "RequireDualStack" if len(ips) > 1 else "SingleStack",
        "sessionAffinity": "None",
        "publishNotReadyAddresses": asked["publish"],
        "ports": ports,
    }
    if asked["distribution"]:
        spec["trafficDistribution"] = asked["distribution"]
    meta: dict[str, Any] = {
        "name": "web",
        "namespace": "default",
        "labels": {"tier": asked["tier"]},
    }
    if asked["auto"]:
        meta["annotations"] = {"service.kubernetes.io/topology-mode": "Auto"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def pod(row: list[Any]) -> dict[str, Any]:
    name, uid, on, ips, ports, subdomain, phase, ready, ending = row
    named = [dict(zip(("name", "containerPort", "protocol"), port, strict=True)) for port in ports]
    spec = {"nodeName": on, "containers": [{"name": "c", "image": "i", "ports": named}]}
    if subdomain:
        spec |= {"hostname": name, "subdomain": subdomain}
    meta = {
        "name": name,
        "namespace": "default",
        "uid": uid,
        "labels": {"app": "web"},
        "finalizers": ["example.com/hold"],
    }
    if ending:
        meta |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0}
    conditions = [{"type": "Ready", "status": str(ready)}]
    addresses = {"podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]}
    status = {"phase": phase, "conditions": conditions, **addresses}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status}


def take_step(cluster: Cluster, step: dict[str, Any]) -> None:
    wanted = service(step["service"])
    if step["at"]:
        cluster.update(wanted)
    else:
        cluster.restore(wanted)
    for name in step["drop"] or []:
        remove(cluster, name)
    for row in step["put"]:
        remove(cluster, row[0])
        cluster.restore(pod(row))
    cluster.run()


def remove(cluster: Cluster, name: str) -> None:
    try:
        cluster.patch("pods", name, {"metadata": {"finalizers": None}})
        cluster.delete("pods", name, grace_period_seconds=0)
    except _core.NotFoundError:
        pass


def ports_of(ports: list[dict[str, Any]]) -> list[list[Any]]:
    return [
        [port.get("name", ""), port["port"], port["protocol"], port.get("appProtocol")]
        for port in ports
    ]


def hinted(endpoint: dict[str, Any], field: str) -> list[str]:
    return [hint["name"] for hint in endpoint.get("hints", {}).get(field, [])]


def slice_row(found: Any) -> list[Any]:
    endpoints = [
        [
            one["targetRef"]["name"],
            one["addresses"],
            "".join(
                letter
                for letter, name in zip("RST", ("ready", "serving", "terminating"), strict=True)
                if one["conditions"][name]
            ),
            one.get("hostname"),
            one["nodeName"],
            one.get("zone"),
            hinted(one, "forZones"),
            hinted(one, "forNodes"),
        ]
        for one in found.get("endpoints") or []
    ]
    ports = ports_of(found.get("ports") or [])
    return [found["addressType"], found["metadata"]["labels"], ports, endpoints]


def subset_row(subset: dict[str, Any]) -> list[Any]:
    def names(field: str) -> list[str]:
        return [address["targetRef"]["name"] for address in subset.get(field, [])]

    return [names("addresses"), names("notReadyAddresses"), ports_of(subset.get("ports", []))]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_slices_and_subsets_are_those_of_the_real_controllers(number: int) -> None:
    case = CASES[number]
    cluster = WithoutKubelets()
    for row in case["nodes"]:
        cluster.restore(node(*row))
    told = 0
    for at, step in enumerate(case["steps"]):
        take_step(cluster, step | {"at": at})
        found = cluster.get("endpointslices", label_selector="kubernetes.io/service-name=web")
        rows = sorted((slice_row(one) for one in found), key=json.dumps)
        assert rows == sorted(step["slices"], key=json.dumps), f"step {at}"
        subsets = cluster.get("endpoints", "web").get("subsets", [])
        assert [subset_row(one) for one in subsets] == step["subsets"], f"step {at}"
        events = [
            f"{event['type']} {event['reason']} {event['message']}"
            for event in cluster.get("events")
            if event["reason"].startswith("TopologyAware")
        ]
        told += len(step["events"])
        assert set(step["events"]) <= set(events), f"step {at}"
    assert told or not any(step["service"]["auto"] for step in case["steps"])
