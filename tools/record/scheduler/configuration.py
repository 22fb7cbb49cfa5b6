"""Random configurations of the scheduler."""

from __future__ import annotations

import json

from chances import NODE_VALUES, TOPOLOGIES, Chances, Object


class Configurations(Chances):
    """What a case may say in a ``KubeSchedulerConfiguration``."""

    schedulers: list[str]

    def configuration(self) -> str:
        names = ["default-scheduler"] + (["second"] if self.rarely(0.3) else [])
        self.schedulers = [*names, "default-scheduler", "default-scheduler"]
        written: Object = {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "profiles": [self.profile(name) for name in names],
        }
        if self.rarely(0.2):
            written["percentageOfNodesToScore"] = self.random.randint(5, 100)
        return json.dumps(written)

    def profile(self, name: str) -> Object:
        plugins: Object = {}
        scoring = ["NodeResourcesFit", "ImageLocality", "TaintToleration", "InterPodAffinity"]
        if self.rarely(0.4):
            plugins["score"] = {
                "enabled": [
                    {"name": plugin, "weight": self.random.randint(1, 9)}
                    for plugin in self.some(scoring, 3)
                ]
            }
        if self.rarely(0.3):
            disabled = self.pick(["*", "NodeResourcesFit", "PodTopologySpread"])
            plugins.setdefault("score", {})["disabled"] = [{"name": disabled}]
        if self.rarely(0.25):
            disabled = self.pick(["TaintToleration", "NodePorts", "PodTopologySpread", "*"])
            plugins["filter"] = {"disabled": [{"name": disabled}]}
        if self.rarely(0.2):
            disabled = self.pick(["DefaultPreemption", "ImageLocality"])
            plugins["multiPoint"] = {"disabled": [{"name": disabled}]}
        arguments = {
            "NodeResourcesFit": (0.6, self.fit_arguments()),
            "InterPodAffinity": (0.3, {"hardPodAffinityWeight": self.random.randint(0, 100)}),
            "NodeAffinity": (0.3, {"addedAffinity": self.added_affinity()}),
            "PodTopologySpread": (0.4, self.spread_arguments()),
            "DefaultPreemption": (
                0.2,
                {"minCandidateNodesPercentage": 10, "minCandidateNodesAbsolute": 100},
            ),
        }
        chosen = [
            {"name": plugin, "args": args}
            for plugin, (often, args) in arguments.items()
            if self.rarely(often)
        ]
        share = {"percentageOfNodesToScore": 60} if self.rarely(0.15) else {}
        return {"schedulerName": name, "plugins": plugins, "pluginConfig": chosen} | share

    def fit_arguments(self) -> Object:
        shape = self.pick(
            [
                [{"utilization": 0, "score": 0}, {"utilization": 100, "score": 10}],
                [{"utilization": 10, "score": 9}, {"utilization": 55, "score": 2}],
            ]
        )
        weighted = [{"name": "cpu", "weight": 2}, {"name": "memory", "weight": 3}]
        strategy: Object = {
            "type": self.pick(["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"]),
            "resources": [*weighted, {"name": "example.com/gpu", "weight": 5}][: self.pick([2, 3])],
        }
        if strategy["type"] == "RequestedToCapacityRatio":
            strategy["requestedToCapacityRatio"] = {"shape": shape}
        return self.pick(
            [{"scoringStrategy": strategy}] * 3 + [{"ignoredResourceGroups": ["example.com"]}]
        )

    def added_affinity(self) -> Object:
        return {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 7,
                    "preference": {"matchExpressions": [self.expression(NODE_VALUES)]},
                }
            ]
        }

    def spread_arguments(self) -> Object:
        constraint = {
            "maxSkew": self.random.randint(1, 2),
            "topologyKey": self.pick(TOPOLOGIES),
            "whenUnsatisfiable": self.pick(["ScheduleAnyway", "DoNotSchedule"]),
        }
        return self.pick(
            [
                {"defaultingType": "List", "defaultConstraints": [constraint]},
                {"defaultingType": "List"},
                {"defaultingType": "System"},
            ]
        )
