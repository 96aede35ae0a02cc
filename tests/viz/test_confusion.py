from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mmcore import viz


def test_counts_stand_in_the_row_of_the_true_class():
    axes = viz.confusion_matrix(np.array([[3, 1, 0], [0, 4, 0], [0, 2, 0]]), ["a", "b", "$c$"]).axes[0]
    counts = {tuple(text.get_position()): text.get_text() for text in axes.texts}
    assert counts == {(0, 0): "3", (1, 0): "1", (1, 1): "4", (1, 2): "2"}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert axes.get_title() == "7 of 10 right (70.0%)"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "$c$"]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.75, 0.25, 0], [0, 1, 0], [0, 1, 0]])


@pytest.mark.parametrize("count", [2, 10, 30])
def test_labels_and_counts_do_not_overlap(count):
    matrix = np.full((count, count), 1) + np.diag(np.full(count, 999))
    figure = viz.confusion_matrix(matrix, [f"Class of things {n}" for n in range(count)])
    FigureCanvasAgg(figure).draw()
    axes = figure.axes[0]
    heights = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(heights))
    diagonal = [text.get_window_extent() for text in axes.texts if text.get_text() == "1000"]
    assert all(left.x1 <= right.x0 for left, right in pairwise(diagonal))
    title, first = axes.title.get_window_extent(), axes.get_window_extent()
    assert title.y0 >= first.y1
    assert all(extent.x0 >= 0 for extent in heights)


def test_long_names_are_cut_and_many_classes_get_no_numbers():
    axes = viz.confusion_matrix(np.eye(45, dtype=int), ["n" * 40] * 45).axes[0]
    assert axes.get_yticklabels()[0].get_text() == "n" * 23 + "…"
    assert not axes.texts


def test_no_examples_and_mistakes():
    assert viz.confusion_matrix(np.zeros((2, 2), int), ["a", "b"]).axes[0].get_title() == "0 of 0 right"
    with pytest.raises(ValueError, match=r"shape \(3, 3\) for 3 names, found \(2, 2\)"):
        viz.confusion_matrix(np.eye(2), ["a", "b", "c"])
