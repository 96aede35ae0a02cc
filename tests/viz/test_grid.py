from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mmcore import viz


def test_each_example_shows_its_classes_picture_and_text():
    image = np.full((4, 6, 3), 200, np.uint8)
    figure = viz.wrong_examples(
        [image, None, image],
        ["a $5 thing", "x", None],
        ["cat", "dog", "cow"],
        ["dog", "cat", "cat"],
        [0.91, 0.5, 1.0],
        columns=2,
    )
    panels = figure.axes
    assert len(panels) == 4 and not panels[3].axison
    assert panels[0].get_title() == "true: cat\npredicted: dog 91%"
    assert [axes.get_xlabel() for axes in panels[:3]] == ["a $5 thing", "x", "(no text)"]
    assert panels[1].texts[0].get_text() == "no image"
    np.testing.assert_array_equal(panels[0].images[0].get_array(), image)
    assert panels[0].get_ylim()[0] > panels[0].get_ylim()[1]  # not upside down


def test_long_texts_are_cut_to_three_lines():
    figure = viz.example_grid([None], ["word " * 100], ["h"])
    lines = figure.axes[0].get_xlabel().split("\n")
    assert len(lines) == 3 and max(map(len, lines)) <= 24 and lines[-1].endswith("…")


def test_neighbouring_texts_do_not_overlap():
    count = 8
    figure = viz.example_grid(
        [None] * count,
        ["Wide Women's SUMMER sandals " * 20] * count,
        ["Sports Shoes and Sandals"] * count,
        columns=4,
    )
    FigureCanvasAgg(figure).draw()
    for one in figure.axes:
        for other in figure.axes:
            texts = one.xaxis.label.get_window_extent(), other.title.get_window_extent()
            assert not texts[0].overlaps(texts[1])
    labels = [axes.xaxis.label.get_window_extent() for axes in figure.axes[:4]]
    assert all(left.x1 <= right.x0 for left, right in pairwise(labels))


@pytest.mark.parametrize("arguments", [([], [], []), ([None], ["a", "b"], ["h"])])
def test_mistakes_of_the_caller(arguments):
    with pytest.raises(ValueError, match="as many images, texts and headings"):
        viz.example_grid(*arguments)
