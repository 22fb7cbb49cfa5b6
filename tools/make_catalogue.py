"""Write python/wavetank/data/instances.csv: our selection of common machine shapes.

Reads the published tables in ../shared/data/instance-catalogues, picks the families below and
writes one row per machine. AWS pods per node come from the table of ENI limits, never from the
formula, which is wrong for some types. Google's price list has no shapes: cores are part of the
name and memory follows from the family. Run it again when the tables are replaced.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT.parent / "shared" / "data" / "instance-catalogues"
TARGET = ROOT / "python" / "wavetank" / "data" / "instances.csv"

COLUMNS = (
    "provider",
    "type",
    "cpu",
    "memory_mib",
    "max_pods",
    "gpu",
    "arch",
    "price_usd_hour",
    "price_region",
    "price_date",
)

#: Family to the sizes taken.
AWS = {
    "m5": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge",
    "m6i": "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge 32xlarge",
    "m7i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "m7g": "medium large xlarge 2xlarge 4xlarge 8xlarge 16xlarge",
    "c5": "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge",
    "c6i": "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge",
    "c7g": "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge",
    "r5": "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge",
    "r6i": "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge",
    "r7g": "large xlarge 2xlarge 4xlarge",
    "t3": "nano micro small medium large xlarge 2xlarge",
    "t4g": "nano micro small medium large xlarge 2xlarge",
    "g4dn": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
    "g5": "xlarge 2xlarge 4xlarge 12xlarge 48xlarge",
    "g6": "xlarge 2xlarge 4xlarge 12xlarge 48xlarge",
    "p4d": "24xlarge",
    "p5": "48xlarge",
}

#: Family to memory per core in MiB and the numbers of cores taken.
GCP = {
    "e2-standard": (4096, "2 4 8 16 32"),
    "e2-highmem": (8192, "2 4 8 16"),
    "e2-highcpu": (1024, "2 4 8 16 32"),
    "n1-standard": (3840, "1 2 4 8 16 32"),
    "n2-standard": (4096, "2 4 8 16 32 48 64"),
    "n2-highmem": (8192, "2 4 8 16 32"),
    "t2d-standard": (4096, "2 4 8 16"),
    "c2-standard": (4096, "4 8 16 30 60"),
    "c3-standard": (4096, "4 8 22 44 88"),
    "g2-standard": (4096, "4 8 12 16 24 48 96"),
}

#: Google's machines that the rule of their family does not describe: cores, MiB, GPUs. The
#: price list has e2-micro and e2-small at the price of e2-medium, so they are left out.
GCP_OTHERS = {
    "e2-medium": (2, 4096, 0),
    "a2-highgpu-1g": (12, 85 * 1024, 1),
    "a2-highgpu-2g": (24, 170 * 1024, 2),
    "a2-highgpu-4g": (48, 340 * 1024, 4),
    "a2-highgpu-8g": (96, 680 * 1024, 8),
}

#: NVIDIA L4s in g2-standard machines, by cores.
G2_GPUS = {4: 1, 8: 1, 12: 1, 16: 1, 24: 2, 48: 4, 96: 8}

AZURE = [
    "B2s",
    "B2ms",
    "B4ms",
    "B8ms",
    "B16ms",
    "B2ps_v2",
    "B4ps_v2",
    "DS2_v2",
    "DS3_v2",
    "D2s_v3",
    "D2s_v5",
    "D4s_v5",
    "D8s_v5",
    "D16s_v5",
    "D32s_v5",
    "D48s_v5",
    "D64s_v5",
    "D96s_v5",
    "D2ps_v5",
    "D4ps_v5",
    "D8ps_v5",
    "D16ps_v5",
    "D32ps_v5",
    "E2s_v5",
    "E4s_v5",
    "E8s_v5",
    "E16s_v5",
    "E32s_v5",
    "E64s_v5",
    "F2s_v2",
    "F4s_v2",
    "F8s_v2",
    "F16s_v2",
    "F32s_v2",
    "F64s_v2",
    "NC4as_T4_v3",
    "NC8as_T4_v3",
    "NC16as_T4_v3",
    "NC64as_T4_v3",
    "NC24ads_A100_v4",
    "NC48ads_A100_v4",
    "NC96ads_A100_v4",
    "NC40ads_H100_v5",
    "ND96isr_H100_v5",
]

#: Pods per node where the provider sets one figure for all machines.
PODS = 110


def read(name: str) -> list[dict[str, str]]:
    with (SOURCE / name).open(newline="") as file:
        return list(csv.DictReader(file))


def aws() -> list[dict[str, Any]]:
    known = {row["instance_type"]: row for row in read("aws_instance_types.csv")}
    pods = eni_max_pods()
    rows = []
    for family, sizes in AWS.items():
        for size in sizes.split():
            name = f"{family}.{size}"
            row = known[name]
            rows.append(
                {
                    "provider": "aws",
                    "type": name,
                    "cpu": row["vcpu"],
                    "memory_mib": row["memory_mib"],
                    "max_pods": pods[name],
                    "gpu": row["gpu"],
                    "arch": row["arch"],
                    "price_usd_hour": row["price_usd_hour_us_east_1"],
                    "price_region": "us-east-1",
                    "price_date": "2026-07-20",
                }
            )
    return rows


def eni_max_pods() -> dict[str, str]:
    text = (SOURCE / "eni-max-pods.txt").read_text()
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return dict(line for line in lines if len(line) == 2)


def gcp() -> list[dict[str, Any]]:
    prices = {row["machine_type"]: row["price_usd_hour"] for row in read("gce_instance_prices.csv")}
    shapes = dict(GCP_OTHERS)
    for family, (memory_mib, sizes) in GCP.items():
        for size in sizes.split():
            gpu = G2_GPUS[int(size)] if family.startswith("g2") else 0
            shapes[f"{family}-{size}"] = (int(size), int(size) * memory_mib, gpu)
    return [
        {
            "provider": "gcp",
            "type": name,
            "cpu": cpu,
            "memory_mib": memory_mib,
            "max_pods": PODS,
            "gpu": gpu,
            "arch": "amd64",
            "price_usd_hour": prices[name],
            "price_region": "us-central1",
            # The list carries no date of its own; the copy is of 2026.
            "price_date": "2026",
        }
        for name, (cpu, memory_mib, gpu) in shapes.items()
    ]


def azure() -> list[dict[str, Any]]:
    known = {row["instance_type"]: row for row in read("azure_instance_types.csv")}
    rows = []
    for short in AZURE:
        name = f"Standard_{short}"
        row = known[name]
        rows.append(
            {
                "provider": "azure",
                "type": name,
                "cpu": row["vcpu"],
                "memory_mib": row["memory_mib"],
                "max_pods": PODS,
                "gpu": row["gpu"],
                "arch": row["arch"],
                "price_usd_hour": row["price_usd_hour_eastus"],
                "price_region": "eastus",
                "price_date": "2026-06-18",
            }
        )
    return rows


def main() -> int:
    if not SOURCE.is_dir():
        print(f"{SOURCE} is not here", file=sys.stderr)
        return 1
    providers = (aws(), gcp(), azure())
    rows = [row for provider in providers for row in provider]
    TARGET.parent.mkdir(exist_ok=True)
    with TARGET.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{TARGET}: {len(rows)} machines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
