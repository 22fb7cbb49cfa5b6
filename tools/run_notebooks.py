"""Execute every notebook of a folder; the first cell that fails fails the run."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


def execute(path: Path) -> float:
    """Run one notebook in its own folder; return the seconds it took."""
    began = time.perf_counter()
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": path.parent}})
    client.execute()
    return time.perf_counter() - began


def succeeds(path: Path) -> bool:
    """Run one notebook and say how it went."""
    try:
        print(f"{path}: {execute(path):.1f} s")
    except CellExecutionError as error:
        print(f"{path}: {error}", file=sys.stderr)
        return False
    return True


def main(folder: str) -> int:
    """Run all notebooks in a folder; return 1 when one fails."""
    failures = sum(not succeeds(path) for path in sorted(Path(folder).glob("*.ipynb")))
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
