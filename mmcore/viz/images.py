"""A batch as its model sees it, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mmcore import image
from mmcore.viz.grid import draw_image

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Normalized(Protocol):
    """What is asked of a preprocessor or an augmentation; those of `mmcore.image` have it."""

    @property
    def mean(self) -> tuple[float, float, float]: ...
    @property
    def std(self) -> tuple[float, float, float]: ...


def image_grid(
    batch: Any,
    pre: Normalized,
    *,
    headings: Sequence[str] | None = None,
    columns: int = 8,
) -> Figure:
    """Draws the images of a batch after preprocessing or augmentation; the normalisation is undone.

    Args:
        batch: what `pre` gave, as an array or a tensor: [B, H, W, 3] or [B, 3, H, W], of any of its dtypes; or a
            `image.PatchBatch`, whose images are put together again from their patches.
        pre: the `image.Preprocessor`, `image.Augmentation` or `image.PatchPreprocessor` that made it.
        headings: a line above each image, such as its label; None: its number in the batch.
        columns: images in a row.

    Raises:
        ValueError: the batch has another shape or no image; not as many headings as images; columns < 1.

    Example:
        >>> from mmcore import image
        >>> augment = image.Augmentation((image.RandomResizedCrop(), image.ColorJitter()), size=32)
        >>> photo = np.zeros((50, 60, 3), np.uint8)
        >>> figure = image_grid(augment([photo] * 3, [0, 1, 2], seed=0), augment)
        >>> len(figure.axes)
        3
    """
    from matplotlib.figure import Figure

    pictures = pictures_of(batch, pre)
    headings = [str(i) for i in range(len(pictures))] if headings is None else list(headings)
    if not pictures or len(headings) != len(pictures) or columns < 1:
        raise ValueError(
            f"expected at least one image, as many headings, and at least one column, found {len(pictures)}, "
            f"{len(headings)} and {columns}"
        )
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    figure = Figure(figsize=(1.6 * columns, 1.85 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, picture, heading in zip(panels, pictures, headings, strict=False):
        draw_image(axes, picture)
        axes.set_title(heading, fontsize=8, parse_math=False)
    for axes in panels[len(pictures) :]:
        figure.delaxes(axes)
    return figure


def pictures_of(batch: Any, pre: Normalized) -> list[np.ndarray]:
    """The images of a batch as uint8 [H, W, 3], without their normalisation."""
    shapes = getattr(batch, "shapes", None)
    if shapes is None:
        layout = getattr(pre, "layout", "NHWC")
        return list(image.denormalize(np.asarray(batch), mean=pre.mean, std=pre.std, layout=layout))
    size = round((batch.patches.shape[-1] / 3) ** 0.5)
    pictures = []
    for patches, (rows, columns) in zip(np.asarray(batch.patches), np.asarray(shapes), strict=True):
        grid = patches[: rows * columns].reshape(rows, columns, size, size, 3)
        whole = grid.swapaxes(1, 2).reshape(1, rows * size, columns * size, 3)
        pictures.append(image.denormalize(whole, mean=pre.mean, std=pre.std)[0])
    return pictures
