"""Services get the families and addresses a real API server gives them."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import wavetank as wt

FILES = ("ipv4", "ipv4-ipv6", "ipv6-ipv4", "ipv6")


@cache
def recorder(root: Path) -> Any:
    """Return the module that makes the cases."""
    path = root / "tools/record/services/cases.py"
    spec = importlib.util.spec_from_file_location("services_cases", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def lines(root: Path, name: str) -> list[dict[str, Any]]:
    text = (root / f"tests/golden/services/{name}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def answer(cluster: wt.Cluster, step: dict[str, Any], names: Any) -> tuple[int, Any]:
    """Do one step; return what an API server would say."""
    name = step.get("name") or step["object"]["metadata"]["name"]
    sent = names.resolved(step.get("object") or {"spec": step.get("spec")})
    try:
        if step["do"] == "delete":
            cluster.delete("service", name, namespace="default")
            return 200, sent
        if step["do"] == "patch":
            return 200, cluster.patch("service", name, sent, type="merge", namespace="default")
        sent.setdefault("metadata", {})["namespace"] = "default"
        full = {"apiVersion": "v1", "kind": "Service", **sent}
        if step["do"] == "create":
            return 201, cluster.create(full)
        return 200, cluster.update(full)
    except wt.ApiError as error:
        return error.code, {"message": str(error)}


def answers(root: Path, name: str, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    module = recorder(root)
    cluster = wt.Cluster(seed=5, service_cidr=module.RANGES[name])
    names = module.Names()
    found = []
    for step in steps:
        code, said = answer(cluster, step, names)
        if step["do"] == "delete":
            found.append({"code": code})
            continue
        plain = json.loads(json.dumps(dict(said)))
        names.meet({"sent": names.resolved(step.get("object") or step.get("spec"))}, plain)
        found.append(names.named(module.shown(code, plain)))
    return found


@pytest.mark.parametrize("name", FILES)
def test_services_get_what_the_api_server_gives_them(root: Path, name: str) -> None:
    wrong = {}
    for number, case in enumerate(lines(root, name)):
        ours = answers(root, name, case["steps"])
        if ours != case["expected"]:
            pairs = zip(case["steps"], ours, case["expected"], strict=True)
            wrong[number] = next(pair for pair in pairs if pair[1] != pair[2])
    assert wrong == {}
