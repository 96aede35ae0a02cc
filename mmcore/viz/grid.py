"""Examples side by side: picture, heading and text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEADING_LINE, _TEXT_LINE = 28, 24  # characters that fit above and under a picture
_LINES = 3


def example_grid(
    images: Sequence[np.ndarray | None],
    texts: Sequence[str | None],
    headings: Sequence[str],
    *,
    columns: int = 6,
    colour: str = "black",
) -> Figure:
    """Draws examples in rows: a heading, the picture below it, the text below that, cut to three lines.

    Args:
        images: per example uint8 [H, W, 3], or None.
        texts: per example a string, or None.
        headings: per example one or two lines.
        columns: examples in a row.
        colour: of the headings.

    Raises:
        ValueError: not as many images, texts and headings; no example.
    """
    from matplotlib.figure import Figure

    if not len(images) == len(texts) == len(headings) or not len(images):
        raise ValueError(
            "expected as many images, texts and headings, and at least one of each, found "
            f"{len(images)}, {len(texts)} and {len(headings)}"
        )
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(1.9 * columns, 2.75 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, image, text, heading in zip(panels, images, texts, headings, strict=False):
        draw_image(axes, image)
        axes.set_title(_wrapped(heading, _HEADING_LINE), fontsize=8, color=colour, parse_math=False)
        axes.set_xlabel(
            "(no text)" if text is None else _wrapped(text, _TEXT_LINE), fontsize=7.5, parse_math=False
        )
    for axes in panels[len(images) :]:
        axes.set_axis_off()
    return figure


def wrong_examples(
    images: Sequence[np.ndarray | None],
    texts: Sequence[str | None],
    true: Sequence[str],
    predicted: Sequence[str],
    probabilities: Sequence[float] | np.ndarray,
    *,
    columns: int = 6,
) -> Figure:
    """Draws wrongly classified examples, each with its true class, the class given to it and how surely.

    Args:
        images: per example uint8 [H, W, 3], or None.
        texts: per example a string, or None.
        true: names of the true classes.
        predicted: names of the predicted classes.
        probabilities: those of the predicted classes, in [0, 1].
        columns: examples in a row.

    Raises:
        ValueError: the sequences differ in length or are empty.
    """
    triples = zip(true, predicted, probabilities, strict=True)
    headings = [f"true: {label}\npredicted: {guess} {p:.0%}" for label, guess, p in triples]
    return example_grid(images, texts, headings, columns=columns, colour="darkred")


def draw_image(axes: Axes, image: np.ndarray | None) -> None:
    """The picture in a square frame, or a grey field."""
    axes.set_xticks([])
    axes.set_yticks([])
    if image is None:
        image = np.full((1, 1, 3), 235, np.uint8)
        axes.text(
            0.5, 0.5, "no image", ha="center", va="center", transform=axes.transAxes, color="grey", fontsize=8
        )
    height, width = image.shape[:2]
    side = max(height, width)
    axes.imshow(image, interpolation="nearest" if side <= 64 else "antialiased")
    axes.set_xlim((width - side) / 2 - 0.5, (width + side) / 2 - 0.5)
    axes.set_ylim((height + side) / 2 - 0.5, (height - side) / 2 - 0.5)
    axes.spines[:].set_color("lightgrey")


def _wrapped(text: str, width: int) -> str:
    """The text in at most three short lines, each line break kept."""
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, width)]
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], lines[_LINES - 1][: width - 1] + "…"]
    return "\n".join(lines)
