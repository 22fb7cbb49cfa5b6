"""Chance, and the words that random cases are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

Object = dict[str, Any]

APPS = ["web", "db", "cache", "api"]
ZONES = ["za", "zb", "zc"]
NAMESPACES = ["default", "team-a", "team-b"]
TAINTS = [("dedicated", "gpu"), ("spot", ""), ("pool", "b"), ("level", "5")]
IMAGES = {
    f"registry.example/app{number}:v1": size
    for number, size in enumerate([5e6, 40e6, 300e6, 700e6, 1.5e9, 3e9])
}
ZONE, REGION, HOST = (
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "kubernetes.io/hostname",
)
TOPOLOGIES = [HOST, ZONE, ZONE, REGION, "rack"]
NODE_VALUES = {
    "pool": ["a", "b", "c"],
    "gen": [str(number) for number in range(1, 10)],
    ZONE: ZONES,
    "rack": ["rk0", "rk1", "rk2"],
    "nokey": ["x"],
}
POD_VALUES = {"app": APPS, "tier": ["front", "back"], "ver": ["1", "2", "3"], "nokey": ["x"]}
CLASSES = {
    "immediate": ("Immediate", "ebs.example"),
    "wait": ("WaitForFirstConsumer", "ebs.example"),
    "local": ("WaitForFirstConsumer", "kubernetes.io/no-provisioner"),
    "placed": ("WaitForFirstConsumer", "disk.example"),
}


def named(name: str, **others: Any) -> Object:
    return {"name": name} | others


class Chances:
    """A stream of random choices, with how often each feature is used."""

    random: random.Random
    often: dict[str, float]

    def chance(self, feature: str) -> bool:
        return self.random.random() < self.often[feature]

    def rarely(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, choices: Any) -> Any:
        return self.random.choice(choices)

    def some(self, choices: list[Any], most: int = 2) -> list[Any]:
        return self.random.sample(choices, self.random.randint(1, min(most, len(choices))))

    def expression(self, values: dict[str, list[str]]) -> Object:
        key = self.pick(list(values))
        numbers = ["Gt", "Lt"] if values is NODE_VALUES else []
        operator = self.pick(["In", "In", "NotIn", "Exists", "DoesNotExist", *numbers])
        if operator in numbers:
            return {"key": "gen", "operator": operator, "values": [str(self.random.randint(0, 9))]}
        written = {"key": key, "operator": operator}
        return written | ({"values": self.some(values[key])} if operator in {"In", "NotIn"} else {})

    def selector(self) -> Object:
        expressions = [self.expression(POD_VALUES)]
        return self.pick(
            [
                {},
                {"matchLabels": {"app": self.pick(APPS)}},
                {"matchLabels": {"app": self.pick(APPS)}},
                {"matchExpressions": expressions},
                {"matchLabels": {"tier": "back"}, "matchExpressions": expressions},
            ]
        )
