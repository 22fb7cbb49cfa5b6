"""The real glibc, in a namespace where our answers are its DNS, asks what we say it asks."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest


def in_namespaces(*command: str) -> subprocess.CompletedProcess[str]:
    unshare = ["unshare", "--net", "--mount"]
    root = ["--map-root-user"] if os.geteuid() else []
    python = os.pathsep.join(entry for entry in sys.path if entry)
    return subprocess.run(
        [*unshare, *root, *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": python},
    )


def test_the_c_library_asks_what_we_say_it_asks() -> None:
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("the C library here is not glibc")
    try:
        possible = in_namespaces("mount", "--bind", "/etc/hosts", "/etc/resolv.conf")
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if possible.returncode:
        pytest.skip(f"no namespaces here: {possible.stderr.strip()}")
    if in_namespaces("ip", "link").returncode:
        pytest.skip("ip is not installed")
    done = in_namespaces(sys.executable, str(Path(__file__).with_name("glibc.py")))
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 117
    wrong = [line for line in lines if line["asked"] != line["ours"]]
    wrong += [line for line in lines if line["found"] != line["we find"]]
    assert wrong == []
