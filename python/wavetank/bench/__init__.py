"""Benchmarks of others, run here: scheduler_perf, the one Kubernetes measures its scheduler with.

Read in this order: :mod:`.workloads` (the files), :mod:`.operations` (what they may say),
:mod:`.run` (a workload under way), :mod:`.runner` (all of them), :mod:`.report`. Of its own:
:mod:`.openb`, a published table of GPU policies.
"""

from __future__ import annotations

from .errors import WorkloadError
from .report import Result, Results
from .runner import scheduler_perf

__all__ = ["Result", "Results", "WorkloadError", "scheduler_perf"]
