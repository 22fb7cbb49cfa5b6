"""What the kubelet keeps of a machine: capacity less this is what pods can ask for.

The managed services publish how they set ``kubeReserved`` and the eviction threshold:

========  ======================================================  ===============================
provider  cpu                                                     memory
========  ======================================================  ===============================
aws       6 % of the first core, 1 % of the next, 0.5 % of the    255 MiB + 11 MiB per pod of the
          next two, 0.25 % of the rest                            type's limit + 100 MiB
gcp       the same; 1,060m on shared-core E2                      25 % of the first 4 GiB, 20 % of
                                                                  the next 4, 10 % of the next 8,
                                                                  6 % of the next 112, 2 % of the
                                                                  rest (255 MiB below 1 GiB)
                                                                  + 100 MiB
azure     60m, 100m, 140m, 180m, 260m, 420m, 740m for 1, 2, 4,    20 MiB per pod + 50 MiB, at most
          8, 16, 32, 64 cores; 10m per core beyond                25 %, + 100 MiB
========  ======================================================  ===============================

Sources: awslabs/amazon-eks-ami (bootstrap), "Plan GKE Standard node sizes", "Node resource
reservations in AKS" (1.29 and later). A tenth of the disk is the eviction threshold everywhere.
What firmware and kernel keep before the kubelet sees the memory, some hundreds of MiB on small
machines, is not taken off: the providers publish no figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wavetank.catalogue import Machine

_MIB = 2**20
_GIB = 2**30
#: The hard eviction threshold ``memory.available`` of all three.
_EVICTION = 100 * _MIB
#: Parts of a core kept, in ten-thousandths: per core, up to this many cores.
_CORE_STEPS = ((1, 600), (1, 100), (2, 50), (None, 25))
#: Hundredths of memory kept, per so many GiB.
_MEMORY_STEPS = ((4, 25), (4, 20), (8, 10), (112, 6), (None, 2))
_SHARED_CORE = ("e2-micro", "e2-small", "e2-medium")


def kept(machine: Machine) -> tuple[int, int]:
    """Return milli-CPU and bytes the kubelet keeps of a machine; nothing for no known provider."""
    rule = _RULES.get(machine.provider)
    return rule(machine) if rule else (0, 0)


def kept_disk(machine: Machine, disk: int) -> int:
    """Return the bytes kept of a disk."""
    if machine.provider not in _RULES:
        return 0
    return disk // 10 + (_GIB if machine.provider == "aws" else 0)


def _aws(machine: Machine) -> tuple[int, int]:
    memory = (255 + 11 * machine.max_pods) * _MIB + _EVICTION
    return _of_cores(machine.cpu_milli), memory


def _gcp(machine: Machine) -> tuple[int, int]:
    cpu = 1060 if machine.type in _SHARED_CORE else _of_cores(machine.cpu_milli)
    if machine.memory_bytes < _GIB:
        return cpu, 255 * _MIB + _EVICTION
    memory = _stepped(machine.memory_bytes, _GIB, _MEMORY_STEPS) // 100
    return cpu, memory + _EVICTION


def _azure(machine: Machine) -> tuple[int, int]:
    cores = -(-machine.cpu_milli // 1000)
    cpu = 60 * min(cores, 1) + 40 * min(max(cores - 1, 0), 1)
    cpu += 20 * min(max(cores - 2, 0), 2) + 10 * max(cores - 4, 0)
    memory = min((20 * machine.max_pods + 50) * _MIB, machine.memory_bytes // 4)
    return cpu, memory + _EVICTION


def _of_cores(cpu_milli: int) -> int:
    return _stepped(cpu_milli, 1000, _CORE_STEPS) // 10_000


def _stepped(amount: int, unit: int, steps: Sequence[tuple[int | None, int]]) -> int:
    """Sum ``amount`` times the share of each step; a step is so many units wide."""
    total = 0
    for width, share in steps:
        part = amount if width is None else min(amount, width * unit)
        total += part * share
        amount -= part
    return total


_RULES: dict[str, Callable[[Machine], tuple[int, int]]] = {
    "aws": _aws,
    "gcp": _gcp,
    "azure": _azure,
}
