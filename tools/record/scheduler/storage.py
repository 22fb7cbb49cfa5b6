"""Random classes, claims and volumes."""

from __future__ import annotations

from chances import CLASSES, HOST, NAMESPACES, ZONE, ZONES, Chances, Object, named


class Storage(Chances):
    """What is there to mount."""

    nodes: list[Object]
    objects: list[Object]
    claims: list[Object]

    def add_storage(self) -> None:
        for name, (mode, provisioner) in CLASSES.items():
            kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}
            made = kind | {"metadata": named(name), "provisioner": provisioner}
            made["volumeBindingMode"] = mode
            if name == "placed":
                zones = {"key": ZONE, "values": self.some(ZONES)}
                made["allowedTopologies"] = [{"matchLabelExpressions": [zones]}]  # type: ignore[assignment]
            self.objects.append(made)
        for node in self.nodes:
            name = node["metadata"]["name"]
            drivers = [
                {"name": driver, "nodeID": name, "topologyKeys": [], "allocatable": {"count": n}}
                for driver in ("ebs.example", "disk.example")
                if (n := self.random.randint(0, 3))
            ]
            kind = {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode"}
            self.objects.append(kind | {"metadata": named(name), "spec": {"drivers": drivers}})
        for number in range(self.random.randint(4, 14)):
            self.add_claim(number)
        for number in range(self.random.randint(0, 4)):
            host = [self.pick(self.nodes)["metadata"]["name"]]
            source = {"local": {"path": "/x"}, "nodeAffinity": in_domain(HOST, host)}
            size = self.pick(["1Gi", "5Gi", "9Gi"])
            self.objects.append(volume(f"lv-{number}", "local", "ReadWriteOnce", size, source))

    def add_claim(self, number: int) -> None:
        name, namespace = f"claim-{number}", self.pick(NAMESPACES)
        storage_class = self.pick(list(CLASSES))
        mode = self.pick(["ReadWriteOnce", "ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"])
        claim: Object = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": named(name, namespace=namespace, uid=f"uid-{name}"),
            "spec": {
                "accessModes": [mode],
                "storageClassName": self.pick([storage_class] * 9 + ["nosuch"]),
                "volumeMode": "Filesystem",
                "resources": {"requests": {"storage": self.pick(["1Gi", "5Gi"])}},
            },
            "status": {"phase": "Pending"},
        }
        if self.rarely(0.5):
            driver = self.pick(["ebs.example", "disk.example"])
            source: Object = {"csi": {"driver": driver, "volumeHandle": f"h{number}"}}
            if self.rarely(0.4):
                source["nodeAffinity"] = in_domain(ZONE, self.some(ZONES))
            made = volume(f"pv-{number}", storage_class, mode, "5Gi", source)
            if self.rarely(0.3):
                made["metadata"]["labels"] = {ZONE: self.pick(["za", "zb__zc"])}
            if self.rarely(0.7):
                bind(claim, made)
            if self.rarely(0.95):
                self.objects.append(made)
        self.objects.append(claim)
        self.claims.append(claim)


def in_domain(key: str, values: list[str]) -> Object:
    expression = {"key": key, "operator": "In", "values": values}
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}


def volume(name: str, storage_class: str, mode: str, size: str, source: Object) -> Object:
    spec = {
        "capacity": {"storage": size},
        "accessModes": [mode],
        "storageClassName": storage_class,
        "volumeMode": "Filesystem",
        "persistentVolumeReclaimPolicy": "Retain",
    }
    kind = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": named(name)}
    return kind | {"spec": spec | source, "status": {"phase": "Available"}}


def bind(claim: Object, made: Object) -> None:
    claim["spec"]["volumeName"] = made["metadata"]["name"]
    claim["metadata"]["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}
    claim["status"]["phase"] = made["status"]["phase"] = "Bound"
    metadata = {key: claim["metadata"][key] for key in ("name", "namespace", "uid")}
    made["spec"]["claimRef"] = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"} | metadata
