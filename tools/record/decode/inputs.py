"""Print random documents of every kind, most of them slightly wrong, one JSON line each.

python tools/record/decode/inputs.py COUNT [SEED] < rust/core/src/api/table/v1.36.txt
"""

from __future__ import annotations

import json
import random
import re
import sys
from typing import Any

Fields = dict[str, str]
WRONG: list[Any] = ["text", 7, 2.5, True, [], {}, ["x"], {"a": "b"}, 3000000000, -1, ""]
STRINGS = ["", "a", "web-0", "x<y&z", "Ünïcode", "10", "true", "nginx:1.25"]
QUANTITIES: list[Any] = [
    "100m",
    "1.5Gi",
    "1024Ki",
    "0.5",
    ".5",
    "1e3",
    2,
    0.25,
    "128974848",
    "5.",
    "12E",
]
BAD_QUANTITIES: list[Any] = ["1Gb", "", "x", "1..5", True, [1]]
TIMES = [
    "2024-01-31T15:04:05Z",
    "2024-01-31T15:04:05.123456Z",
    "2024-06-01T00:00:00+02:00",
    "0001-01-01T00:00:00Z",
    "2024-02-29T5:04:05.9999999Z",
]
BAD_TIMES: list[Any] = [
    "",
    "2024",
    "2024-13-01T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "2024-01-31 15:04:05Z",
    "2024-01-31T24:04:05Z",
    "2024-01-31T15:60:05Z",
    "2024-01-31T15:04:05",
    "2024-01-31T15:04:05+0200",
    "2024-01-31T15:04:05Zx",
    "2024-1-31T15:04:05Z",
    "é024-01-31",
    5,
    True,
    {},
    "2024-01-31T15:04:61Z",
    "2024-01-31T15:04:05+25:00",
]
BYTES = ["YWJj", "", "YQ==", "YW\nJj", "YWI="]
BAD_BYTES = ["YWJ", "a$cd", "YQ=", "YQ==YQ==", "=", "YWJjZ", "YQ=x"]

# Places of a schema within a schema; the table calls them any JSON.
SCHEMAS = {"additionalItems", "additionalProperties", "items", "dependencies"}


def read_table(text: str) -> tuple[list[tuple[str, str, str]], dict[str, Fields]]:
    """Kinds as (apiVersion, kind, type) and the field shapes of every type."""
    kinds, types = [], {}
    group = version = package = ""
    for line in text.splitlines():
        words = line.split(" ")
        if words[0] == "version":
            group, version = words[1].replace("-", "") if words[1] == "-" else words[1], words[2]
        elif words[0] == "resource":
            api_version = f"{group}/{version}" if group else version
            kinds.append((api_version, words[1], words[6]))
        elif words[0] == "package":
            package = words[1]
        elif words[0] == "type":
            fields: Fields = {}
            types[f"{package}.{words[1]}"] = fields
        elif words[0] == "" and package:
            shape = words[3]
            fields[words[1]] = re.sub(
                r"(?<![\w/.<{])(?=[A-Z]\w*$)", f"{package}.", re.sub(r"<[^>]*>", "", shape)
            )
    return kinds, types


class Writer:
    """Documents from one random stream."""

    def __init__(self, types: dict[str, Fields], seed: int) -> None:
        self.types = types
        self.random = random.Random(seed)
        self.trouble = 0.0

    def document(self, api_version: str, kind: str, of: str) -> dict[str, Any]:
        """Write one object of a kind."""
        self.trouble = self.random.choice([0, 0.02, 0.05])
        body = self._struct(of, 0)
        body["apiVersion"], body["kind"] = api_version, kind
        return body

    def _struct(self, of: str, depth: int) -> dict[str, Any]:
        fields = self.types[of]
        wanted = self.random.randint(0, 3) if depth else 3
        names = self.random.sample(sorted(fields), min(len(fields), wanted))
        if not depth:
            names = sorted({*names, *({"metadata", "spec", "status"} & set(fields))})
        body = {
            name: {} if name in SCHEMAS else self._value(fields[name], depth + 1) for name in names
        }
        if self.random.random() < 0.06:
            body[self.random.choice(["unknownField", "Replicas", "a.b/c", "x\ty"])] = 1
        return body

    def _value(self, shape: str, depth: int) -> Any:  # noqa: C901, PLR0911
        shape = shape.removeprefix("*")
        pick = self.random.choice
        if self.random.random() < 0.04:
            return None
        wrong = self.random.random() < self.trouble
        if shape.startswith("[]"):
            count = 0 if depth > 6 else self.random.randint(0, 2)
            return pick(WRONG) if wrong else [self._value(shape[2:], depth) for _ in range(count)]
        if shape.startswith("{"):
            count = 0 if depth > 6 else self.random.randint(0, 2)
            inner = shape.partition("}")[2]
            keys = self.random.sample(["a", "b.c/d", "cpu", "Z"], count)
            return pick(WRONG) if wrong else {key: self._value(inner, depth) for key in keys}
        if shape in "qtuy":
            good, bad = {
                "q": (QUANTITIES, BAD_QUANTITIES),
                "t": (TIMES, BAD_TIMES),
                "u": (["2024-01-31T15:04:05.123456Z", *TIMES[:1]], BAD_TIMES),
                "y": (BYTES, BAD_BYTES),
            }[shape]
            return pick(bad if wrong else good)
        if wrong:
            return pick(WRONG)
        if shape == "s":
            return pick(STRINGS)
        if shape == "b":
            return pick([True, False])
        if shape in "il":
            return pick([0, 1, 80, -5, 2147483647])
        if shape == "d":
            return pick([0, 1, 2.5])
        if shape == "x":
            return pick([0, 8080, "http", "25%", ""])
        if shape in "rj":
            return pick([{"any": [1, {"x": None}]}, {}])
        return self._struct(shape, depth) if depth < 9 else {}


def main() -> None:
    """Print the documents."""
    count, seed = int(sys.argv[1]), int([*sys.argv, "1"][2])
    kinds, types = read_table(sys.stdin.read())
    writer = Writer(types, seed)
    for _ in range(count):
        document = writer.document(*writer.random.choice(kinds))
        # The decoder reports the first trouble in document order; ours is sorted.
        print(json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
