"""The command ``python -m wavetank.replay``."""

from __future__ import annotations

import json
import sys

from . import KINDS, read_case

USAGE = f"usage: python -m wavetank.replay {'|'.join(KINDS)} FILE..."


def main(arguments: list[str]) -> int:
    """Replay every file named; return 2 when the arguments make no sense."""
    if len(arguments) < 2 or arguments[0] not in KINDS:
        sys.stderr.write(USAGE + "\n")
        return 2
    replay = KINDS[arguments[0]]
    for path in arguments[1:]:
        try:
            results = replay(read_case(path)["input"])
        except (OSError, ValueError) as error:
            sys.stderr.write(f"{error}\n")
            return 2
        sys.stdout.write(json.dumps({"file": path, "results": results}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
