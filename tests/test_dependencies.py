"""Which part may use which: the direction of dependencies, in Rust and in Python."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

#: Each module of the core and the modules it may use.
RUST = {
    "base": set(),
    "labels": {"base"},
    "manifest": {"base"},
    "record": {"base"},
    "api": {"base", "labels"},
    "store": {"base", "labels", "api"},
    "sched": {"base", "labels", "api", "store", "manifest"},
    "node": {"base", "labels", "api", "store"},
    "net": {"base", "labels", "api", "store"},
    "engine": {"base", "labels", "api", "store", "sched", "node", "net", "record"},
}

#: The layers of the package, lowest first. A module imports from its own layer and lower ones.
PYTHON = [
    {"_core"},
    {
        "amounts",
        "errors",
        "clock",
        "files",
        "kinds",
        "latencies",
        "resource",
        "results",
        "scheduler",
        "show",
    },
    {"resources", "progress", "catalogue"},
    {"program"},
    {"controllers", "manifest", "printing", "nodes", "scheduling"},
    {"listing"},
    {"api", "driver", "parts"},
    {"rollouts"},
    {"explaining", "network"},
    {"cluster"},
    {"plan", "replay", "traces", "plotting", "plotting_traffic"},
    {"bench"},
    {"explain"},
    {"cli"},
    {"__main__"},
]

#: Imports that wait until a user asks for them, upwards on purpose: the facade's conveniences.
UPWARDS = {("cluster", "plan"), ("explaining", "explain")}


def rust_uses(source: Path) -> set[str]:
    text = re.sub(r"//.*", "", source.read_text())
    found = set(re.findall(r"\bcrate::(\w+)", text))
    for group in re.findall(r"\bcrate::\{([^}]*)", text):
        found |= set(re.findall(r"(?:^|,)\s*(\w+)", group))
    return found


@pytest.mark.parametrize("module", sorted(RUST))
def test_a_module_of_the_core_uses_lower_ones_only(root: Path, module: str) -> None:
    sources = sorted((root / "rust/core/src" / module).rglob("*.rs"))
    assert sources
    wrong = {
        f"{source.relative_to(root)} uses {used}"
        for source in sources
        for used in rust_uses(source) & set(RUST) - RUST[module] - {module}
    }
    assert wrong == set()


def test_every_module_of_the_core_has_its_place(root: Path) -> None:
    lib = (root / "rust/core/src/lib.rs").read_text()
    assert set(re.findall(r"^pub mod (\w+);", lib, re.MULTILINE)) == set(RUST)


def test_the_core_knows_no_python(root: Path) -> None:
    manifest = (root / "rust/core/Cargo.toml").read_text()
    assert "pyo3" not in manifest
    assert "numpy" not in manifest
    assert "#![forbid(unsafe_code)]" in (root / "rust/core/src/lib.rs").read_text()


def imported(source: Path, package: Path) -> set[str]:
    """Return the top modules of wavetank that a file imports when it runs."""
    found = set()
    tree = ast.parse(source.read_text())
    idle = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    place = ["wavetank", *source.relative_to(package).with_suffix("").parts]
    for node in ast.walk(tree):
        if id(node) in idle:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = place[: len(place) - node.level] if node.level else []
            prefix = [*base, *(node.module.split(".") if node.module else [])]
            names = [".".join([*prefix, alias.name]) for alias in node.names]
        else:
            continue
        parts = [name.split(".") for name in names]
        found |= {part[1] for part in parts if part[0] == "wavetank" and len(part) > 1}
    return found


def test_a_module_of_the_package_imports_from_lower_layers_only(root: Path) -> None:
    package = root / "python/wavetank"
    layer = {name: place for place, names in enumerate(PYTHON) for name in names}
    wrong, unknown = set(), set()
    for source in sorted(package.rglob("*.py")):
        name = source.relative_to(package).with_suffix("").parts[0]
        if name == "__init__":
            continue
        if name not in layer:
            unknown.add(name)
            continue
        for used in imported(source, package) & set(layer):
            if layer[used] > layer[name] and (name, used) not in UPWARDS:
                wrong.add(f"{source.relative_to(root)} imports {used}")
    assert unknown == set()
    assert wrong == set()


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = {"numpy", "yaml", "rich", "typer", "pandas", "polars", "pyarrow", "matplotlib"}
    program = "import sys, wavetank; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True)
    assert heavy & set(loaded.stdout.split()) == set()
