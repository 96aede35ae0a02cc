"""The course of a training run: loss, accuracy, learning rate and speed over the steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TRAIN, _VAL = "tab:blue", "tab:orange"
# Title, and the series of the panel: key in the records, name in the legend, colour.
_PANELS = (
    ("loss", (("loss", "train", _TRAIN), ("val_loss", "val", _VAL))),
    ("accuracy", (("accuracy", "train", _TRAIN), ("val_accuracy", "val", _VAL))),
    ("learning rate", (("learning_rate", "", _TRAIN),)),
    ("examples per second", (("examples_per_s", "", _TRAIN),)),
)
_EXACT = ("learning_rate",)  # series without noise, never smoothed
_MANY = 40  # points from which on the others are


def curves(records: Iterable[Mapping[str, Any]]) -> Figure:
    """Draws the log of a run: loss, accuracy, learning rate and examples per second.

    Long noisy series are drawn pale, with a moving mean on top that reaches 1/25 of the points to either
    side.

    Args:
        records: those of `metrics.jsonl`; used are "step" and, where a record has them, "loss", "val_loss",
            "accuracy", "val_accuracy", "learning_rate" and "examples_per_s". None is a gap.
    """
    from matplotlib.figure import Figure

    records = list(records)
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True).ravel()
    for axes, (title, series) in zip(panels, _PANELS, strict=True):
        drawn = [
            _draw(axes, *_points(records, key), name, colour, smooth=key not in _EXACT)
            for key, name, colour in series
        ]
        axes.set_title(title, fontsize=11)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        if not any(drawn):
            axes.text(
                0.5, 0.5, "not recorded", ha="center", va="center", transform=axes.transAxes, color="grey"
            )
        elif series[0][1]:
            axes.legend(frameon=False)
    _scale(panels)
    return figure


def _scale(panels: np.ndarray) -> None:
    """Axes that can be read: accuracy ends at 1, rates and speed begin at 0, steps below."""
    _, accuracy, rate, speed = panels
    if accuracy.lines:
        accuracy.set_ylim(top=1.01)
    for axes in (rate, speed):
        if axes.lines:
            axes.set_ylim(bottom=0)
        axes.set_xlabel("step")
    rate.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))


def _points(records: list[Mapping[str, Any]], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and finite values of one series."""
    points = [
        (record["step"], record[key])
        for record in records
        if "step" in record and record.get(key) is not None and math.isfinite(record[key])
    ]
    steps, values = zip(*points, strict=True) if points else ((), ())
    return np.array(steps, float), np.array(values, float)


def _draw(axes: Axes, steps: np.ndarray, values: np.ndarray, name: str, colour: str, *, smooth: bool) -> bool:
    """Draws one series; whether there was anything to draw."""
    if not len(steps):
        return False
    if len(steps) < _MANY or not smooth:
        marker = "o" if len(steps) < _MANY else None
        axes.plot(steps, values, color=colour, label=name, marker=marker, markersize=3, linewidth=1.5)
        return True
    axes.plot(steps, values, color=colour, alpha=0.25, linewidth=0.8)
    axes.plot(steps, _moving_mean(values, len(values) // 25), color=colour, label=name, linewidth=1.6)
    return True


def _moving_mean(values: np.ndarray, reach: int) -> np.ndarray:
    """Mean over the values at most `reach` places away; fewer at the ends."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(len(values))
    first, last = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(values))
    return (total[last] - total[first]) / (last - first)
