"""Put a production GPU cluster into memory and schedule everything that was offered to it.

    python examples/openb.py openb_node_list_gpu_node.csv openb_pod_list_default.csv [POLICY]

The tables come from alibaba/clusterdata, cluster-trace-gpu-v2023; :mod:`wavetank.traces.openb`
says how they map. POLICY is one of the published ones, FGD unless given; see docs/gpu-sharing.md.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

import wavetank as wt
from wavetank.traces import openb


def main(nodes: str, pods: str, policy: str = "FGD") -> None:
    """Load, schedule, and say what became of it."""
    cluster = wt.Cluster(events="none", scheduler=openb.scheduler(policy))
    began = time.perf_counter()
    loaded = openb.load(cluster, nodes, pods)
    there = time.perf_counter()
    answer = wt.plan.fit(cluster)
    done = time.perf_counter()

    (pool,) = answer.pools
    gpus = pool.resources[openb.GPU_MILLI]
    print(f"{loaded.nodes:,} nodes and {loaded.pods:,} pods loaded in {there - began:.2f} s")
    print(f"scheduled by {policy} in {done - there:.2f} s: {answer}")
    given, all_of = gpus.requested / 1000, gpus.allocatable / 1000
    print(f"GPUs: {given:,.1f} of {all_of:,.0f} given away, {gpus.share:.1%}")
    held = milli_by_gpu(answer.cluster)
    shared = sum(1 for milli in held.values() if milli < 1000)
    print(f"{len(held):,} GPUs are in use, {shared:,} of them in part; ", end="")
    print(f"{all_of - len(held):,.0f} are free")
    print()
    print(answer.reasons)


def milli_by_gpu(cluster: wt.Cluster) -> Counter[tuple[str, str]]:
    """Return what is given away of each GPU, by machine and number."""
    held: Counter[tuple[str, str]] = Counter()
    for pod in cluster.get("pods"):
        annotations = pod["metadata"].get("annotations", {})
        for number in filter(None, annotations.get(openb.GPU_INDEX, "").split("-")):
            held[pod["spec"]["nodeName"], number] += int(annotations[openb.GPU_MILLI])
    return held


if __name__ == "__main__":
    if len(sys.argv) not in {3, 4}:
        sys.exit(__doc__)
    main(*sys.argv[1:])
