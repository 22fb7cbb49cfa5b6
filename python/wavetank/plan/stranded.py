"""What a planner would wonder about: room on no single node, and pods that weigh nothing.

A planner reads "Insufficient cpu" next to a pool that is 84 % full. The sentences here say what
the scheduler saw: every node alone, and requests only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank.amounts import cores, cpu, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .fit import Workload
    from .usage import NodeUse

#: Workloads that get a sentence.
_SAID = 3


def stranded(workloads: Sequence[Workload], nodes: Sequence[NodeUse]) -> list[str]:
    """Return a sentence for each pending workload that would fit if nodes were one machine."""
    usable = [node for node in nodes if node.schedulable]
    found = (_sentence(item, usable) for item in workloads if item.pending)
    return [sentence for sentence in found if sentence][:_SAID]


def weightless(workloads: Sequence[Workload]) -> list[str]:
    """Return a sentence about workloads that request none of cpu or memory, if there are any."""
    made = [item for item in workloads if item.pods]
    none_of = {
        "cpu": [item for item in made if not item.cpu_milli],
        "memory": [item for item in made if not item.memory_bytes],
    }
    parts = [f"{len(found):,} request no {name}" for name, found in none_of.items() if found]
    if not parts:
        return []
    total = f"{len(made):,} workload{'' if len(made) == 1 else 's'}"
    return [f"of {total}, {' and '.join(parts)}: the scheduler packs them as if they took none"]


def _sentence(item: Workload, nodes: Sequence[NodeUse]) -> str:
    for resource, asked in (("cpu", item.cpu_milli), ("memory", item.memory_bytes)):
        if resource not in item.limits or not nodes:
            continue
        free = [max(0, _free(node, resource)) for node in nodes]
        if max(free) < asked <= sum(free):
            one, all_of = (cpu, cores) if resource == "cpu" else (size, size)
            unit = "cores" if resource == "cpu" else "of memory"
            return (
                f"{item.ref} asks for {one(asked)} {resource} a pod: {all_of(sum(free))} {unit} "
                f"are free in all, but at most {one(max(free))} on one node"
            )
    return ""


def _free(node: NodeUse, resource: str) -> int:
    use = node.resources[resource]
    return use.allocatable - use.requested
