"""What a kernel with our rules traces: each rule a packet meets, as ``xtables-monitor`` tells it.

Run inside a network namespace of its own: reads ``{"addresses", "jumps", "cases": [{"rules",
"packets", "times"}]}`` from standard input and prints, per case, packet and time, the rules met as
``"table rule"``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import subprocess
import sys

from sender import Place, begin, build, command

#: Only what clients begin is traced, no answers.
_TRACED = ("-p tcp --syn", "-p udp --sport 1024:30000")
_RULE = re.compile(r"^ TRACE: 2 \w+ (nat|filter):\S+ +-4 -t \w+ (-A .*)$")
#: A packet has been traced when nothing was said for so long.
_QUIET_S = 0.04


def restored(rules: str, jumps: str) -> None:
    """Give the kernel the rules of a case, and nothing else but the traces."""
    command("iptables-nft-restore", "*filter\nCOMMIT\n*nat\nCOMMIT\n")
    command("iptables-nft-restore --noflush", rules)
    command("iptables-nft-restore --noflush", jumps)


def told(stream: int) -> list[str]:
    """Return the rules that were traced since the last time."""
    text = b""
    while select.select([stream], [], [], _QUIET_S)[0]:
        read = os.read(stream, 1 << 16)
        if not read:
            break
        text += read
    found = (_RULE.match(line) for line in text.decode().splitlines())
    return [f"{match[1]} {match[2]}" for match in found if match]


def main() -> None:
    asked = json.load(sys.stdin)
    own = set(asked["addresses"])
    sources = {packet["src"] for case in asked["cases"] for packet in case["packets"]} - own
    pid = build("IPv4", asked["addresses"], sorted(sources))
    node, world = Place("/proc/self/ns/net"), Place(f"/proc/{pid}/ns/net")
    silence = "*raw\n-A OUTPUT -p tcp --tcp-flags RST RST -j DROP\nCOMMIT\n"
    command(f"nsenter --target {pid} --net iptables-nft-restore", silence)
    traced = [f"-A {hook} {what} -j TRACE" for hook in ("PREROUTING", "OUTPUT") for what in _TRACED]
    raw = "*raw\n-A OUTPUT -p tcp --tcp-flags RST RST -j DROP\n"
    command("iptables-nft-restore", raw + "\n".join(traced) + "\nCOMMIT\n")
    results = []
    for case in asked["cases"]:
        node.enter()
        restored(case["rules"], asked["jumps"])
        # The monitor reads the rules when it starts.
        monitor = subprocess.Popen(["xtables-monitor", "--trace"], stdout=subprocess.PIPE)
        assert monitor.stdout is not None
        stream = monitor.stdout.fileno()
        select.select([stream], [], [], 0.3)
        outcomes = []
        for packet in case["packets"]:
            (node if packet["src"] in own else world).enter()
            seen = []
            for _ in range(case["times"]):
                with contextlib.suppress(OSError):
                    made, _ = begin(packet)
                    seen.append(told(stream))
                    made.close()
            outcomes.append(seen)
        monitor.kill()
        monitor.wait()
        results.append(outcomes)
    print(json.dumps(results))
    os.kill(pid, 9)


if __name__ == "__main__":
    main()
