"""Services that ask for addresses and families in every way, and how they are changed.

A case is a list of steps, ``{"do": "create" | "update" | "patch" | "delete", ...}``, done in turn
on a cluster that holds nothing else. Addresses that were handed out have names, ``$IPv4-0`` for
the first one of the case, in what is sent as in the answers.
"""

from __future__ import annotations

import ipaddress
import random
import re
from typing import Any

Object = dict[str, Any]

#: The ranges of the clusters that were asked, by the name of their file.
RANGES = {
    "ipv4": "10.96.0.0/16",
    "ipv4-ipv6": "10.96.0.0/16,fd00:10:96::/112",
    "ipv6-ipv4": "fd00:10:96::/112,10.96.0.0/16",
    "ipv6": "fd00:10:96::/112",
}

CASES = 110

POLICIES = [None, None, None, "SingleStack", "PreferDualStack", "RequireDualStack"]
FAMILIES: list[Any] = [
    None,
    None,
    None,
    ["IPv4"],
    ["IPv6"],
    ["IPv4", "IPv6"],
    ["IPv6", "IPv4"],
]
ODD_FAMILIES: list[Any] = [["IPv4", "IPv4"], ["IPv5"], [], ["IPv6", "IPv4", "IPv6"]]
FOUR = ["10.96.0.10", "10.96.0.11", "10.96.200.7"]
SIX = ["fd00:10:96::a", "fd00:10:96::b", "fd00:10:96::cafe"]
ODD_ADDRESSES = [
    "10.96.0.0",
    "10.96.0.1",
    "10.96.255.255",
    "10.97.0.1",
    "10.96.0.300",
    "10.96.0.010",
    "::ffff:10.96.0.12",
    "fd00:10:96::",
    "fd00:10:96::1",
    "fd00:10:96::ffff",
    "fd00:10:97::1",
    "FD00:10:96::C",
    "web",
    "",
]


def addresses(chance: random.Random) -> Object:
    """Return ``clusterIP`` and ``clusterIPs`` as somebody may write them."""
    four, six = chance.choice(FOUR), chance.choice(SIX)
    odd = chance.choice(ODD_ADDRESSES)
    lists: list[Any] = [
        [four],
        [six],
        [four, six],
        [six, four],
        ["None"],
    ]
    odd_lists: list[Any] = [
        [four, chance.choice(FOUR)],
        ["None", four],
        [four, six, odd],
        [odd],
        [four, odd],
        [],
        [four, ""],
    ]
    roll = chance.random()
    if roll < 0.35:
        return {}
    if roll < 0.5:
        return {"clusterIP": chance.choice([four, six, four, six, odd])}
    if roll < 0.62:
        return {"clusterIP": "None"}
    listed = chance.choice(lists if roll < 0.85 else odd_lists)
    if chance.random() < 0.12:
        return {"clusterIPs": listed}
    if chance.random() < 0.06:
        return {"clusterIP": four, "clusterIPs": listed}
    return {"clusterIP": listed[0], "clusterIPs": listed} if listed else {"clusterIPs": []}


def families(chance: random.Random) -> Object:
    """Return ``ipFamilies`` and ``ipFamilyPolicy`` as somebody may write them."""
    listed = chance.choice(ODD_FAMILIES if chance.random() < 0.06 else FAMILIES)
    policy = "Whatever" if chance.random() < 0.03 else chance.choice(POLICIES)
    spec = {"ipFamilies": listed, "ipFamilyPolicy": policy}
    return {name: value for name, value in spec.items() if value is not None}


def service(chance: random.Random, name: str) -> Object:
    """Return a Service."""
    kind = chance.choices(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"], [10, 2, 2, 1])[
        0
    ]
    spec: Object = {"type": kind, "ports": [{"port": 80, "protocol": "TCP"}]}
    if kind == "ExternalName":
        spec["externalName"] = "www.example.com"
    if chance.random() < 0.7:
        spec["selector"] = {"app": name}
    if kind != "ExternalName" or chance.random() < 0.3:
        spec |= addresses(chance)
        spec |= families(chance)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def sound(chance: random.Random, name: str, ranges: str) -> Object:
    """Return a Service a cluster of these ranges takes."""
    known = ["IPv6" if ":" in part else "IPv4" for part in ranges.split(",")]
    kind = chance.choices(["ClusterIP", "NodePort", "LoadBalancer"], [6, 1, 1])[0]
    spec: Object = {"type": kind, "ports": [{"port": 80, "protocol": "TCP"}]}
    if kind == "ClusterIP" and chance.random() < 0.2:
        spec |= {"clusterIP": "None"}
    if "clusterIP" not in spec or chance.random() < 0.5:
        spec["selector"] = {"app": name}
    policies = ["SingleStack", "PreferDualStack", *["RequireDualStack"] * (len(known) - 1)]
    policy = chance.choice([None, *policies])
    if policy:
        spec["ipFamilyPolicy"] = policy
    if chance.random() < 0.3:
        both = len(known) == 2 and policy in ("PreferDualStack", "RequireDualStack")
        spec["ipFamilies"] = chance.choice([known, known[::-1]] if both else [[known[-1]]])
    if "clusterIP" not in spec and chance.random() < 0.3:
        first = spec.get("ipFamilies", known)[0]
        spec["clusterIP"] = chance.choice(FOUR if first == "IPv4" else SIX)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def change(chance: random.Random) -> Object:
    """Return what a merge patch says of the specification."""
    sorts = chance.random()
    if sorts < 0.3:
        policy = chance.choice(["SingleStack", "PreferDualStack", "RequireDualStack", None])
        return {"ipFamilyPolicy": policy}
    if sorts < 0.5:
        return families(chance) or {"ipFamilyPolicy": "PreferDualStack"}
    if sorts < 0.7:
        both = families(chance)
        listed = chance.choice(
            [
                ["$IPv4-0"],
                ["$IPv6-0"],
                ["$IPv4-0", "$IPv6-0"],
                ["$IPv6-0", "$IPv4-0"],
                ["$IPv4-0", "fd00:10:96::c"],
                ["$IPv6-0", "10.96.0.12"],
                ["10.96.0.12"],
                ["None"],
                None,
            ]
        )
        return {**both, "clusterIPs": listed, "clusterIP": listed[0] if listed else None}
    if sorts < 0.85:
        kind = chance.choice(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])
        found: Object = {"type": kind}
        if kind == "ExternalName":
            found["externalName"] = "www.example.com"
            if chance.random() < 0.4:
                found |= {"clusterIP": None, "clusterIPs": None}
            if chance.random() < 0.3:
                found |= {"ipFamilies": None, "ipFamilyPolicy": None}
        else:
            found |= families(chance)
        return found
    return {"sessionAffinity": chance.choice(["ClientIP", "None"])}


