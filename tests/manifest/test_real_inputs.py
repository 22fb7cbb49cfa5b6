"""Real manifests and objects: every one is taken, or refused with one sentence."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wavetank as wt
from wavetank import _core
from wavetank.manifest import load
from wavetank.program import rules

#: Documentation examples of 2021 that a cluster of 1.36 refuses, and what it says.
REFUSED_EXAMPLES = {
    "admin/konnectivity/egress-selector-configuration.yaml": 'no matches for kind "EgressSelector',
    "application/job/job-tmpl.yaml": 'metadata.name: Invalid value: "process-item-$ITEM"',
    "application/ssa/nginx-deployment-replicas-only.yaml": "spec.selector: Required value",
    "audit/audit-policy.yaml": 'no matches for kind "Policy" in version "audit.k8s.io/v1"',
    "controllers/hpa-rs.yaml": "spec.scaleTargetRef.apiVersion: Invalid value",
    "pods/security/seccomp/kind.yaml": 'no matches for kind "Cluster"',
    "policy/baseline-psp.yaml": "was removed in Kubernetes 1.25; use Pod Security Admission",
    "policy/example-psp.yaml": "was removed in Kubernetes 1.25; use Pod Security Admission",
    "policy/privileged-psp.yaml": "was removed in Kubernetes 1.25; use Pod Security Admission",
    "policy/restricted-psp.yaml": "was removed in Kubernetes 1.25; use Pod Security Admission",
    "service/networking/dual-stack-ipfamilies-ipv6.yaml": '"IPv6": not configured on this cluster',
    "service/networking/dual-stack-prefer-ipv6-lb-svc.yaml": '"IPv6": not configured on this',
    "service/networking/dual-stack-preferred-ipfamilies-svc.yaml": '"IPv6": not configured on',
}

#: Folders of applications: objects by what became of them.
APPLICATIONS = {
    "argo-cd": {"created": 67, "unchanged": 39, "configured": 5},
    "bank-of-anthos": {"created": 23},
    "cluster-capacity": {"created": 4, "configured": 2, "refused": 1},
    "istio-bookinfo": {"created": 31, "unchanged": 17, "configured": 16, "refused": 9},
    "metrics-server": {"created": 13, "refused": 15},
    "microservices-demo": {"created": 35},
    "open-simulator": {"created": 50, "refused": 7},
}


def with_namespaces(documents: list[_core.Document]) -> wt.Cluster:
    """Return a cluster with the namespaces that documents speak of."""
    cluster = wt.Cluster()
    for name in sorted({document.text("metadata", "namespace") or "" for document in documents}):
        if name and cluster.find("namespaces", name) is None:
            metadata = {"name": name}
            cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    return cluster


def outcome(source: Path) -> tuple[wt.manifest.Applied, list[str]]:
    """Apply a source; return what was taken, and a sentence for each object that was not."""
    documents = load(source, recursive=True)
    cluster = with_namespaces(documents)
    try:
        return cluster.apply(documents), []
    except wt.ApplyError as error:
        return error.applied, [str(failure) for failure in error.failures]


def test_every_documentation_example_is_taken_or_refused_with_a_sentence(data: Path) -> None:
    folder = data / "kubernetes-website-examples"
    files = sorted(folder.rglob("*.yaml"))
    assert len(files) == 248
    assert sum(len(load(file)) for file in files) == 276
    refused = {}
    for file in files:
        name = str(file.relative_to(folder))
        applied, sentences = outcome(file)
        assert len(applied) + len(sentences) == len(load(file))
        if sentences:
            refused[name] = sentences
    assert set(refused) == set(REFUSED_EXAMPLES)
    for name, (sentence,) in refused.items():
        assert sentence.startswith(f"{folder / name}:")
        assert REFUSED_EXAMPLES[name] in sentence


@pytest.mark.parametrize("name", APPLICATIONS)
def test_applications_load(data: Path, name: str) -> None:
    applied, sentences = outcome(data / "app-manifests" / name)
    assert Counter(applied.counts()) + Counter(refused=len(sentences)) == APPLICATIONS[name]


#: What the API server itself makes of these objects, in which every field holds a value that
#: nobody checked: by kind the fields that change on the way, and into what. The namespace of
#: cluster-scoped kinds and the resourceVersion, which is a number here, are left out.
ACCOUNT = "spec.template.spec.serviceAccount"
CHANGED: dict[str, dict[str, Any]] = {
    "apps.v1.DaemonSet": {ACCOUNT: "serviceAccountNameValue"},
    "apps.v1.Deployment": {ACCOUNT: "serviceAccountNameValue"},
    "apps.v1.ReplicaSet": {ACCOUNT: "serviceAccountNameValue"},
    "apps.v1.StatefulSet": {
        ACCOUNT: "serviceAccountNameValue",
        "spec.volumeClaimTemplates.0.apiVersion": "v1",
        "spec.volumeClaimTemplates.0.kind": "PersistentVolumeClaim",
    },
    "batch.v1.CronJob": {
        "spec.jobTemplate.spec.template.spec.serviceAccount": "serviceAccountNameValue"
    },
    "batch.v1.Job": {ACCOUNT: "serviceAccountNameValue"},
    "core.v1.Namespace": {"metadata.labels.kubernetes.io/metadata.name": "nameValue"},
    "core.v1.Node": {"spec.podCIDRs.0": "podCIDRValue"},
    "core.v1.Pod": {
        "spec.containers.0.resources.requests.limitsKey": "0",
        "spec.initContainers.0.resources.requests.limitsKey": "0",
        "spec.serviceAccount": "serviceAccountNameValue",
        "status.nodeAllocatableResourceClaimStatuses.0.resources": None,
        "status.podIPs.0.ip": "podIPValue",
    },
    "core.v1.PodTemplate": {"template.spec.serviceAccount": "serviceAccountNameValue"},
    "core.v1.ReplicationController": {ACCOUNT: "serviceAccountNameValue"},
    "core.v1.Secret": {
        "data.stringDataKey": "c3RyaW5nRGF0YVZhbHVl",
        "stringData.stringDataKey": "gone",
    },
}


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return the leaves of an object by path."""
    if isinstance(value, dict) and value:
        items = ((f"{path}.{key}" if path else key, item) for key, item in value.items())
    elif isinstance(value, list) and value:
        items = ((f"{path}.{at}", item) for at, item in enumerate(value))
    else:
        return {path: value}
    return {at: leaf for below, item in items for at, leaf in flat(item, below).items()}


