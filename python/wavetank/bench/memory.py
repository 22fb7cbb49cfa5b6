"""How much memory this process had at most."""

from __future__ import annotations

import ctypes
import ctypes.util
import gc
import re
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
#: What makes Linux forget the peak.
_RESET = "5"


def forget_peak() -> bool:
    """Begin anew; false where the system keeps the peak of the whole process."""
    gc.collect()
    _give_back()
    try:
        _CLEAR.write_text(_RESET)
    except OSError:
        return False
    return True


def peak_bytes() -> int:
    """Return the most memory since :func:`forget_peak`, or since the process began."""
    found = _field("VmHWM")
    if found is not None:
        return found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def resident_bytes() -> int:
    """Return the memory the process has now; 0 where nobody says."""
    return _field("VmRSS") or 0


def _field(name: str) -> int | None:
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def _give_back() -> None:
    """Let the C library return what it keeps of freed memory, where it knows how."""
    name = ctypes.util.find_library("c")
    if name and sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(name), "malloc_trim", None)
        if trim is not None:
            trim(0)
