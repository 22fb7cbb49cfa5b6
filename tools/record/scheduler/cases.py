"""Write random cases for the scheduler, one file each: what is there, and pods to be placed.

python tools/record/scheduler/cases.py FOLDER COUNT [SEED]

A case is a small cluster in one mood (its family): which features its pods use often. What the
real scheduler answers is recorded by ``main.go`` beside this file.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

from chances import (
    APPS,
    HOST,
    IMAGES,
    NAMESPACES,
    NODE_VALUES,
    POD_VALUES,
    REGION,
    TAINTS,
    TOPOLOGIES,
    ZONE,
    ZONES,
    Object,
    named,
)
from configuration import Configurations
from storage import Storage

#: How often a feature is used, and what each family uses more often.
OFTEN = {
    "taints": 0.25,
    "images": 0.3,
    "extended": 0.1,
    "ports": 0.1,
    "podlevel": 0.05,
    "nodeaffinity": 0.2,
    "podaffinity": 0.1,
    "spread": 0.15,
    "priority": 0.2,
    "volumes": 0.0,
    "inline": 0.0,
    "owned": 0.0,
    "config": 0.0,
    "old": 2.0,
}
FAMILIES: dict[str, dict[str, float]] = {
    "affinity": {"podaffinity": 0.6},
    "base": {},
    "config": {"config": 1, "owned": 0.25},
    "large": {"config": 0.3},
    "mixed": {"config": 0.3, "owned": 0.25, "volumes": 0.15},
    "owned": {"owned": 0.4},
    "ports": {"ports": 0.7},
    "preempt": {"priority": 0.95, "extended": 0.3, "old": 6},
    "preemptmix": {
        "priority": 0.9,
        "podaffinity": 0.3,
        "spread": 0.3,
        "ports": 0.3,
        "config": 0.3,
        "old": 6,
    },
    "spread": {"spread": 0.8},
    "tight": {"podlevel": 0.3, "extended": 0.4},
    "volumes": {"volumes": 0.7, "inline": 0.15, "priority": 0.1},
}


class Case(Configurations, Storage):
    """A cluster in the making."""

    def __init__(self, family: str, seed: str) -> None:
        self.random = random.Random(seed)
        self.often = OFTEN | FAMILIES[family]
        self.owners: list[Object] = []
        self.claims: list[Object] = []
        self.schedulers = ["default-scheduler"]
        large = family == "large"
        count = self.random.randint(105, 180) if large else self.random.randint(3, 14)
        self.nodes = [self.node(number) for number in range(count)]
        self.objects = [self.namespace(name) for name in NAMESPACES]
        if self.often["owned"]:
            self.add_owners()
        if self.often["volumes"]:
            self.add_storage()
        if "preempt" in family:
            self.objects += [self.budget(number) for number in range(self.random.randint(0, 3))]
        self.config = self.configuration() if self.chance("config") else ""
        old = self.random.randint(0, int(len(self.nodes) * self.often["old"]))
        self.existing = [self.running(number) for number in range(old)]
        new = 40 if large else self.random.randint(6, 25)
        self.pods = [self.pod(f"new-{number:03}") for number in range(new)]

    def input(self) -> Object:
        case = {
            "nodes": self.nodes,
            "objects": self.objects,
            "existing": self.existing,
            "pods": self.pods,
        }
        return case | {"config": self.config} if self.config else case

    # Nodes

    def node(self, number: int) -> Object:
        name = f"node-{number:03}"
        labels = {HOST: name, "kubernetes.io/os": "linux"}
        for key, values, probability in (
            (ZONE, ZONES, 0.92),
            (REGION, ["r1", "r2"], 0.5),
            ("pool", ["a", "b"], 0.5),
            ("gen", NODE_VALUES["gen"], 0.4),
            ("rack", NODE_VALUES["rack"], 0.3),
        ):
            if self.rarely(probability):
                labels[key] = self.pick(values)
        capacity = {
            "cpu": self.pick(["1", "2", "4", "3500m"]),
            "memory": self.pick(["2Gi", "4Gi", "8Gi", "4000M"]),
            "pods": str(self.pick([3, 5, 10, 110])),
            "ephemeral-storage": self.pick(["5Gi", "20Gi"]),
        }
        if self.rarely(0.3):
            capacity["example.com/gpu"] = str(self.random.randint(0, 4))
        if self.rarely(0.2):
            capacity["hugepages-2Mi"] = "512Mi"
        allocatable = dict(capacity)
        if self.rarely(0.3):
            allocatable["cpu"] = self.pick(["900m", "1900m", "3"])
        status: Object = {
            "capacity": capacity,
            "allocatable": allocatable,
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        if self.chance("images"):
            status["images"] = [
                {"names": [image], "sizeBytes": int(size)}
                for image, size in IMAGES.items()
                if self.rarely(0.5)
            ]
        spec: Object = {}
        if self.chance("taints"):
            taints = [self.taint() for _ in range(self.random.randint(1, 2))]
            spec["taints"] = list({(t["key"], t["effect"]): t for t in taints}.values())
        if self.rarely(0.06):
            spec["unschedulable"] = True
        metadata = {"name": name, "labels": labels}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": metadata,
            "spec": spec,
            "status": status,
        }

    def taint(self) -> Object:
        key, value = self.pick(TAINTS)
        effect = self.pick(["NoSchedule", "NoSchedule", "PreferNoSchedule", "NoExecute"])
        return {"key": key, "effect": effect} | ({"value": value} if value else {})

    # Selectors

    def node_term(self) -> Object:
        if self.rarely(0.15):
            names = [f"node-{self.random.randint(0, 12):03}"]
            operator = self.pick(["In", "In", "NotIn"])
            return {
                "matchFields": [{"key": "metadata.name", "operator": operator, "values": names}]
            }
        count = self.random.randint(1, 2)
        return {"matchExpressions": [self.expression(NODE_VALUES) for _ in range(count)]}

    def pod_term(self) -> Object:
        term = {"topologyKey": self.pick([*TOPOLOGIES, "nokey"]), "labelSelector": self.selector()}
        if self.rarely(0.2):
            term["namespaces"] = self.some(NAMESPACES)
        if self.rarely(0.2):
            team = {"key": "team", "operator": "Exists"}
            term["namespaceSelector"] = self.pick([{}, {"matchExpressions": [team]}])
        if self.rarely(0.1):
            term[self.pick(["matchLabelKeys", "mismatchLabelKeys"])] = ["ver"]
        return term

    # Pods

    def running(self, number: int) -> Object:
        pod = self.pod(f"old-{number:03}")
        pod["spec"]["nodeName"] = self.pick(self.nodes)["metadata"]["name"]
        started = f"2026-01-01T00:{self.random.randint(0, 59):02}:00Z"
        pod["status"] = {"phase": "Running", "startTime": started}
        return pod

    def pod(self, name: str) -> Object:
        namespace = self.pick(NAMESPACES)
        labels = {"app": self.pick(APPS)}
        for key in ("tier", "ver"):
            if self.rarely(0.5):
                labels[key] = self.pick(POD_VALUES[key])
        metadata: Object = {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "labels": labels,
        }
        if self.chance("owned") and self.owners:
            self.own(metadata)
        spec = self.spec(labels)
        volumes = list(self.volumes(namespace))
        if volumes:
            spec["volumes"] = volumes
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    def spec(self, labels: dict[str, str]) -> Object:
        count = self.pick([1, 1, 1, 2, 3])
        spec: Object = {
            "schedulerName": self.pick(self.schedulers),
            "containers": [self.container(f"c{number}") for number in range(count)],
        }
        if self.rarely(0.12):
            spec["initContainers"] = [
                {"name": f"i{number}", "image": "img", "resources": self.resources()}
                | ({"restartPolicy": "Always"} if self.rarely(0.4) else {})
                for number in range(self.random.randint(1, 3))
            ]
        if self.rarely(0.06):
            spec["overhead"] = {"cpu": "20m", "memory": "32Mi"}
        if self.chance("podlevel"):
            requests = {"cpu": self.pick(["1", "2500m"]), "memory": self.pick(["1Gi", "3Gi"])}
            spec["resources"] = {"requests": requests}
        if self.rarely(0.12):
            spec["nodeSelector"] = {"pool": self.pick(["a", "b"])}
        if self.rarely(0.35):
            spec["tolerations"] = [self.toleration() for _ in range(self.random.randint(1, 3))]
        affinity = self.affinity()
        if affinity:
            spec["affinity"] = affinity
        if self.chance("spread"):
            wanted = [self.constraint(labels) for _ in range(self.pick([1, 1, 2, 3]))]
            unique = {(c["topologyKey"], c["whenUnsatisfiable"]): c for c in wanted}
            spec["topologySpreadConstraints"] = list(unique.values())
        if self.chance("priority"):
            spec["priority"] = self.pick([0, 10, 100, 1000, -5])
            if self.rarely(0.1):
                spec["preemptionPolicy"] = "Never"
        return spec

    def container(self, name: str) -> Object:
        container: Object = {
            "name": name,
            "image": self.pick([*IMAGES, "img", "img"]),
            "resources": self.resources(),
        }
        if self.chance("ports"):
            container["ports"] = [
                {
                    "containerPort": port,
                    "hostPort": port,
                    "protocol": self.pick(["TCP", "TCP", "UDP"]),
                    "hostIP": self.pick(["", "", "127.0.0.1", "0.0.0.0", "10.0.0.1"]),  # noqa: S104
                }
                for port in self.some([80, 443, 8080])
            ]
        return container

    def resources(self) -> Object:
        requests: Object = {}
        limits: Object = {}
        if self.rarely(0.85):
            requests["cpu"] = self.pick(["50m", "100m", "250m", "0.5", "1", "1500m", "2", "0"])
        if self.rarely(0.85):
            requests["memory"] = self.pick(["64Mi", "100M", "256Mi", "1Gi", "1.5Gi", "2G", "0"])
        if self.rarely(0.1):
            requests["ephemeral-storage"] = self.pick(["1Gi", "3Gi", "10Gi"])
        if self.chance("extended"):
            requests["example.com/gpu"] = limits["example.com/gpu"] = self.pick(["1", "2"])
        if self.rarely(0.03):
            requests["hugepages-2Mi"] = limits["hugepages-2Mi"] = "64Mi"
        if self.rarely(0.2):
            limits["cpu"] = "2"
        if self.rarely(0.05):
            limits["memory"] = "2Gi"
            requests.pop("memory", None)
        return {"requests": requests, "limits": limits}

    def toleration(self) -> Object:
        key, value = self.pick(TAINTS)
        toleration: Object = {"key": key, "operator": self.pick(["Exists", "Equal"])}
        if self.rarely(0.05):
            return {"operator": "Exists"}
        if toleration["operator"] == "Equal" and value:
            toleration["value"] = value
        if self.rarely(0.6):
            toleration["effect"] = self.pick(["NoSchedule", "PreferNoSchedule", "NoExecute"])
        return toleration

    def affinity(self) -> Object:
        required, preferred = (
            "requiredDuringSchedulingIgnoredDuringExecution",
            "preferredDuringSchedulingIgnoredDuringExecution",
        )
        affinity: Object = {}
        if self.chance("nodeaffinity"):
            affinity["nodeAffinity"] = {}
            if self.rarely(0.6):
                affinity["nodeAffinity"][preferred] = [
                    {
                        "weight": self.random.randint(1, 100),
                        "preference": {"matchExpressions": [self.expression(NODE_VALUES)]},
                    }
                    for _ in range(self.random.randint(1, 3))
                ]
            if self.rarely(0.5):
                terms = [self.node_term() for _ in range(self.random.randint(1, 2))]
                affinity["nodeAffinity"][required] = {"nodeSelectorTerms": terms}
        for kind in ("podAffinity", "podAntiAffinity"):
            if self.chance("podaffinity"):
                weights = [self.random.randint(1, 100) for _ in range(self.pick([1, 1, 2]))]
                affinity[kind] = {
                    preferred: [{"weight": w, "podAffinityTerm": self.pod_term()} for w in weights]
                }
                if self.rarely(0.45):
                    affinity[kind][required] = [
                        self.pod_term() for _ in range(self.pick([1, 1, 2]))
                    ]
        return affinity

    def constraint(self, labels: dict[str, str]) -> Object:
        constraint: Object = {
            "maxSkew": self.random.randint(1, 3),
            "topologyKey": self.pick(TOPOLOGIES),
            "whenUnsatisfiable": self.pick(["DoNotSchedule", "ScheduleAnyway"]),
            "labelSelector": self.pick(
                [
                    self.selector(),
                    {"matchLabels": {"app": labels["app"]}},
                ]
            ),
        }
        if constraint["whenUnsatisfiable"] == "DoNotSchedule" and self.rarely(0.2):
            constraint["minDomains"] = self.random.randint(1, 4)
        for policy in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if self.rarely(0.25):
                constraint[policy] = self.pick(["Honor", "Ignore"])
        if self.rarely(0.15):
            constraint["matchLabelKeys"] = ["ver"]
        return constraint

    def volumes(self, namespace: str) -> Any:
        claims = [c for c in self.claims if c["metadata"]["namespace"] == namespace]
        if claims and self.chance("volumes"):
            for number, claim in enumerate(self.some(claims)):
                name = claim["metadata"]["name"]
                yield {"name": f"v{number}", "persistentVolumeClaim": {"claimName": name}}
            if self.rarely(0.04):
                yield {"name": "vx", "persistentVolumeClaim": {"claimName": "missing"}}
        if self.chance("inline"):
            read_only = self.rarely(0.4)
            yield {"name": "d"} | self.pick(
                [
                    {
                        "gcePersistentDisk": {
                            "pdName": self.pick(["p0", "p1"]),
                            "readOnly": read_only,
                        }
                    },
                    {"awsElasticBlockStore": {"volumeID": self.pick(["e0", "e1"])}},
                    {"rbd": {"monitors": ["m"], "image": "i", "pool": "p", "readOnly": read_only}},
                    {"iscsi": {"targetPortal": "10.1.1.1:3260", "iqn": "q", "lun": 0}},
                    {"cinder": {"volumeID": self.pick(["c0", "c1"])}},
                    {"emptyDir": {}},
                ]
            )

    # Everything else

    def namespace(self, name: str) -> Object:
        team = {"team": name[-1]} if name != "default" else {}
        labels = team | {"kubernetes.io/metadata.name": name}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": named(name, labels=labels)}

    def own(self, metadata: Object) -> None:
        owner = self.pick(self.owners)
        if owner["metadata"]["namespace"] != metadata["namespace"]:
            return
        metadata["labels"] |= owner["spec"]["selector"]["matchLabels"]
        metadata["ownerReferences"] = [
            {
                "apiVersion": "apps/v1",
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "controller": True,
            }
        ]

    def add_owners(self) -> None:
        for number in range(self.random.randint(1, 4)):
            namespace, labels = self.pick(NAMESPACES), {"app": self.pick(APPS)}
            if self.rarely(0.5):
                metadata = named(f"svc{number}", namespace=namespace)
                spec: Object = {"selector": labels, "ports": [{"port": 80}]}
                self.objects.append(
                    {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
                )
            template = {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            }
            owner = {
                "apiVersion": "apps/v1",
                "kind": self.pick(["ReplicaSet", "ReplicaSet", "StatefulSet"]),
                "metadata": named(f"rs{number}", namespace=namespace, uid=f"uid-rs{number}"),
                "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": template},
            }
            if owner["kind"] == "StatefulSet":
                owner["spec"]["serviceName"] = "x"  # type: ignore[index]
            self.owners.append(owner)
        self.objects += self.owners

    def budget(self, number: int) -> Object:
        allowed = self.random.randint(0, 2)
        return {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": named(f"pdb{number}", namespace=self.pick(NAMESPACES)),
            "spec": {"minAvailable": 1, "selector": self.selector()},
            "status": {
                "disruptionsAllowed": allowed,
                "currentHealthy": allowed + 1,
                "desiredHealthy": 1,
                "expectedPods": allowed + 1,
            },
        }


def main() -> None:
    folder, count, *rest = sys.argv[1:]
    seed = rest[0] if rest else "0"
    into = Path(folder)
    into.mkdir(parents=True, exist_ok=True)
    families = sorted(FAMILIES)
    for number in range(int(count)):
        family = families[number % len(families)]
        case = Case(family, f"{seed}-{number}")
        file = into / f"{family}-{seed}-{number:03}.json"
        file.write_text(json.dumps({"input": case.input()}))


if __name__ == "__main__":
    main()
