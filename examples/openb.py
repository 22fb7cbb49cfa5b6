"""Put a production GPU cluster into memory and schedule everything that was offered to it.

    python examples/openb.py openb_node_list_gpu_node.csv openb_pod_list_default.csv

The tables come from alibaba/clusterdata, cluster-trace-gpu-v2023; :mod:`wavetank.traces.openb`
says how they map.
"""

from __future__ import annotations

import sys
import time

import wavetank as wt
from wavetank.traces import openb


def main(nodes: str, pods: str) -> None:
    """Load, schedule, and say what became of it."""
    cluster = wt.Cluster(events="none")
    began = time.perf_counter()
    loaded = openb.load(cluster, nodes, pods)
    there = time.perf_counter()
    answer = wt.plan.fit(cluster)
    done = time.perf_counter()

    (pool,) = answer.pools
    gpus = pool.resources[openb.GPU_MILLI]
    print(f"{loaded.nodes:,} nodes and {loaded.pods:,} pods loaded in {there - began:.2f} s")
    print(f"scheduled in {done - there:.2f} s: {answer}")
    given, all_of = gpus.requested / 1000, gpus.allocatable / 1000
    print(f"GPUs: {given:,.1f} of {all_of:,.0f} given away, {gpus.share:.1%}")
    print()
    print(answer.reasons)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
