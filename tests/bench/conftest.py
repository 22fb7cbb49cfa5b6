"""What the tests of benchmarks share: small benchmark files, written where a test can see them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from wavetank.bench.errors import WorkloadError
from wavetank.bench.run import Options, Run
from wavetank.bench.runner import execute
from wavetank.bench.workloads import Workload, read

MILLISECOND = 1_000_000
SECOND = 1_000_000_000

NODE = """
apiVersion: v1
kind: Node
metadata: {generateName: node-}
status:
  capacity: {pods: "10", cpu: "4", memory: 8Gi}
  conditions: [{type: Ready, status: "True"}]
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {generateName: pod-, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: c, image: "i:1", resources: {requests: {cpu: "1"}}}]
"""

Files = Callable[..., Path]
Play = Callable[..., Run]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Write a benchmark file of one test case, ``Case/work``, and templates beside it."""

    def write(ops: str, params: str = "{}", case: str = "", **templates: str) -> Path:
        folder = tmp_path / "topic"
        (folder / "templates").mkdir(parents=True, exist_ok=True)
        for name, text in {"node": NODE, "pod": POD, **templates}.items():
            (folder / "templates" / f"{name}.yaml").write_text(text)
        text = "- name: Case\n"
        text += textwrap.indent(textwrap.dedent(case).strip("\n") + "\n", "  ")
        text += "  workloadTemplate:\n" + textwrap.indent(textwrap.dedent(ops), "  ") + "\n"
        text += f"  workloads:\n  - name: work\n    params: {params}\n"
        path = folder / "performance-config.yaml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def play(files: Files) -> Play:
    """Run the ops of a benchmark file; see :func:`files`."""

    def run(ops: str, *args: str, cycle_ns: int = 4 * MILLISECOND, **templates: str) -> Run:
        (workload,) = read(files(ops, *args, **templates))
        return execute(workload, Options(cycle_ns))

    return run


@pytest.fixture
def broken(files: Files) -> Callable[..., str]:
    """Return the sentence a file that makes no sense is refused with."""

    def sentence(*args: str, **templates: str) -> str:
        path = files(*args, **templates)
        with pytest.raises(WorkloadError) as caught:  # noqa: PT012 - reading or running
            for workload in read(path):
                execute(workload)
        told = str(caught.value)
        assert "\n" not in told
        return told.replace(f"{path.parent}/", "")

    return sentence


def only(path: Path) -> Workload:
    """Return the one workload of a file."""
    (workload,) = read(path)
    return workload
