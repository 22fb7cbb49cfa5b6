"""Comparing rules with recorded ones: between service ports kube-proxy's order is random."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

#: Chains that rules of several service ports share.
SHARED = {"KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-EXTERNAL-SERVICES", "KUBE-PROXY-FIREWALL"}
_SERVICE_PORT = re.compile(r'--comment "?([^ "]+/[^ "]+)')


def in_one_order(lines: list[str]) -> list[tuple[str, ...]]:
    """Return the lines with the rules of a service port in a shared chain side by side.

    The chains between two rules, and the order of a service port's own rules, stay as they are.
    """
    order: dict[str, list[tuple[str, str]]] = {}
    keyed = []
    for at, line in enumerate(lines):
        chain = line.split(" ")[1] if line.startswith("-A ") else ""
        found = _SERVICE_PORT.search(line) if chain in SHARED else None
        # Ports of one name and two protocols are told apart by the protocol.
        protocol = re.search(r" -p (\w+)", line) if found else None
        port = f"{found[1]}/{protocol[1]}" if found and protocol else ""
        order.setdefault(chain, []).append((port, line))
        keyed.append((at, chain, port, line))
    places = {
        chain: iter(sorted(rules, key=lambda rule: rule[0])) for chain, rules in order.items()
    }
    # A rule that belongs to no service port, such as the last of KUBE-SERVICES, sorts first in
    # both; that it stands last is looked at apart.
    return [next(places[chain]) if chain in SHARED else ("", line) for _, chain, _, line in keyed]


def cases_module(root: Path) -> ModuleType:
    """Return the module that makes random cases."""
    source = root / "tools/record/proxy/cases.py"
    spec = importlib.util.spec_from_file_location("proxy_cases", source)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def plain(address: str) -> str:
    """Return an address without leading zeros."""
    if ":" in address or not address[0].isdigit():
        return address
    return ".".join(str(int(part)) for part in address.split("."))
