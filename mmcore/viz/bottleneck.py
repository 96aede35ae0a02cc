"""Input, step, and both together as bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def bottleneck(rates: Mapping[str, float], *, unit: str = "images/s") -> Figure:
    """Draws one bar a rate; the dashed line is the slowest of all but the last, which the last cannot pass.

    Args:
        rates: name -> rate, such as `train.BottleneckReport.rates`: input only, step only, both.
        unit: of the rates.

    Raises:
        ValueError: fewer than two rates.

    Example:
        >>> figure = bottleneck({"input only": 410.0, "step only": 1200.0, "both": 398.0})
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['410', '1,200', '398']
    """
    from matplotlib.figure import Figure

    if len(rates) < 2:
        raise ValueError(f"expected at least two rates, found {len(rates)}")
    names, values = list(rates), list(rates.values())
    figure = Figure(figsize=(5.2, 0.6 + 0.45 * len(names)), layout="constrained")
    axes = figure.subplots()
    colours = ["tab:grey"] * (len(names) - 1) + ["tab:blue"]
    bars = axes.barh(names, values, color=colours, height=0.6)
    axes.bar_label(bars, [f"{value:,.0f}" for value in values], padding=3, fontsize=9)
    axes.axvline(min(values[:-1]), color="tab:red", linestyle="--", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.set_xlim(0, 1.15 * max(*values, 1e-9))
    axes.spines[["top", "right"]].set_visible(False)
    return figure
