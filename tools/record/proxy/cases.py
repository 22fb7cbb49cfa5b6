"""Random cases for kube-proxy: ``cases.py FOLDER COUNT SEED``.

Each is a file ``{"input": ...}``: Services, EndpointSlices and packets; some with hints and a
zone, with IPv6, with more than a thousand endpoints, with other options, or with steps that
change objects between syncs. ``main.go`` adds what the real proxy makes of them.
"""

from __future__ import annotations

import copy
import json
import random
import sys
from pathlib import Path
from typing import Any

Object = dict[str, Any]

NODES = ["test-node", "node-1", "node-2", "node-3"]
ZONES = ["a", "b", "c"]
RANGES = [
    "203.0.113.0/25",
    "192.168.0.2/32",
    "10.0.0.0/8",
    "0.0.0.0/0",
    " 198.51.100.0/24 ",
    "192.168.000.000/16",
    "2001:db8::/32",
    "::/0",
]
SOURCES = ["203.0.113.2", "203.0.113.130", "192.168.0.2", "127.0.0.1", "10.1.2.3", "192.168.7.9"]
SOURCES6 = ["2001:db8:99::2", "2001:db8::1", "::1", "fd00:10::1:2", "2001:db8:1::2"]


class Maker:
    """Draws the parts of one case."""

    def __init__(self, rng: random.Random, family: str) -> None:
        self.rng = rng
        self.family = family
        self.ports = iter(range(30000, 32768))

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def service(self, number: int) -> Object:
        rng = self.rng
        kind = rng.choices(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"], [4, 3, 3, 1])[
            0
        ]
        namespace = rng.choice(["default", "prod", "kube-system"])
        spec: Object = {"type": kind, "ports": self.service_ports(kind)}
        status: Object = {}
        self.addresses(spec, number)
        if kind == "ExternalName" and self.chance(0.8):
            spec["externalName"] = "example.com"
        if self.chance(0.35):
            # No two Services share an address: whose rule came first would be random.
            own = [f"192.168.99.{20 + number}", f"192.168.098.{number:03}", f"2001:db8:5::{number}"]
            spec["externalIPs"] = rng.sample(own, rng.randint(1, 3))
        if kind in ("NodePort", "LoadBalancer") or "externalIPs" in spec:
            spec["externalTrafficPolicy"] = rng.choice(["Cluster", "Local"])
        if self.chance(0.4):
            spec["internalTrafficPolicy"] = rng.choice(["Cluster", "Local"])
        if kind == "LoadBalancer":
            self.load_balancer(spec, status, number)
        if self.chance(0.25):
            spec["sessionAffinity"] = "ClientIP"
            seconds = rng.choice([10, 300, 10800, 86400])
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": seconds}}
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"namespace": namespace, "name": f"svc-{number}"},
            "spec": spec,
            "status": status,
        }

    def addresses(self, spec: Object, number: int) -> None:
        rng = self.rng
        four = f"172.30.{number // 250}.{number % 250 + 1}"
        if self.chance(0.05):
            four = f"172.030.{number // 250}.{number % 250 + 1:03}"
        six = f"fd00:20::{number + 1:x}"
        shape = rng.choices(
            ["single", "dual", "none", "empty", "other", "old"], [8, 5, 1, 1, 1, 2]
        )[0]
        families = {"IPv4": four, "IPv6": six}
        mine = self.family
        other = "IPv6" if mine == "IPv4" else "IPv4"
        order = {"single": [mine], "dual": rng.sample([mine, other], 2), "other": [other]}
        if shape in order:
            spec["ipFamilies"] = order[shape]
            spec["clusterIPs"] = [families[family] for family in order[shape]]
            spec["clusterIP"] = spec["clusterIPs"][0]
        elif shape == "old":
            spec["clusterIP"] = families[mine]
        elif shape == "none":
            spec["clusterIP"] = "None"
            spec["clusterIPs"] = ["None"]

    def service_ports(self, kind: str) -> list[Object]:
        rng = self.rng
        count = rng.choices([1, 2, 3, 4], [5, 4, 2, 1])[0]
        ports = []
        for at in range(count):
            port: Object = {
                "port": 80 + at,
                "protocol": rng.choices(["TCP", "UDP", "SCTP"], [5, 3, 2])[0],
                "targetPort": 8080 + at,
            }
            if count > 1 or self.chance(0.7):
                port["name"] = f"p{80 + at}"
            if kind in ("NodePort", "LoadBalancer") and self.chance(0.9):
                port["nodePort"] = next(self.ports)
            ports.append(port)
        if count == 1 and self.chance(0.2):
            # DNS: one number and one name, two protocols.
            twin = dict(ports[0])
            twin["protocol"] = "UDP" if twin["protocol"] == "TCP" else "TCP"
            ports.append(twin)
        return ports

    def load_balancer(self, spec: Object, status: Object, number: int) -> None:
        rng = self.rng
        if spec.get("externalTrafficPolicy") == "Local" and self.chance(0.9):
            spec["healthCheckNodePort"] = next(self.ports)
        if self.chance(0.5):
            spec["loadBalancerSourceRanges"] = rng.sample(RANGES, rng.randint(1, 3))
        ingress = []
        vips = [f"1.2.{number}.4", f"5.6.{number}.8", f"2001:db8:77::{number:x}"]
        for address in rng.sample(vips, rng.randint(0, 3)):
            entry: Object = {"ip": address}
            if self.chance(0.3):
                entry["ipMode"] = rng.choice(["VIP", "Proxy"])
            ingress.append(entry)
        if self.chance(0.1):
            ingress.append({"hostname": "lb.example.com"})
        if ingress:
            status["loadBalancer"] = {"ingress": ingress}

    def slices(self, service: Object, number: int, most: int) -> list[Object]:
        rng = self.rng
        meta, spec = service["metadata"], service["spec"]
        hinted = rng.choice(["", "", "zone", "node", "both", "some"])
        made = []
        for at in range(rng.choices([0, 1, 2], [2, 7, 2])[0]):
            family = self.family if self.chance(0.9) else rng.choice(["IPv4", "IPv6", "FQDN"])
            ports = [
                {"name": p.get("name", ""), "port": p["targetPort"], "protocol": p["protocol"]}
                for p in spec["ports"]
                if self.chance(0.95)
            ]
            if self.chance(0.05):
                ports.append({"name": "p80", "protocol": "TCP"})
            # Slices may overlap: an endpoint moves from one to the other.
            base = number * 20 + at * rng.choice([0, 5, 9])
            endpoints = [
                self.endpoint(family, base + offset, hinted)
                for offset in range(rng.randint(0, most))
            ]
            made.append(
                {
                    "apiVersion": "discovery.k8s.io/v1",
                    "kind": "EndpointSlice",
                    "addressType": family,
                    "metadata": {
                        "namespace": meta["namespace"],
                        "name": f"{meta['name']}-{at}",
                        "labels": {"kubernetes.io/service-name": meta["name"]},
                    },
                    "ports": ports,
                    "endpoints": endpoints,
                }
            )
        # An endpoint that is listed twice as running is undefined upstream: keep one of them.
        seen: set[str] = set()
        for part in made:
            kept = [e for e in part["endpoints"] if plain(e["addresses"][0]) not in seen]
            seen |= {plain(e["addresses"][0]) for e in kept}
            part["endpoints"] = kept
        return made

    def endpoint(self, family: str, at: int, hinted: str) -> Object:
        rng = self.rng
        if family == "IPv6":
            address = f"fd00:10::{at // 250:x}:{at % 250 + 1:x}"
        elif family == "FQDN":
            address = f"host-{at}.example.com"
        else:
            address = f"10.180.{at // 250}.{at % 250 + 1}"
            if self.chance(0.03):
                address = f"10.180.{at // 250:03}.{at % 250 + 1:03}"
        state = rng.choices(["ready", "unready", "ending", "gone", "unsaid"], [8, 2, 2, 1, 1])[0]
        conditions: Object = {
            "ready": {"ready": True},
            "unready": {"ready": False},
            "ending": {"ready": False, "serving": True, "terminating": True},
            "gone": {"ready": False, "serving": False, "terminating": True},
            "unsaid": {},
        }[state]
        endpoint: Object = {"addresses": [address], "conditions": conditions}
        if self.chance(0.95):
            endpoint["nodeName"] = rng.choice(NODES)
        zone = rng.choice(ZONES)
        hints: Object = {}
        if hinted in ("zone", "both") or (hinted == "some" and self.chance(0.6)):
            hints["forZones"] = [{"name": zone}]
        if hinted in ("node", "both") or (hinted == "some" and self.chance(0.3)):
            hints["forNodes"] = [{"name": endpoint.get("nodeName", "node-1")}]
        if hints:
            endpoint["hints"] = hints
        return endpoint

    def packet(self, services: list[Object], slices: list[Object]) -> Object:
        rng = self.rng
        is_six = self.family == "IPv6"
        own = (
            ["2001:db8::1", "2001:db8:1::2", "::1"]
            if is_six
            else [
                "192.168.0.2",
                "192.168.1.2",
                "192.168.99.11",
                "127.0.0.1",
            ]
        )
        ends = [e["addresses"][0] for part in slices for e in part["endpoints"]]
        ends = [plain(end) for end in ends if (":" in end) == is_six and "host" not in end]
        source = rng.choice((SOURCES6 if is_six else SOURCES) + ends[:2])
        targets: list[tuple[str, int, str]] = []
        if services:
            spec = rng.choice(services)["spec"]
            status = next(s["status"] for s in services if s["spec"] is spec)
            port = rng.choice(spec["ports"])
            vips = [i["ip"] for i in status.get("loadBalancer", {}).get("ingress", []) if "ip" in i]
            every = [*spec.get("clusterIPs", [spec.get("clusterIP", "")]), *vips]
            every += spec.get("externalIPs", [])
            every = [plain(one) for one in every if one not in ("", "None")]
            targets += [(one, port["port"], port["protocol"]) for one in every]
            if "nodePort" in port:
                targets.append((rng.choice(own), port["nodePort"], port["protocol"]))
            if "healthCheckNodePort" in spec:
                targets.append((own[0], spec["healthCheckNodePort"], "TCP"))
        targets = [target for target in targets if (":" in target[0]) == is_six]
        if not targets or self.chance(0.15):
            targets = [(rng.choice([*own, *ends[:1]]), rng.choice([80, 4444, 30000]), "TCP")]
        address, number, protocol = rng.choice(targets)
        return {"src": source, "proto": protocol, "dst": address, "port": number}


