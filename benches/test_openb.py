"""The published comparison of GPU policies: one run of each policy, about 10,900 pods."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wavetank.bench import openb

Each = Callable[[int, str], None]


@pytest.mark.parametrize("policy", openb.POLICIES)
def test_run_of_openb(benchmark: Any, rounds: int, each: Each, tables: Path, policy: str) -> None:
    trace = openb.Trace(tables)
    job = openb.Job("default", policy, openb.FIRST_SEED)
    run = benchmark.pedantic(openb.run, (trace, job), rounds=rounds, warmup_rounds=rounds // 5)
    assert run.offered > run.placed > 7_000
    each(run.offered, "pod")
