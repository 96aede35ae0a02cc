from __future__ import annotations

import numpy as np

from mmcore import viz


def records(count: int) -> list[dict]:
    return [
        {
            "step": 10 * (n + 1),
            "loss": 2.0 - n / count,
            "accuracy": n / count,
            "learning_rate": 1e-3 * n,
            "examples_per_s": 900.0,
        }
        for n in range(count)
    ] + [{"step": 10 * count, "val_loss": 1.5, "val_accuracy": 0.5}]


def test_four_panels_hold_the_recorded_values():
    panels = viz.curves(records(5)).axes
    assert [axes.get_title() for axes in panels] == [
        "loss",
        "accuracy",
        "learning rate",
        "examples per second",
    ]
    loss, val_loss = panels[0].lines
    assert loss.get_xdata().tolist() == [10, 20, 30, 40, 50]
    np.testing.assert_allclose(loss.get_ydata(), [2.0, 1.8, 1.6, 1.4, 1.2])
    assert (val_loss.get_xdata().tolist(), val_loss.get_ydata().tolist()) == ([50], [1.5])
    assert [text.get_text() for text in panels[0].get_legend().get_texts()] == ["train", "val"]
    assert panels[1].get_ylim()[1] >= 1 and panels[3].get_ylim()[0] == 0


def test_long_noisy_series_get_a_moving_mean_and_the_learning_rate_none():
    panels = viz.curves(records(100)).axes
    raw, smooth = panels[0].lines[:2]
    reach = 4
    expected = [raw.get_ydata()[max(0, n - reach) : n + reach + 1].mean() for n in range(100)]
    np.testing.assert_allclose(smooth.get_ydata(), expected)
    assert len(panels[2].lines) == 1


def test_gaps_and_what_was_not_recorded():
    panels = viz.curves(
        [
            {"step": 1, "loss": None},
            {"step": 2, "loss": float("nan")},
            {"step": 3, "loss": 1.0},
            {"note": "x"},
        ]
    ).axes
    assert panels[0].lines[0].get_xdata().tolist() == [3]
    assert panels[1].texts[0].get_text() == "not recorded"
    assert len(viz.curves([]).axes) == 4