def plain(address: str) -> str:
    """Return an address without leading zeros."""
    if ":" in address or "host" in address:
        return address
    return ".".join(str(int(part)) for part in address.split("."))


def steps(maker: Maker, services: list[Object], slices: list[Object]) -> list[Object]:
    """Return changes, each of a few objects."""
    rng = maker.rng
    services, slices = copy.deepcopy(services), copy.deepcopy(slices)
    done = []
    for _ in range(rng.randint(1, 4)):
        step: Object = {"services": [], "endpointslices": [], "deleted": {}}
        if slices and maker.chance(0.8):
            changed = rng.choice(slices)
            hinted = "zone" if maker.chance(0.2) else ""
            if changed["endpoints"] and maker.chance(0.6):
                changed["endpoints"].pop(rng.randrange(len(changed["endpoints"])))
            else:
                changed["endpoints"].append(
                    maker.endpoint(changed["addressType"], rng.randint(2000, 2400), hinted)
                )
            step["endpointslices"].append(copy.deepcopy(changed))
        if services and maker.chance(0.5):
            at = rng.randrange(len(services))
            fresh = maker.service(int(services[at]["metadata"]["name"].split("-")[1]))
            fresh["metadata"] = services[at]["metadata"]
            services[at] = fresh
            step["services"].append(copy.deepcopy(fresh))
        if services and maker.chance(0.3):
            gone = services.pop(rng.randrange(len(services)))
            step["services"] = [s for s in step["services"] if s["metadata"] != gone["metadata"]]
            step["deleted"]["services"] = [gone]
        if slices and maker.chance(0.2):
            gone = slices.pop(rng.randrange(len(slices)))
            name = gone["metadata"]
            step["endpointslices"] = [s for s in step["endpointslices"] if s["metadata"] != name]
            step["deleted"]["endpointslices"] = [gone]
        done.append(step)
    return done


