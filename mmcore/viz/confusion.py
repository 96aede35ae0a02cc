"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NUMBERS_UP_TO = 40  # classes up to which the counts are written into the cells
_LONGEST_NAME = 24


def confusion_matrix(matrix: np.ndarray, class_names: Sequence[str]) -> Figure:
    """Draws a confusion matrix: a row for each true class, a column for each predicted one.

    Cells show counts and are coloured by their share of the row.

    Args:
        matrix: int [C, C], matrix[i, j] examples of class i were taken for class j.
        class_names: C names.

    Raises:
        ValueError: the matrix is not square or the names are not as many.
    """
    from matplotlib.figure import Figure

    matrix = np.asarray(matrix)
    count = len(class_names)
    if not count or matrix.shape != (count, count):
        raise ValueError(
            f"expected a matrix of shape ({count}, {count}) for {count} names, found {matrix.shape}"
        )
    totals = matrix.sum(1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    side = float(np.clip(0.42 * count, 3.2, 20))
    font = float(np.clip(20 * side / count, 4, 9))
    figure = Figure(figsize=(side + 2.6, side + 2), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(picture, ax=axes, shrink=0.7, label="share of the true class")
    _name_axes(axes, [_short(name) for name in class_names], font)
    correct, total = int(np.trace(matrix)), int(matrix.sum())
    axes.set_title(
        f"{correct} of {total} right" + (f" ({correct / total:.1%})" if total else ""), fontsize=11
    )
    if count <= _NUMBERS_UP_TO:
        _write_counts(axes, matrix, shares, font)
    return figure


def _name_axes(axes: Axes, names: list[str], font: float) -> None:
    axes.set_xticks(range(len(names)), names, fontsize=font, parse_math=False)
    for label in axes.get_xticklabels():
        label.set(rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names, fontsize=font, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")


def _write_counts(axes: Axes, matrix: np.ndarray, shares: np.ndarray, font: float) -> None:
    """Writes every count that is not 0 into its cell, white on dark cells."""
    for row, column in zip(*np.nonzero(matrix), strict=True):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(
            column, row, str(matrix[row, column]), ha="center", va="center", fontsize=font, color=colour
        )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
