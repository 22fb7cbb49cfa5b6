"""Records what kubectl prints about the objects of ``objects.yaml``.

Usage: ``python record.py KUBECTL OUT`` with ``KUBECONFIG`` naming an empty API server that
nothing else acts on. Writes ``dump.json``, the objects as the server has them, and
``printed.yaml``: for each command the virtual time it was run at, and what it printed.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from pathlib import Path

import yaml

HERE = Path(__file__).parent

TABLES = [
    "namespaces",
    "nodes",
    "pods",
    "deployments",
    "replicasets",
    "statefulsets",
    "daemonsets",
    "jobs",
    "cronjobs",
    "services",
    "endpointslices",
    "ingresses",
    "ingressclasses",
    "networkpolicies",
    "horizontalpodautoscalers",
    "poddisruptionbudgets",
    "priorityclasses",
    "configmaps",
    "secrets",
    "serviceaccounts",
    "storageclasses",
    "persistentvolumes",
    "persistentvolumeclaims",
    "roles",
    "rolebindings",
    "resourcequotas",
    "limitranges",
    "customresourcedefinitions",
    "tanks",
    "events",
    "leases",
]
#: Of these kinds a server has objects by itself.
SERVERS_OWN = ("roles", "rolebindings", "leases")
DESCRIBED = [
    "namespace/shop",
    "node/alpha",
    "node/beta",
    "pod/running",
    "pod/pending",
    "pod/gated",
    "pod/starting",
    "pod/done",
    "pod/failed",
    "pod/evicted",
    "deployment/web",
    "statefulset/db",
    "daemonset/agent",
    "job/migrate",
    "cronjob/nightly",
    "service/web",
    "service/outside",
    "service/edge",
    "service/headless",
    "endpointslice/web-abc",
    "ingress/front",
    "ingressclass/nginx",
    "networkpolicy/only-web",
    "hpa/web",
    "pdb/web",
    "priorityclass/high",
    "configmap/settings",
    "secret/pass",
    "serviceaccount/robot",
    "storageclass/fast",
    "pv/disk",
    "pvc/data",
    "role/reader",
    "rolebinding/readers",
    "quota/compute",
    "limitrange/bounds",
    "tank/deep",
    "tank/empty",
]


def commands() -> list[str]:
    return [
        *(f"get {kind} -A" for kind in TABLES if kind not in SERVERS_OWN),
        *(f"get {kind} -n shop -o wide" for kind in TABLES),
        *(f"describe {item} -n shop" for item in DESCRIBED),
        "get pods,deploy,svc -n shop",
        "get all -n shop",
        "get pods -n shop -l app=web --show-labels",
        "get pods -n shop -l tier!=front -L app,tier",
        "get pods -n shop --field-selector status.phase=Failed",
        "get pods -n shop --field-selector spec.nodeName=alpha --no-headers",
        "get pods running done -n shop",
        "get pod/running svc/web deploy/web -n shop",
        "get deploy,sts,tanks -n shop -o name",
        "get pod running -n shop -o yaml",
        "get pod running -n shop -o json",
        "get configmaps,secrets -n shop -o yaml",
        "get tanks -n shop -o json",
        'get nodes -o jsonpath={.items[*].status.addresses[?(@.type=="InternalIP")].address}',
        (
            "get pods -n shop -o custom-columns="
            "NAME:.metadata.name,NODE:.spec.nodeName,C:.spec.containers[*].name"
        ),
        "get pods -n shop --sort-by=.status.phase",
        "get pods -n shop --sort-by=.metadata.name -o name",
    ]


def run(kubectl: str, *arguments: str, text: str | None = None) -> str:
    done = subprocess.run(
        [kubectl, *arguments], input=text, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def create(kubectl: str) -> None:
    for item in yaml.safe_load_all((HERE / "objects.yaml").read_text()):
        namespace = item["metadata"].get("namespace", "default")
        run(kubectl, "create", "-n", namespace, "-f", "-", text=json.dumps(item))
        if item["kind"] == "CustomResourceDefinition":
            run(kubectl, "wait", "--for=condition=Established", f"crd/{item['metadata']['name']}")
        if "status" in item:
            patch = json.dumps({"status": item["status"]})
            target = f"{item['kind']}.{item['apiVersion'].rpartition('/')[0]}".rstrip(".")
            arguments = ["patch", target, item["metadata"]["name"], "-n", namespace]
            run(kubectl, *arguments, "--subresource=status", "--type=merge", "-p", patch)


def dump(kubectl: str) -> list[dict[str, object]]:
    items = []
    for kind in TABLES:
        items += json.loads(run(kubectl, "get", kind, "-A", "-o", "json"))["items"]
    return [item for item in items if not is_servers_own(item)]


def is_servers_own(item: dict) -> bool:
    """Tell what every API server has by itself, and ours does not."""
    labels = item["metadata"].get("labels", {})
    return "kubernetes.io/bootstrapping" in labels or item["metadata"]["name"].startswith(
        "apiserver-"
    )


def printed(kubectl: str, command: str) -> dict[str, str]:
    # Ages are whole seconds: begin right after one has begun.
    now = time.time()
    time.sleep(1.05 - now % 1)
    moment = dt.datetime.now(dt.timezone.utc)
    text = run(kubectl, *command.split(" "))
    return {"now": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "text": text}


def main() -> None:
    kubectl, out = sys.argv[1], Path(sys.argv[2])
    create(kubectl)
    out.mkdir(parents=True, exist_ok=True)
    (out / "dump.json").write_text(
        json.dumps({"kind": "List", "apiVersion": "v1", "items": dump(kubectl)}, indent=1)
    )
    recorded = {command: printed(kubectl, command) for command in commands()}
    (out / "printed.yaml").write_text(yaml.safe_dump(recorded, sort_keys=False, width=10**6))


if __name__ == "__main__":
    main()
