"""Pictures of plans: what is drawn is what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
import wavetank as wt
from wavetank import plotting

mpl.use("agg")


@pytest.fixture(scope="module")
def answer(root: Path) -> wt.plan.Fit:
    cluster = wt.Cluster()
    cluster.add_nodes("3xm5.large,zones=3")
    cluster.apply(root / "examples/shop")
    return wt.plan.fit(cluster)


def test_the_parts_of_a_bar_add_up_to_what_the_node_gives(answer: wt.plan.Fit) -> None:
    figure = plotting.packing(answer)
    cpu, memory = figure.axes
    for axis, resource in ((cpu, "cpu"), (memory, "memory")):
        widths = [0.0] * len(answer.nodes)
        # The first three bars are the frames of the nodes.
        for bar in axis.patches[len(answer.nodes) :]:
            widths[round(bar.get_y() + bar.get_height() / 2)] += bar.get_width()
        shares = [node.resources[resource].share for node in answer.nodes]
        assert widths == pytest.approx(shares)
    assert [label.get_text() for label in cpu.get_yticklabels()] == [
        "m5-large-0  a",
        "m5-large-1  b",
        "m5-large-2  c",
    ]
    assert figure.get_suptitle() == "30 of 32 pods on 3 nodes, 2 without a place"


def test_a_colour_is_the_same_workload_in_every_panel(answer: wt.plan.Fit) -> None:
    cpu, memory = plotting.packing(answer).axes

    def colours(axis: mpl.axes.Axes) -> dict:
        handles, names = axis.get_legend_handles_labels()
        return {
            name: handle.patches[0].get_facecolor()
            for handle, name in zip(handles, names, strict=True)
        }

    assert colours(cpu) == colours(memory)
    assert "statefulset/database" in colours(cpu)
    assert "8 others" in colours(cpu)


def test_many_nodes_become_a_curve_that_falls() -> None:
    cluster = wt.Cluster()
    cluster.add_nodes("60x2cpu,4Gi,name=small")
    cluster.add_nodes("50x8cpu,16Gi,name=large")
    answer = wt.plan.fit(cluster)
    (axis,) = plotting.packing(answer, ["memory"]).axes
    lengths = {line.get_label(): len(line.get_xdata()) for line in axis.lines}
    assert lengths == {"small (60)": 60, "large (50)": 50}


def test_room_is_drawn_least_first_with_what_ends_it(answer: wt.plan.Fit) -> None:
    rows = wt.plan.headroom(answer)
    (axis,) = plotting.headroom(rows).axes
    widths = [bar.get_width() for bar in axis.patches]
    assert widths == sorted(row.more for row in rows)
    texts = [text.get_text() for text in axis.texts]
    assert "  then pod anti-affinity" in texts
    assert len(plotting.headroom(rows, most=3).axes[0].patches) == 3


def test_what_cannot_be_drawn_is_said_in_one_sentence(answer: wt.plan.Fit) -> None:
    with pytest.raises(ValueError, match="no node has gpus; there are cpu, memory, pods"):
        plotting.packing(answer, ["gpus"])
    with pytest.raises(ValueError, match="there is no workload to draw"):
        plotting.headroom([])


def test_no_figure_stays_open(answer: wt.plan.Fit) -> None:
    import matplotlib.pyplot as plt

    plotting.packing(answer)
    assert plt.get_fignums() == []


def test_the_load_of_clusters_is_a_dot_per_node() -> None:
    clusters = {}
    for name, count in (("few", 2), ("many", 5)):
        clusters[name] = wt.Cluster()
        clusters[name].add_nodes(cpu="4", memory="8Gi", count=count)
    figure = plotting.load(clusters, room_for=(1500, 1 << 30))
    few, many = figure.axes
    assert (few.get_title("left"), many.get_title("left")) == ("few", "many")
    assert [len(axis.collections[0].get_offsets()) for axis in (few, many)] == [2, 5]
    assert [text.get_text() for text in many.texts] == ["room for 10 more"]
    assert len(plotting.load(clusters, width=1).axes) == 2


def test_figures_of_policies_are_a_panel_each() -> None:
    table = {"one": {"empty": 3, "share": 0.25}, "two": {"empty": 0, "share": 12.5}}
    figure = plotting.bars(table, units={"share": " %"})
    empty, share = figure.axes
    assert [text.get_text().strip() for text in empty.texts] == ["3", "0"]
    assert [text.get_text().strip() for text in share.texts] == ["0.2 %", "12 %"]
    assert [label.get_text() for label in empty.get_yticklabels()] == ["one", "two"]


@pytest.mark.parametrize("draw", [plotting.load, plotting.bars])
def test_nothing_to_compare_is_an_error(draw: Any) -> None:
    with pytest.raises(ValueError, match="there is n"):
        draw({})