def case(rng: random.Random) -> Object:
    """Return the input of one case."""
    family = rng.choices(["IPv4", "IPv6"], [3, 1])[0]
    maker = Maker(rng, family)
    large = maker.chance(0.04)
    count = 60 if large else rng.choice([0, 1, 2, 3, 5, 8, 14])
    services = [maker.service(number) for number in range(count)]
    most = 40 if large else rng.choice([1, 3, 12])
    slices = [
        part for at, service in enumerate(services) for part in maker.slices(service, at, most)
    ]
    made: Object = {
        "services": services,
        "endpointslices": slices,
        "packets": [maker.packet(services, slices) for _ in range(40)],
    }
    if family == "IPv6":
        made["family"] = family
    if maker.chance(0.6):
        made["zone"] = rng.choice(ZONES)
    if maker.chance(0.4):
        every = ["masqueradeAll", "liberal", "noLocalhost", "noCounters", "randomFully"]
        chosen: Object = dict.fromkeys(rng.sample(every, rng.randint(0, 2)), True)
        if maker.chance(0.4):
            chosen["local"] = rng.choice(["none", "bridge", "prefix"])
        if maker.chance(0.4):
            blocks = ["192.168.0.0/24", "127.0.0.0/8", "10.9.0.0/16", "2001:db8::/64", "::1/128"]
            # Two addresses of one family would come in random order.
            chosen["nodePortAddresses"] = [rng.choice(blocks)]
        made["options"] = chosen
    if maker.chance(0.4):
        made["steps"] = steps(maker, services, slices)
    return made


def main(folder: str, count: str, seed: str) -> None:
    """Write the cases."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number in range(int(count)):
        made = case(random.Random(f"{seed}/{number}"))
        path = Path(folder) / f"proxy-{seed}-{number:03}.json"
        path.write_text(json.dumps({"input": made}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
