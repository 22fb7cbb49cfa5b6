"""The table of machines that ships, and tables of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import wavetank as wt
from wavetank.catalogue import CatalogueError, built_in, catalogue, read


def test_the_table_that_ships_covers_three_providers() -> None:
    machines = list(built_in())
    providers = {machine.provider for machine in machines}
    assert providers == {"aws", "gcp", "azure"}
    assert 120 <= len(machines) <= 400
    for machine in machines:
        assert machine.cpu_milli > 0
        assert machine.memory_bytes > 2**28
        assert 4 <= machine.max_pods <= 1000
        assert machine.arch in {"amd64", "arm64"}
        assert machine.price_usd_hour is None or machine.price_date.startswith("20")
    assert any(machine.gpu for machine in machines)
    assert any(machine.arch == "arm64" for machine in machines)


@pytest.mark.parametrize(
    ("machine", "max_pods"),
    [("t3.nano", 4), ("t3.medium", 17), ("m5.large", 29), ("m5.4xlarge", 234)],
)
def test_pods_per_node_come_from_the_providers_table(machine: str, max_pods: int) -> None:
    assert built_in()[machine].max_pods == max_pods


def test_a_table_of_ones_own_wins_and_may_leave_columns_out(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(
        "type,cpu,memory_mib,price_usd_hour\nm5.large,3,1024,\npizza-box,0.5,512,0.01\n"
    )
    machines = catalogue(file)
    assert machines["m5.large"].cpu_milli == 3000
    assert machines["pizza-box"].cpu_milli == 500
    assert machines["pizza-box"].max_pods == 110
    assert machines["m5.xlarge"].cpu_milli == 4000
    cluster = wt.Cluster()
    cluster.add_nodes("pizza-box", catalogue=file)
    assert cluster.nodes["allocatable_cpu_milli"].tolist() == [500]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: no column 'type'"),
        ("type,cpu\na,1\n", ":1: no column 'memory_mib'"),
        ("type,cpu,memory_mib\na,1,lots\n", ":2: column memory_mib: 'lots' is not a number"),
        ("type,cpu,memory_mib\na,-1,1\n", ":2: column cpu: '-1' is not a number"),
        ("type,cpu,memory_mib\na,nan,1\n", ":2: column cpu: 'nan' is not a number"),
        ("type,cpu,memory_mib\n,1,1\n", ":2: column type: every machine has a name"),
        ("type,cpu,memory_mib\na,1,1\na,1,1\n", ":3: a is in the table twice"),
    ],
)
def test_a_bad_table_is_named_with_line_and_column(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "own.csv"
    file.write_text(text)
    with pytest.raises(CatalogueError) as caught:
        read(file)
    assert str(caught.value).startswith(f"{file}{message}")


def test_what_is_no_text_is_no_table(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogueError, match="not a CSV table"):
        read(file)
