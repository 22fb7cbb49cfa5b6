"""What a benchmark file can be wrong in."""

from __future__ import annotations


class WorkloadError(ValueError):
    """A benchmark file asks for something that makes no sense, or did not come about.

    The sentence names the file, the test case, the workload and the op, as far as they are known.
    """
