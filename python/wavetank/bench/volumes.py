"""Persistent volumes with their claims, bound to each other before the pod comes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from .run import Run


@dataclass
class Volumes:
    """The templates a pod's volume and claim are made from."""

    run: Run
    volume: dict[str, Any]
    claim: dict[str, Any]

    @classmethod
    def of(cls, run: Run, volume: Path, claim: Path) -> Volumes:
        """Read both templates."""
        volumes = run.objects(volume, "v1", "PersistentVolume", literal=True)
        claims = run.objects(claim, "v1", "PersistentVolumeClaim", literal=True)
        return cls(run, volumes.document(0, 1).object(), claims.document(0, 1).object())

    def create(self, namespace: str, index: int) -> str:
        """Create claim and volume number ``index`` of a namespace; return the claim's name."""
        world = self.run.world
        name, place = f"pvc-{index}", f"{namespace}-vol-{index}"
        claim, volume = copy.deepcopy(self.claim), copy.deepcopy(self.volume)
        claim.setdefault("metadata", {})["name"] = name
        claim["spec"]["volumeName"] = place
        volume.setdefault("metadata", {})["name"] = place
        spec = volume["spec"]
        if "csi" in spec:
            spec["csi"]["volumeHandle"] = place
        elif "awsElasticBlockStore" in spec:
            spec["awsElasticBlockStore"]["volumeID"] = f"vol-{index}"
        reference = {"kind": "PersistentVolumeClaim", "namespace": namespace, "name": name}
        spec["claimRef"] = {**reference, "apiVersion": "v1"}
        for given, where in ((claim, namespace), (volume, None)):
            created, _ = world.create(given, where, field_validation="Strict")
            # A create takes no status.
            created["status"] = {**created.get("status", {}), "phase": "Bound"}
            world.update(created, "status", where)
        return name
