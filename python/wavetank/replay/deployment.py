"""Cases of the Deployment controller: one reconcile per step.

The controller and the store are the real ones of wavetank. The ReplicaSet controller is played
by a fixed rule: every ReplicaSet has the pods it asks for, and so many more of them become
available per step.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from wavetank import Cluster
from wavetank.controllers.base import Context
from wavetank.controllers.deployment import DeploymentController
from wavetank.controllers.deployment.model import DESIRED, MAXIMUM, REVISION

if TYPE_CHECKING:
    from wavetank.controllers.base import Object

_SECOND = 1_000_000_000
_COUNTS = (
    "availableReplicas",
    "observedGeneration",
    "readyReplicas",
    "replicas",
    "unavailableReplicas",
    "updatedReplicas",
)


def replay_deployment(case: dict[str, Any]) -> dict[str, Any]:
    """Take a Deployment through the steps of a case; one entry per step."""
    run = _Run(case["deployment"])
    return {"results": [run.step(step) for step in case["steps"]]}


class _Run:
    def __init__(self, deployment: Object) -> None:
        self.cluster = Cluster(controllers=[])
        self.world = self.cluster._world  # noqa: SLF001 - our own package
        self.context = Context(self.world)
        self.controller = DeploymentController()
        created = self.cluster.create(deployment)
        self.name, self.namespace = created.name, created.namespace or "default"
        kind = self.context.kind("deployments")
        key = self.world.find(kind, self.name, self.namespace)
        assert key is not None  # noqa: S101 - just created
        self.key = key
        # The recording counts every step with a change; the store only real ones.
        self.generation = 1
        self.seen_events = 0

    def step(self, step: Object) -> Object:
        """Change the Deployment, let its ReplicaSets follow, and sync it once."""
        self._change(step)
        self._follow(step.get("ready", 0))
        self.controller.attempt(self.context, self.key)
        result = self._observe()
        self.cluster.advance(1)
        return result

    def _change(self, step: Object) -> None:
        spec: Object = {}
        if "replicas" in step:
            spec["replicas"] = step["replicas"]
        if "paused" in step:
            spec["paused"] = step["paused"]
        if "image" in step:
            containers = self._deployment()["spec"]["template"]["spec"]["containers"]
            changed = [{**containers[0], "image": step["image"]}, *containers[1:]]
            spec["template"] = {"spec": {"containers": changed}}
        if spec:
            self.generation += 1
            self.cluster.patch("deployment", self.name, {"spec": spec}, type="merge")

    def _follow(self, ready: int) -> None:
        for key, rs in self._replica_sets():
            size = rs["spec"]["replicas"]
            before = (rs.get("status") or {}).get("availableReplicas", 0)
            available = min(size, before + ready)
            status = {
                "replicas": size,
                "readyReplicas": available,
                "availableReplicas": available,
                "observedGeneration": rs["metadata"]["generation"],
            }
            self.world.set_status(key, status)
            self._keep_pods(key, size)

    def _keep_pods(self, key: int, size: int) -> None:
        pods = self.world.controlled_pods(key)["key"]
        if len(pods) < size:
            created = self.world.create_from_template(key, size - len(pods))
            self.world.change_pods(created, phase="Running")
        elif len(pods) > size:
            doomed = np.ascontiguousarray(pods[size:])
            self.world.delete_many(doomed, grace_seconds=0)

    def _observe(self) -> Object:
        deployment = self._deployment()
        status = deployment.get("status") or {}
        sets = [rs for _, rs in self._replica_sets()]
        names = {rs["metadata"]["name"]: _annotation(rs, REVISION) for rs in sets}
        shown: Object = {
            "replicaSets": sorted((_shown(rs) for rs in sets), key=lambda rs: int(rs["revision"])),
            "status": {field: status.get(field, 0) for field in _COUNTS},
            "conditions": [
                {
                    "type": condition["type"],
                    "status": condition["status"],
                    "reason": condition["reason"],
                    "message": _anonymous(condition["message"], names),
                }
                for condition in status.get("conditions", [])
            ],
        }
        shown["status"]["observedGeneration"] = self._observed(deployment, status)
        events = [_anonymous(event, names) for event in self._new_events()]
        if events:
            shown["events"] = events
        revision = deployment["metadata"].get("annotations", {}).get(REVISION)
        if revision is not None:
            shown["revision"] = revision
        return shown

    def _observed(self, deployment: Object, status: Object) -> int:
        behind: int = deployment["metadata"]["generation"] - status.get("observedGeneration", 0)
        return self.generation - behind

    def _new_events(self) -> list[str]:
        table = self.cluster.events
        rows = zip(table["type"], table["reason"], table["message"], strict=True)
        wanted = [
            f"{kind} {reason} {message}"
            for (kind, reason, message), about in zip(rows, table["object_kind"], strict=True)
            if about == "Deployment"
        ]
        new = wanted[self.seen_events :]
        self.seen_events = len(wanted)
        return new

    def _deployment(self) -> Object:
        deployment: Object = self.world.get_many([self.key])[0]
        return deployment

    def _replica_sets(self) -> list[tuple[int, Object]]:
        return self.world.controlled(self.key, self.context.kind("replicasets"))


def _shown(rs: Object) -> Object:
    return {
        "revision": _annotation(rs, REVISION),
        "image": rs["spec"]["template"]["spec"]["containers"][0]["image"],
        "replicas": rs["spec"]["replicas"],
        "desired": _annotation(rs, DESIRED),
        "max": _annotation(rs, MAXIMUM),
    }


def _annotation(rs: Object, name: str) -> str:
    value: str = rs["metadata"].get("annotations", {}).get(name, "")
    return value


def _anonymous(text: str, names: dict[str, str]) -> str:
    """Write ReplicaSets by revision: their names differ between implementations."""

    def revision(match: re.Match[str]) -> str:
        name = match.group(0)
        return f"<rs {names[name]}>" if name in names else name

    return re.sub(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", revision, text)
