"""Print random patch cases, one JSON line each; `tools/record/patch` adds the answers.

python tools/record/patch/inputs.py COUNT [SEED] < rust/core/src/api/table/v1.36.txt
"""

from __future__ import annotations

import copy
import json
import random
import re
import sys
from typing import Any, NamedTuple

KINDS = [
    ("v1", "Pod", "core/v1.Pod"),
    ("v1", "Pod", "core/v1.Pod"),
    ("apps/v1", "Deployment", "apps/v1.Deployment"),
    ("apps/v1", "Deployment", "apps/v1.Deployment"),
    ("v1", "Service", "core/v1.Service"),
    ("v1", "ConfigMap", "core/v1.ConfigMap"),
    ("v1", "Node", "core/v1.Node"),
    ("v1", "ServiceAccount", "core/v1.ServiceAccount"),
    ("apps/v1", "StatefulSet", "apps/v1.StatefulSet"),
    ("batch/v1", "Job", "batch/v1.Job"),
    ("networking.k8s.io/v1", "Ingress", "networking/v1.Ingress"),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "autoscaling/v2.HorizontalPodAutoscaler"),
]
FOCUS = {
    "core/v1.Pod": ["metadata", "spec"],
    "core/v1.PodSpec": [
        "containers",
        "initContainers",
        "volumes",
        "tolerations",
        "imagePullSecrets",
        "hostAliases",
        "nodeSelector",
        "securityContext",
        "topologySpreadConstraints",
        "affinity",
        "restartPolicy",
    ],
    "core/v1.Container": [
        "name",
        "image",
        "env",
        "ports",
        "volumeMounts",
        "args",
        "resources",
        "livenessProbe",
        "volumeDevices",
        "envFrom",
    ],
    "core/v1.Volume": ["name", "emptyDir", "configMap", "secret", "hostPath"],
    "meta/v1.ObjectMeta": ["labels", "annotations", "finalizers", "ownerReferences", "name"],
    "apps/v1.DeploymentSpec": ["replicas", "strategy", "template", "selector", "paused"],
    "apps/v1.Deployment": ["metadata", "spec"],
    "core/v1.Service": ["metadata", "spec"],
    "core/v1.ServiceSpec": ["ports", "selector", "type", "externalIPs", "clusterIP"],
    "core/v1.Node": ["metadata", "spec", "status"],
    "core/v1.NodeStatus": ["addresses", "conditions", "capacity", "images"],
}
NAMES = ["a", "b", "c", "d"]
NUMBERS = [53, 80, 8080, 443]


class Field(NamedTuple):
    """A field's shape and merge key."""

    shape: str
    key: str


def read_table(text: str) -> dict[str, dict[str, Field]]:
    """Field shapes of every type."""
    types: dict[str, dict[str, Field]] = {}
    package = ""
    for line in text.splitlines():
        words = line.split(" ")
        if words[0] == "package":
            package = words[1]
        elif words[0] == "type":
            fields = types[f"{package}.{words[1]}"] = {}
        elif words[0] == "" and package:
            shape = re.sub(
                r"(?<![\w/.<{])(?=[A-Z]\w*$)", f"{package}.", re.sub(r"<[^>]*>", "", words[3])
            )
            key = next((word[4:] for word in words if word.startswith("key=")), "")
            fields[words[1]] = Field(shape, key)
    return types