def through_the_store(item: dict[str, Any], kind: dict[str, Any]) -> dict[str, Any]:
    """Restore an object, save the cluster, and read the object back in its version."""
    cluster = wt.Cluster(controllers=[])
    cluster.restore(item)
    world = _core.World.from_bytes(np.frombuffer(cluster.world.to_bytes(), dtype=np.uint8), rules())
    metadata = item["metadata"]
    place = metadata["namespace"] if kind["namespaced"] else None
    stored = world.get(kind["id"], metadata["name"], place)
    if stored["apiVersion"] == item["apiVersion"]:
        return stored
    return world.in_version(kind["id"], kind["version"], [stored])[0]


def test_every_object_of_the_api_comes_back_as_it_was(data: Path) -> None:
    counts = Counter[str]()
    world = wt.Cluster(controllers=[]).world
    for file in sorted((data / "api-roundtrip-json").glob("*.json")):
        item = json.loads(file.read_text())
        assert [document.object() for document in load(_core.to_yaml(item))] == [item]
        kind = world.kind_of(item.get("apiVersion", ""), item.get("kind", ""))
        if kind is None:
            counts["types the API serves no more, or only within others: as text"] += 1
            continue
        if not {"create", "get"} <= set(kind["verbs"]):
            counts["kinds that are answered and not kept: as text"] += 1
            continue
        before, after = flat(item), flat(through_the_store(item, kind))
        for known in ("metadata.resourceVersion", "metadata.namespace"):
            before.pop(known)
            after.pop(known, None)
        changed = {
            path: after.get(path, "gone")
            for path in before.keys() | after.keys()
            if path not in before or path not in after or before[path] != after[path]
        }
        assert changed == CHANGED.get(file.stem, {}), file.stem
        counts["kinds that are kept: through the store"] += 1
    assert counts == {
        "kinds that are kept: through the store": 83,
        "kinds that are answered and not kept: as text": 8,
        "types the API serves no more, or only within others: as text": 102,
    }
