"""Why pods stay pending, taken from the scheduler's own words.

``0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). preemption:
...`` says for how many nodes each reason held. What follows the histogram is about preemption
and left out here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_HEAD = re.compile(r"0/(\d+) nodes are available: ?")
#: The histogram ends at the first full stop before a space; reasons have none.
_END = re.compile(r"\.(?: |$)")
_ITEM = re.compile(r"(\d+) (.+?)(?=, \d+ |$)")
_INSUFFICIENT = "Insufficient "

#: Kubernetes' reasons and the shortest words that still say what it is.
_SHORT = {
    "Too many pods": "pods per node",
    "node(s) were unschedulable": "cordoned",
    "node(s) had untolerated taint(s)": "taints",
    "node(s) didn't match Pod's node affinity/selector": "node selector",
    "node(s) didn't match scheduler-enforced node affinity": "enforced affinity",
    "node(s) didn't match the requested node name": "node name",
    "node(s) didn't satisfy plugin(s) [NodeAffinity]": "node affinity",
    "node(s) didn't have free ports for the requested pod ports": "host ports",
    "node(s) didn't match pod topology spread constraints": "topology spread",
    "node(s) didn't match pod topology spread constraints (missing required label)": "spread label",
    "node(s) didn't match pod affinity rules": "pod affinity",
    "node(s) didn't match pod anti-affinity rules": "pod anti-affinity",
    "node(s) didn't satisfy existing pods anti-affinity rules": "others' anti-affinity",
    "node(s) exceed max volume count": "volumes per node",
    "node(s) had no available volume zone": "volume zone",
    "node(s) didn't find available persistent volumes to bind": "volumes",
    "pod has unbound immediate PersistentVolumeClaims": "unbound claims",
    "no nodes available to schedule pods": "no nodes",
}


@dataclass(frozen=True)
class Verdict:
    """A scheduler's message taken apart.

    Attributes
    ----------
    nodes
        How many nodes were looked at.
    reasons
        Reasons and on how many nodes each held, the most frequent first. A reason that was
        given once for all nodes counts for all.
    """

    nodes: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def limits(self) -> dict[str, int]:
        """The same by the short words of :func:`short`."""
        counts: dict[str, int] = {}
        for reason, nodes in self.reasons.items():
            word = short(reason)
            counts[word] = counts.get(word, 0) + nodes
        return counts


def parse(message: str | None) -> Verdict:
    """Take a FailedScheduling message apart.

    Examples
    --------
    >>> parse(
    ...     "0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient memory. preemption: ..."
    ... ).limits
    {'memory': 2, 'cpu': 1}
    """
    if not message:
        return Verdict()
    head = _HEAD.match(message)
    if head is None:
        return Verdict(0, {message.rstrip("."): 0})
    nodes = int(head[1])
    rest = message[head.end() :]
    end = _END.search(rest)
    histogram = rest[: end.start()] if end else rest
    counted = {reason: int(count) for count, reason in _ITEM.findall(histogram)}
    if not counted and histogram:
        counted = {histogram: nodes}
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return Verdict(nodes, dict(ranked))


def short(reason: str) -> str:
    """Return the shortest words that still say what a reason is about."""
    if reason.startswith(_INSUFFICIENT):
        return reason.removeprefix(_INSUFFICIENT)
    return _SHORT.get(reason, reason.removeprefix("node(s) "))


def describe(limits: dict[str, int], nodes: int) -> str:
    """Return limits in one line: ``cpu`` when one holds everywhere, else with node counts.

    Examples
    --------
    >>> describe({"cpu": 3}, 3)
    'cpu'
    >>> describe({"cpu": 2, "taints": 1}, 3)
    'cpu (2 nodes), taints (1)'
    """
    if not limits:
        return ""
    parts = []
    for at, (word, count) in enumerate(limits.items()):
        if count in {0, nodes}:
            parts.append(word)
        else:
            unit = f" node{'s' if count != 1 else ''}" if at == 0 else ""
            parts.append(f"{word} ({count:,}{unit})")
    return ", ".join(parts)
