"""Pictures of traffic say what the figures say."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from wavetank import plotting_traffic as draw


def test_shares_have_a_panel_per_case_and_a_bar_per_endpoint() -> None:
    figure = draw.shares({"few": [1, 3], "many": [100, 100, 100]})
    few, many = figure.axes
    bars = [
        [bar.get_height() for bar in axis.patches if hasattr(bar, "get_x")] for axis in (few, many)
    ]
    assert bars[0][-2:] == [0.25, 0.75]
    assert bars[1][-3:] == [pytest.approx(1 / 3)] * 3
    assert "from 1 to 3 each" in few.texts[0].get_text()


def test_stacked_bars_add_up() -> None:
    figure = draw.stacked({"kept": {"a": 5, "b": 3}, "new": {"b": 2, "c": 1}}, title="t")
    (axis,) = figure.axes
    assert [text.get_text().strip() for text in axis.texts] == ["5", "5", "1"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b", "c"]


def test_a_matrix_says_how_much_crosses() -> None:
    figure = draw.between({"any": np.array([[1.0, 1.0], [1.0, 1.0]])}, ["a", "b"])
    assert "50% cross zones" in figure.axes[0].get_title(loc="left")


def test_nothing_is_refused() -> None:
    for function, given in ((draw.shares, {}), (draw.stacked, {}), (draw.between, {})):
        with pytest.raises(ValueError, match="nothing to draw"):
            function(given, []) if function is draw.between else function(given)  # type: ignore[operator]
