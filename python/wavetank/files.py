"""Writing files so that whoever reads them finds all of one or all of the other."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under another name beside its place, then put it there.

    What is no plain file (a pipe, a device) is written to as it is; so is a file in a folder
    that takes no other.

    Raises
    ------
    OSError
        With the path that was given; an old file is still there then.
    """
    place = Path(os.path.realpath(path))
    try:
        if (place.exists() and not place.is_file()) or not os.access(place.parent, os.W_OK):
            place.write_bytes(data)
            return
        begun = place.with_name(f".{place.name[:200]}.{os.getpid()}")
        try:
            begun.write_bytes(data)
            if place.exists():
                begun.chmod(place.stat().st_mode)
            begun.replace(place)
        except BaseException:
            with contextlib.suppress(OSError):
                begun.unlink()
            raise
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None


#: What a saved cluster begins with.
MAGIC = b"wavetank\0"


def is_saved(path: Path) -> bool:
    """Whether a file is a cluster that :meth:`wavetank.Cluster.save` wrote."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC
