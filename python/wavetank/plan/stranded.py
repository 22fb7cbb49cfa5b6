"""Room that is there in all and yet on no single node.

A planner reads "Insufficient cpu" next to a pool that is 84 % full and wonders. The sentences
here say what the scheduler saw: every node alone.
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
