from __future__ import annotations

import pytest

from mmcore import viz


def test_a_bar_for_each_rate_and_a_line_at_the_slower_one():
    figure = viz.bottleneck({"input only": 410.0, "step only": 1200.0, "both": 398.0})
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [410, 1200, 398]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["input only", "step only", "both"]
    (line,) = axes.lines
    assert set(line.get_xdata()) == {410} and axes.get_xlabel() == "images/s"


def test_one_rate_is_refused():
    with pytest.raises(ValueError, match="at least two rates, found 1"):
        viz.bottleneck({"both": 1.0})