class Writer:
    """Cases from one random stream."""

    def __init__(self, types: dict[str, dict[str, Field]], seed: int) -> None:
        self.types = types
        self.random = random.Random(seed)

    def _chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def _struct(self, of: str, depth: int, must: str = "") -> dict[str, Any]:
        fields = self.types[of]
        names = FOCUS.get(of) or sorted(fields)
        wanted = self.random.randint(1, min(len(names), 4 if depth < 5 else 2))
        picked = set(self.random.sample(names, wanted))
        if must and not self._chance(0.02):
            picked.add(must)
        return {name: self._value(fields[name], depth + 1) for name in sorted(picked)}

    def _value(self, field: Field, depth: int) -> Any:
        shape = field.shape.removeprefix("*")
        pick = self.random.choice
        if shape.startswith("[]"):
            count = 0 if depth > 9 else pick([0, 1, 2, 2, 3, 4])
            items = [self._item(shape[2:], field.key, depth) for _ in range(count)]
            return self._mostly_unique(items, field.key)
        if shape.startswith("{"):
            inner = Field(shape.partition("}")[2], "")
            keys = self.random.sample(NAMES, self.random.randint(0, 3))
            return {key: self._value(inner, depth + 1) for key in keys}
        simple: dict[str, list[Any]] = {
            "s": NAMES,
            "b": [True, False],
            "i": NUMBERS,
            "l": NUMBERS,
            "d": [1, 2.5],
            "y": ["YQ=="],
            "q": ["100m", "1Gi", 2],
            "x": ["http", 80],
            "t": ["2024-01-31T15:04:05Z"],
            "u": ["2024-01-31T15:04:05.000001Z"],
            "r": [{"x": 1}],
            "j": [{"x": 1}, 5],
        }
        if shape in simple:
            return pick(simple[shape])
        return self._struct(shape, depth) if depth < 10 else {}

    def _item(self, shape: str, key: str, depth: int) -> Any:
        shape = shape.removeprefix("*")
        if shape in self.types:
            return self._struct(shape, depth + 1, key)
        return self._value(Field(shape, ""), depth + 1)

    def _mostly_unique(self, items: list[Any], key: str) -> list[Any]:
        # What Go makes of repeated scalars depends on how its lists happen to have grown.
        return items if key and self._chance(0.05) else self._unique(items, key)

    def _unique(self, items: list[Any], key: str) -> list[Any]:
        seen: list[Any] = []
        kept = []
        for item in items:
            mark = item.get(key) if key and isinstance(item, dict) else item
            if mark not in seen or (not key and isinstance(item, dict)):
                seen.append(mark)
                kept.append(item)
        return kept

    def _mutated(self, value: Any, of: str, rate: float, depth: int = 0) -> Any:
        """Copy a struct with some fields changed, removed, added or reordered."""
        fields = self.types[of]
        out: dict[str, Any] = {}
        for name, item in value.items():
            if name not in fields or (self._chance(rate * 0.4) and depth):
                if name not in fields:
                    out[name] = item
                continue
            out[name] = self._mutated_value(item, fields[name], rate, depth + 1)
        for name in FOCUS.get(of) or sorted(fields):
            if name not in out and self._chance(rate * 0.1):
                out[name] = self._value(fields[name], depth + 4)
        return out

    def _mutated_value(self, item: Any, field: Field, rate: float, depth: int) -> Any:
        shape = field.shape.removeprefix("*")
        if self._chance(rate * 0.15):
            return None if self._chance(0.1) else self._value(field, depth + 3)
        if isinstance(item, list):
            inner = shape.removeprefix("[]").removeprefix("*")
            kept = [
                self._mutated(entry, inner, rate, depth + 1)
                if isinstance(entry, dict) and inner in self.types
                else entry
                for entry in item
                if not self._chance(rate * 0.3)
            ]
            if self._chance(rate * 0.5):
                kept.append(self._item(inner, field.key, depth + 3))
            if self._chance(rate * 0.4):
                self.random.shuffle(kept)
            return self._mostly_unique(kept, field.key)
        if isinstance(item, dict) and shape in self.types:
            return self._mutated(item, shape, rate, depth)
        if isinstance(item, dict):
            return {key: entry for key, entry in item.items() if not self._chance(rate * 0.4)}
        return item

    def _directives(self, patch: Any, of: str) -> Any:  # noqa: C901
        """Strew directives into a patch, sensible or not."""
        if not isinstance(patch, dict) or of not in self.types:
            return patch
        pick = self.random.choice
        fields = self.types[of]
        out: dict[str, Any] = {}
        for name, entry in patch.items():
            item: Any = entry
            shape = fields[name].shape.removeprefix("*") if name in fields else ""
            inner = shape.removeprefix("[]").removeprefix("*")
            if isinstance(item, list):
                item = [self._directives(each, inner) for each in item]
                key = fields[name].key
                if key and self._chance(0.15):
                    directive = pick(["delete", "delete", "replace", "merge", "other"])
                    item.append({key: pick([*NAMES, *NUMBERS]), "$patch": directive})
                if self._chance(0.3):
                    names = [
                        each.get(key) for each in item if isinstance(each, dict) and key in each
                    ]
                    names += self.random.sample(NAMES, self.random.randint(0, 2))
                    order: list[Any] = (
                        [{key: mark} for mark in dict.fromkeys(names)]
                        if key
                        else list(
                            dict.fromkeys(
                                each for each in item if not isinstance(each, (dict, list))
                            )
                        )
                    )
                    if self._chance(0.2):
                        self.random.shuffle(order)
                    out[f"$setElementOrder/{name}"] = order
                if not key and self._chance(0.3):
                    out[f"$deleteFromPrimitiveList/{name}"] = self.random.sample(NAMES, 2)
            elif isinstance(item, dict):
                item = self._directives(item, inner)
            elif self._chance(0.1):
                item = None
            out[name] = item
        if self._chance(0.04):
            out["$patch"] = pick(["delete", "replace", "merge"])
        if self._chance(0.08):
            keys = [name for name in patch if not self._chance(0.1)]
            out["$retainKeys"] = keys if self._chance(0.9) else "x"
        return out

    def case(self) -> dict[str, Any]:
        """Write one case."""
        api_version, kind, of = self.random.choice(KINDS)
        head = {"apiVersion": api_version, "kind": kind}
        original = {**self._struct(of, 0), **head}
        rate = self.random.choice([0.1, 0.3, 0.6])
        modified = {**self._mutated(original, of, rate), **head}
        what = self.random.choice(
            ["three_way"] * 5
            + ["two_way", "strategic", "strategic", "strategic", "json_three_way", "merge", "json"]
        )
        case: dict[str, Any] = {"do": what}
        if what in ("three_way", "two_way", "strategic"):
            case |= head
        if what in ("three_way", "json_three_way"):
            current = {**self._mutated(original, of, rate), **head}
            overwrite = self._chance(0.7)
            return case | {
                "original": original,
                "modified": modified,
                "current": current,
                **({"overwrite": True} if overwrite and what == "three_way" else {}),
            }
        if what == "two_way":
            return case | {"original": original, "modified": modified}
        if what == "strategic":
            return case | {"document": original, "patch": self._directives(modified, of)}
        if what == "merge":
            return case | {"document": original, "patch": self._with_nulls(modified)}
        return case | {"document": original, "patch": self._json_patch(original)}

    def _with_nulls(self, value: Any) -> Any:
        if self._chance(0.1):
            return None
        if isinstance(value, dict):
            return {key: self._with_nulls(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._with_nulls(item) for item in value]
        return value

    def _json_patch(self, document: Any) -> Any:
        pick = self.random.choice
        paths = [
            *self._paths(document, ""),
            "/x",
            "",
            "/metadata/labels/a~1b",
            "nowhere",
            "/spec/-",
        ]
        operations: list[Any] = []
        for _ in range(self.random.randint(1, 3)):
            op: dict[str, Any] = {"op": pick(["add", "remove", "replace", "move", "copy", "test"])}
            op["path"] = pick(paths)
            if self._chance(0.3):
                op["path"] += pick(["/-", "/0", "/-1", "/9", "/new", "/x/y", "/~0~1"])
            if op["op"] in ("move", "copy"):
                op["from"] = pick(paths)
            elif op["op"] != "remove" and not self._chance(0.05):
                op["value"] = pick(
                    [1, "a", None, {"k": "v"}, ["a"], self._at(document, op["path"])]
                )
            if self._chance(0.03):
                op.pop(pick(sorted(op)))
            operations.append(op)
        return operations

    def _paths(self, value: Any, prefix: str) -> list[str]:
        if isinstance(value, dict):
            pairs = [(str(key), item) for key, item in value.items()]
        elif isinstance(value, list):
            pairs = [(str(at), item) for at, item in enumerate(value)]
        else:
            return []
        return [
            path
            for key, item in pairs
            for path in (f"{prefix}/{key}", *self._paths(item, f"{prefix}/{key}"))
        ]

    def _at(self, document: Any, path: str) -> Any:
        try:
            for step in path.split("/")[1:]:
                document = document[int(step)] if isinstance(document, list) else document[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return "gone"
        return copy.deepcopy(document)


def main() -> None:
    """Print the cases."""
    count, seed = int(sys.argv[1]), int([*sys.argv, "1"][2])
    writer = Writer(read_table(sys.stdin.read()), seed)
    for _ in range(count):
        print(json.dumps(writer.case(), separators=(",", ":"), sort_keys=True))


if __name__ == "__main__":
    main()
