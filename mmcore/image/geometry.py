"""Sizes, windows and orientations: the integer rules between a file's pixels and a model's input."""

from __future__ import annotations

import numpy as np


def shorter_side_size(height: int, width: int, shorter: int) -> tuple[int, int]:
    """The size with a shorter side of `shorter` and a longer side of int(shorter * longer / shorter side).

    Rounding down is the rule of CLIP's and torchvision's Resize, and of Hugging Face's image processors.

    Example:
        >>> shorter_side_size(427, 640, 224)
        (224, 335)
    """
    if width <= height:
        return int(shorter * height / width), shorter
    return shorter, int(shorter * width / height)


def center_window(height: int, width: int, size: int) -> tuple[int, int]:
    """Top and left of the size x size window in the middle: floor((n - size) / 2) on both axes.

    Hugging Face's image processors round so; torchvision's CenterCrop rounds halves to even, one pixel
    further where n - size is 3 modulo 4.

    Raises:
        ValueError: the image is smaller than the window.

    Example:
        >>> center_window(224, 335, 224)
        (0, 55)
    """
    if height < size or width < size:
        raise ValueError(
            f"a centre crop of {size} x {size} does not fit into {height} x {width}; resize to more before it"
        )
    return (height - size) // 2, (width - size) // 2


def apply_orientation(image: np.ndarray, orientation: int) -> np.ndarray:
    """The picture as it should be seen: undoes what EXIF orientation 1 to 8 says about how it is stored.

    Shapes: [H, W, ...] to [H, W, ...], or to [W, H, ...] for orientations 5 to 8. A view where that is
    enough; any other number leaves the image as it is, as image viewers do.

    Source: Exif 2.3 (CIPA DC-008), tag 274.
    """
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return image
