"""Volumes for claims, for wavetank has no controller that makes or binds them yet.

A plan cannot leave pods pending because nobody made their disks, so it does what the volume
controllers would come to. A claim gets the smallest volume that fits it; where there is none and
its class can have one made, one is made that every node can use. Claims whose class waits for
the first consumer are left to the scheduler. A claim that only a volume made by hand could serve
stays unbound, and its pods stay pending, as they would in a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wavetank import _core

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wavetank.cluster import Cluster

Object = dict[str, Any]

_BOUND = "pv.kubernetes.io/bind-completed"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_BY_HAND = "kubernetes.io/no-provisioner"
_CLAIMS, _VOLUMES, _CLASSES = (
    "persistentvolumeclaims",
    "persistentvolumes",
    "storageclasses.storage.k8s.io",
)
#: What the scheduler says of a pod whose ephemeral volume has no claim yet.
_EPHEMERAL = "waiting for ephemeral volume controller"


@dataclass(frozen=True)
class Provided:
    """What was done about claims.

    Attributes
    ----------
    made
        For how many claims a volume was made.
    changed
        Whether a claim was created or bound, so that pods may go somewhere now.
    """

    made: int = 0
    changed: bool = False


def provide(cluster: Cluster) -> Provided:
    """Bind every claim that can be bound."""
    claimed = _claim_ephemeral(cluster)
    open_claims = [claim for claim in cluster.get(_CLAIMS) if _is_open(claim)]
    if not open_claims:
        return Provided(changed=claimed > 0)
    classes = {item.name: item for item in cluster.get(_CLASSES)}
    free = [volume for volume in cluster.get(_VOLUMES) if not volume["spec"].get("claimRef")]
    made = bound = 0
    for claim in open_claims:
        name = _class_name(claim, classes)
        found = classes.get(name or "")
        if found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer":
            _set_class(cluster, claim, name)
            continue
        fitting = [volume for volume in free if _fits(volume, claim, name)]
        if fitting:
            volume = min(fitting, key=lambda item: (_capacity(item), item["metadata"]["name"]))
            free.remove(volume)
        elif _only_by_hand(claim, found):
            continue
        else:
            volume = cluster.create(_volume_for(claim, name))
            made += 1
        _bind(cluster, claim, volume)
        bound += 1
    return Provided(made, claimed + bound > 0)


def _only_by_hand(claim: Object, found: Object | None) -> bool:
    """Tell whether nothing makes a volume for a claim."""
    spec = claim["spec"]
    if spec.get("storageClassName") == "" or spec.get("volumeName") or spec.get("selector"):
        return True
    return found is not None and found.get("provisioner") == _BY_HAND


def is_bound(claim: Object) -> bool:
    """Tell whether the bond of a claim is complete."""
    return _BOUND in (claim["metadata"].get("annotations") or {})


def _is_open(claim: Object) -> bool:
    return not is_bound(claim) and "deletionTimestamp" not in claim["metadata"]


def _class_name(claim: Object, classes: dict[str, Object]) -> str | None:
    """Return the class of a claim: its own, or the default one; ``None`` when neither is known."""
    own: str | None = claim["spec"].get("storageClassName")
    if own is not None:
        return own
    for name, item in sorted(classes.items()):
        if (item["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true":
            return name
    return None


def _set_class(cluster: Cluster, claim: Object, name: str | None) -> None:
    """Note the default class on a claim that named none."""
    if claim["spec"].get("storageClassName") is None:
        _patch(cluster, claim, {"spec": {"storageClassName": name}})


def _fits(volume: Object, claim: Object, class_name: str | None) -> bool:
    """Tell whether a volume serves a claim."""
    offers, asks = volume["spec"], claim["spec"]
    wanted = asks.get("volumeName")
    if wanted:
        return bool(volume["metadata"]["name"] == wanted)
    if (offers.get("storageClassName") or "") != (class_name or ""):
        return False
    if not set(asks.get("accessModes") or ()) <= set(offers.get("accessModes") or ()):
        return False
    if offers.get("volumeMode", "Filesystem") != asks.get("volumeMode", "Filesystem"):
        return False
    if _capacity(volume) < _core.quantity_value(_asked(claim)):
        return False
    labels = volume["metadata"].get("labels") or {}
    selector = asks.get("selector")
    return selector is None or _core.selector_matches(_core.canonical_selector(selector), labels)


def _asked(claim: Object) -> str:
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return str(requests.get("storage", "0"))


def _capacity(volume: Object) -> int:
    return _core.quantity_value((volume["spec"].get("capacity") or {}).get("storage", "0"))


def _volume_for(claim: Object, class_name: str | None) -> Object:
    """Return a volume made for a claim; every node can use it."""
    spec = claim["spec"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"pvc-{claim['metadata']['uid']}"},
        "spec": {
            "accessModes": spec.get("accessModes") or ["ReadWriteOnce"],
            "capacity": {"storage": _asked(claim)},
            "csi": {"driver": "plan.wavetank.dev", "volumeHandle": claim["metadata"]["uid"]},
            "persistentVolumeReclaimPolicy": "Delete",
            "volumeMode": spec.get("volumeMode", "Filesystem"),
            **({"storageClassName": class_name} if class_name else {}),
        },
    }


def _bind(cluster: Cluster, claim: Object, volume: Object) -> None:
    """Write the bond on both sides, as the volume controller does."""
    own, name = claim["metadata"], volume["metadata"]["name"]
    reference = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": own["namespace"],
        "name": own["name"],
        "uid": own["uid"],
    }
    cluster.patch(_VOLUMES, name, {"spec": {"claimRef": reference}}, type="merge")
    bond = {"metadata": {"annotations": {_BOUND: "yes"}}, "spec": {"volumeName": name}}
    _patch(cluster, claim, bond)
    status = {"status": {"phase": "Bound"}}
    cluster.patch(_VOLUMES, name, status, type="merge", subresource="status")
    _patch(cluster, claim, status, subresource="status")


def _patch(cluster: Cluster, claim: Object, body: Object, *, subresource: str = "") -> None:
    metadata = claim["metadata"]
    cluster.patch(
        _CLAIMS,
        metadata["name"],
        body,
        namespace=metadata["namespace"],
        type="merge",
        subresource=subresource,
    )


def _claim_ephemeral(cluster: Cluster) -> int:
    """Create the claims that ephemeral volumes of pending pods stand for; return how many."""
    columns = cluster.world.columns("pods")
    codes, words = columns["message"]
    waiting = [at for at, word in enumerate(words) if _EPHEMERAL in word]
    if not waiting:
        return 0
    places, namespaces = columns["namespace"]
    kind, count = cluster.kind(_CLAIMS).id, 0
    for row in np.flatnonzero(np.isin(codes, waiting)).tolist():
        namespace = namespaces[places[row]]
        for claim in _ephemeral_claims(
            cluster.get("pods", columns["name"][row], namespace=namespace)
        ):
            if cluster.world.find(kind, claim["metadata"]["name"], namespace) is None:
                cluster.create(claim)
                count += 1
    return count


def _ephemeral_claims(pod: Object) -> Iterator[Object]:
    own = pod["metadata"]
    owner = {"apiVersion": "v1", "kind": "Pod", "name": own["name"], "uid": own["uid"]}
    for volume in pod["spec"].get("volumes") or ():
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template:
            yield {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {
                    **(template.get("metadata") or {}),
                    "name": f"{own['name']}-{volume['name']}",
                    "namespace": own["namespace"],
                    "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
                },
                "spec": template["spec"],
            }
