"""Plans of pods with volumes, which nothing makes or binds but the plan."""

from __future__ import annotations

from typing import Any

import pytest
import wavetank as wt

CLASS = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: {name}
  annotations: {{storageclass.kubernetes.io/is-default-class: "{default}"}}
provisioner: {provisioner}
volumeBindingMode: {mode}
"""
VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {{name: {name}}}
spec:
  capacity: {{storage: {size}}}
  accessModes: [ReadWriteOnce]
  storageClassName: manual
  hostPath: {{path: /data}}
  nodeAffinity:
    required:
      nodeSelectorTerms:
      - matchExpressions: [{{key: kubernetes.io/hostname, operator: In, values: [{node}]}}]
"""
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec:
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: 8Gi}}}}
  {more}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: db}
spec:
  containers:
  - {name: db, image: "db:1", resources: {requests: {cpu: 1, memory: 1Gi}}}
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"""


def plan_of(*texts: str) -> wt.plan.Fit:
    cluster = wt.Cluster()
    cluster.add_nodes("3x2cpu,4Gi,zones=3")
    cluster.apply("---".join(texts))
    return wt.plan.fit(cluster)


def claim_of(answer: wt.plan.Fit) -> Any:
    return answer.cluster.get("pvc/data")


@pytest.mark.parametrize(
    "more", ["", "storageClassName: fast", "storageClassName: not-in-the-manifests"]
)
def test_a_claim_gets_a_volume_that_every_node_can_use(more: str) -> None:
    fast = CLASS.format(name="fast", default="false", provisioner="x.example", mode="Immediate")
    answer = plan_of(CLAIM.format(more=more), POD, fast)
    assert answer.fits
    assert answer.notes == ["the plan made volumes for 1 claim; every node can use them"]
    claim = claim_of(answer)
    volume = answer.cluster.get("pv", claim["spec"]["volumeName"])
    assert claim["status"]["phase"] == volume["status"]["phase"] == "Bound"
    assert volume["spec"]["claimRef"]["uid"] == claim.uid
    assert volume["spec"]["capacity"] == {"storage": "8Gi"}


def test_the_smallest_volume_that_fits_decides_where_the_pod_goes() -> None:
    volumes = [
        VOLUME.format(name="small", size="4Gi", node="node-0"),
        VOLUME.format(name="large", size="20Gi", node="node-1"),
        VOLUME.format(name="right", size="10Gi", node="node-2"),
    ]
    answer = plan_of(CLAIM.format(more="storageClassName: manual"), POD, *volumes)
    assert answer.cluster.pods["node"].tolist() == ["node-2"]
    assert claim_of(answer)["spec"]["volumeName"] == "right"
    assert answer.notes == []


@pytest.mark.parametrize("more", ['storageClassName: ""', "storageClassName: by-hand"])
def test_what_only_a_volume_made_by_hand_could_serve_stays_pending(more: str) -> None:
    by_hand = CLASS.format(
        name="by-hand",
        default="false",
        provisioner="kubernetes.io/no-provisioner",
        mode="Immediate",
    )
    answer = plan_of(CLAIM.format(more=more), POD, by_hand)
    assert [row.reason for row in answer.reasons] == [
        "pod has unbound immediate PersistentVolumeClaims"
    ]
    assert not answer.fits


def test_a_class_that_waits_leaves_it_to_the_scheduler() -> None:
    late = CLASS.format(
        name="late", default="true", provisioner="x.example", mode="WaitForFirstConsumer"
    )
    answer = plan_of(late, CLAIM.format(more=""), POD)
    claim = claim_of(answer)
    (node,) = answer.cluster.pods["node"]
    assert answer.fits
    assert claim["spec"]["storageClassName"] == "late"
    assert claim.annotations["volume.kubernetes.io/selected-node"] == node


def test_each_replica_of_a_stateful_set_has_claims_of_its_own() -> None:
    answer = plan_of(
        """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 3
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
      - name: db
        image: db:1
        volumeMounts: [{name: data, mountPath: /data}]
        resources: {requests: {cpu: 1, memory: 1Gi}}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
    )
    claims = answer.cluster.get("pvc")
    assert answer.fits
    assert [claim.name for claim in claims] == ["data-db-0", "data-db-1", "data-db-2"]
    assert {claim["metadata"]["labels"]["app"] for claim in claims} == {"db"}
    (room,) = wt.plan.headroom(answer)
    assert (room.more, room.ends_with) == (3, "cpu")


def test_ephemeral_volumes_get_the_claims_they_stand_for() -> None:
    answer = plan_of(
        """
apiVersion: apps/v1
kind: Deployment
metadata: {name: batch}
spec:
  replicas: 2
  selector: {matchLabels: {app: batch}}
  template:
    metadata: {labels: {app: batch}}
    spec:
      containers: [{name: c, image: "c:1", resources: {requests: {cpu: 1, memory: 1Gi}}}]
      volumes:
      - name: scratch
        ephemeral:
          volumeClaimTemplate:
            spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
    )
    pods = sorted(answer.cluster.pods["name"])
    assert answer.fits
    assert [claim.name for claim in answer.cluster.get("pvc")] == [f"{p}-scratch" for p in pods]
