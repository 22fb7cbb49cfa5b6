"""A real kernel to hold rules against: a network namespace of its own, or the reason for none."""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import subprocess
import tempfile
from collections import defaultdict

import pytest

BACKENDS = ("legacy", "nft")
PROGRAMS = {"IPv4": "iptables", "IPv6": "ip6tables"}


def enter() -> list[str]:
    """Return the command that runs another in a network namespace of its own."""
    return ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]


def environment() -> dict[str, str]:
    """Return an environment for iptables-legacy: its lock lies where not everybody may write."""
    return {**os.environ, "XTABLES_LOCKFILE": f"{tempfile.gettempdir()}/wavetank-xtables.lock"}


def run(script: str, *, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a shell script in a fresh network namespace."""
    return subprocess.run(
        [*enter(), "sh", "-ec", script],
        input=stdin,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@functools.cache
def missing(backend: str, family: str) -> str:
    """Return why there is no kernel to try a back end on; empty when there is one."""
    name = f"{PROGRAMS[family]}-{backend}"
    for program in ("unshare", f"{name}-restore", f"{name}-save"):
        if shutil.which(program) is None:
            return f"needs {program}"
    tried = run(f"{name} -t nat -N WAVETANK-TRY")
    return f"no network namespace with {name}: {tried.stderr.strip()}" * (tried.returncode != 0)


def need(backend: str, family: str = "IPv4") -> None:
    """Skip the test, saying why, where a back end cannot be tried."""
    reason = missing(backend, family)
    if reason:
        pytest.skip(reason)


def parse(text: str) -> dict[str, list[tuple[str, ...]]]:
    """Return the rules of kube-proxy's chains; see :func:`parse_rules`."""
    chains = parse_rules(text)
    return {name: rules for name, rules in chains.items() if name.split()[1].startswith("KUBE-")}


def parse_rules(text: str) -> dict[str, list[tuple[str, ...]]]:
    """Return rules by ``table chain``, each as a set of words that both spellings share."""
    chains: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            chains[f"{table} {line[1:].split()[0]}"] = []
        elif line.startswith("-A "):
            words = shlex.split(line)
            chains[f"{table} {words[1]}"].append(tuple(sorted(_options(words[2:]))))
    return dict(chains)


#: What iptables-save adds to what was asked for.
_IMPLIED = {
    "--reject-with icmp-port-unreachable",
    "--reject-with icmp6-port-unreachable",
    "--mask 255.255.255.255",
    "--mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "--rsource",
}


def _options(words: list[str]) -> set[str]:
    found: set[str] = set()
    negation = ""
    left = iter([*words, "-end"])
    option, arguments = "", []
    for word in left:
        if word != "!" and not word.startswith("-"):
            arguments.append(word)
            continue
        if option:
            one = _alike(option, arguments)
            if one and one not in _IMPLIED:
                found.add(negation + one)
            negation = ""
        option, arguments = ("", []) if word == "!" else (word, [])
        if word == "!":
            negation = "! "
    return found


def _alike(option: str, arguments: list[str]) -> str:
    """Return an option as both spellings have it."""
    if option == "-m":
        return ""
    value = " ".join(arguments)
    if option in ("-s", "-d"):
        value = value.removesuffix("/32").removesuffix("/128")
    elif option == "--probability":
        # The kernel keeps 31 bits of it.
        value = str(round(float(value) * 2**31))
    elif option in ("--mark", "--or-mark", "--xor-mark", "--set-xmark"):
        bits = [int(part, 16) for part in value.split("/")]
        if option == "--or-mark":
            bits *= 2
        elif option == "--xor-mark":
            bits.append(0)
        option = "--mark" if option == "--mark" else "--set-xmark"
        value = "/".join(map(hex, bits))
    elif option == "--ctstate":
        value = ",".join(sorted(value.split(",")))
    return f"{option} {value}".strip()
