"""What kubectl 1.36.3 printed about a server's objects, and what we print about their dump.

``tools/record/kubectl`` made the recording. Each command is run at the virtual time it was
recorded at, so that ages are equal too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import wavetank as wt
import yaml
from typer.testing import CliRunner
from wavetank.cli import application

GOLDEN = Path(__file__).parent.parent / "golden" / "kubectl"
RECORDED: dict[str, Any] = yaml.safe_load((GOLDEN / "printed.yaml").read_text())


@pytest.mark.parametrize("command", RECORDED)
def test_the_output_is_kubectls(command: str, tmp_path: Path) -> None:
    recorded = RECORDED[command]
    saved = tmp_path / "cluster"
    cluster = wt.Cluster.from_dump(GOLDEN / "dump.json", start=recorded["now"])
    # The server of the recording had a loopback address, which no slice can have.
    for kind in ("endpoints", "endpointslice"):
        cluster.delete(kind, "kubernetes")
    cluster.save(saved)
    arguments = [*command.split(" "), "--cluster", str(saved)]
    done = CliRunner().invoke(application(arguments), arguments)
    assert done.exit_code == 0
    assert done.stdout == recorded["text"]
