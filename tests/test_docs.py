"""The documentation does what it says: examples run, output is what is printed."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
import wavetank


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


PAGES = [
    "README.md",
    "docs/dns.md",
    "docs/explain.md",
    "docs/gpu-sharing.md",
    "docs/scheduling-plugins.md",
    "docs/traffic.md",
    "examples/shop/README.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_python_examples_run(root: Path, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    for text in blocks(root / page, "python"):
        exec(compile(text, page, "exec"), {})


@pytest.mark.parametrize("page", PAGES)
def test_printed_output_is_real(root: Path, page: str) -> None:
    seen = 0
    for text in blocks(root / page, "text"):
        command, _, wanted = text.partition("\n")
        if not command.startswith("$ wavetank "):
            continue
        seen += 1
        arguments = command.split()[2:]
        done = subprocess.run(
            [sys.executable, "-m", "wavetank", *arguments],
            cwd=root,
            env={**os.environ, "COLUMNS": "80"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in {0, 1}
        assert done.stdout.rstrip() == wanted.rstrip()
    assert seen or page != "README.md"


def test_links_lead_somewhere(root: Path) -> None:
    for page in [*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("*/README.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} points at {target}"


def modules() -> list[str]:
    found = pkgutil.walk_packages(wavetank.__path__, "wavetank.")
    return sorted(
        module.name for module in found if not module.name.endswith(("_core", "__main__"))
    )


@pytest.mark.parametrize("name", modules())
def test_docstring_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