def case(chance: random.Random, ranges: str) -> list[Object]:
    """Return the steps of one case."""
    is_sound = chance.random() < 0.6
    first = sound(chance, "web", ranges) if is_sound else service(chance, "web")
    steps: list[Object] = [{"do": "create", "object": first}]
    for _ in range(chance.choice([1, 1, 2, 2, 3, 3] if is_sound else [0, 0, 1])):
        roll = chance.random()
        if roll < 0.65:
            steps.append({"do": "patch", "name": "web", "spec": change(chance)})
        elif roll < 0.85:
            # The manifest again, with something else in it.
            again = {**first, "spec": {**first["spec"], **_plain(change(chance))}}
            steps.append({"do": "update", "object": again})
        else:
            steps.append({"do": "create", "object": _named(service(chance, "other"), chance)})
    if chance.random() < 0.5:
        # What was given is free again.
        steps.append({"do": "delete", "name": "web"})
        steps.append({"do": "create", "object": {**first, "metadata": {"name": "again"}}})
    return steps


def _plain(spec: Object) -> Object:
    return {name: value for name, value in spec.items() if value is not None}


def _named(other: Object, chance: random.Random) -> Object:
    """Return a Service that may ask for an address another one has."""
    if chance.random() < 0.4:
        taken = chance.choice(["$IPv4-0", "$IPv6-0"])
        other["spec"] |= {"clusterIP": taken, "clusterIPs": [taken]}
    return other


def cases(name: str) -> list[list[Object]]:
    """Return the cases of a file."""
    ranges = RANGES[name]
    return [case(random.Random(f"services/{name}/{number}"), ranges) for number in range(CASES)]


class Names:
    """The names of the addresses that were handed out in a case, and back."""

    def __init__(self) -> None:
        self.by_address: dict[str, str] = {}
        self.asked = ""

    def resolved(self, value: Any) -> Any:
        """Return what is sent: addresses in the place of their names."""
        if isinstance(value, dict):
            return {key: self.resolved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        if isinstance(value, str) and value.startswith("$"):
            known = {name: address for address, name in self.by_address.items()}
            # Nothing was handed out of this family: one nobody has.
            spare = "10.96.0.77" if "IPv4" in value else "fd00:10:96::77"
            return known.get(value, spare)
        return value

    def meet(self, sent: Object, answer: Object) -> None:
        """Name the addresses an answer has that were not asked for."""
        asked = str(sent)
        self.asked += asked
        for address in answer.get("spec", {}).get("clusterIPs", []):
            if address == "None" or address in self.by_address or f"'{address}'" in asked:
                continue
            family = f"IPv{ipaddress.ip_address(address).version}"
            number = sum(family in known for known in self.by_address.values())
            self.by_address[address] = f"${family}-{number}"

    def named(self, value: Any) -> Any:
        """Return an answer with names in the place of addresses."""
        if isinstance(value, dict):
            return {key: self.named(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.named(item) for item in value]
        if not isinstance(value, str):
            return value
        for address, name in self.by_address.items():
            value = re.sub(rf"(?<![0-9a-f.:]){re.escape(address)}(?![0-9a-f.])", name, value)
        # One that was handed out and taken back at once: the change was refused.
        return re.sub(_HANDED_OUT, lambda m: m[0] if m[0] in self.asked else "$new", value)


#: An address of a service range.
_HANDED_OUT = r"(10\.96\.[0-9]+\.[0-9]+|fd00:10:96::[0-9a-f]+)"


SHOWN = ("type", "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def shown(code: int, answer: Object) -> Object:
    """Return what counts of an answer."""
    if "spec" not in answer:
        said = {"code": code, "message": answer.get("message", "")}
        return said if code >= 400 else {"code": code}
    spec = {name: answer["spec"][name] for name in SHOWN if name in answer["spec"]}
    return {"code": code, "spec": spec}
