"""Random crops and flips for training: drawn here, applied by `resize_normalize` together with the resize."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

_ATTEMPTS = 10


def random_resized_crop_boxes(
    sizes: Sequence[tuple[int, int]],
    rng: np.random.Generator,
    *,
    scale: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
) -> np.ndarray:
    """One random box for each image: a share of its area in `scale`, width / height in `ratio`.

    The share is uniform, the ratio log-uniform, sides are rounded to whole pixels, and the place is uniform
    among those that fit. After ten draws that do not fit, the largest centred box whose ratio is within
    bounds.

    Shapes: float32 [B, 4] of (left, top, right, bottom).

    Args:
        sizes: (height, width) of each image.
        rng: the same generator state gives the same boxes.
        scale: bounds of the share of the area.
        ratio: bounds of width / height.

    Raises:
        ValueError: bounds that are not positive and ordered, or an image without pixels.

    Source: Szegedy et al., Going Deeper with Convolutions, 2015, arXiv:1409.4842, section 6 (8 % to 100 % of
    the area, ratio 3/4 to 4/3); the fall-back is torchvision's RandomResizedCrop.
    """
    for name, (low, high) in (("scale", scale), ("ratio", ratio)):
        if not 0 < low <= high:
            raise ValueError(f"{name} must be (low, high) with 0 < low <= high, got ({low}, {high})")
    boxes = [_random_box(height, width, rng, scale, ratio) for height, width in sizes]
    return np.array(boxes, np.float32).reshape(-1, 4)


def _random_box(
    height: int, width: int, rng: np.random.Generator, scale: tuple[float, float], ratio: tuple[float, float]
) -> tuple[int, int, int, int]:
    if height < 1 or width < 1:
        raise ValueError(f"an image to be cropped must have pixels, got {height} x {width}")
    areas = rng.uniform(*scale, _ATTEMPTS) * (height * width)
    ratios = np.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1]), _ATTEMPTS))
    for area, aspect in zip(areas, ratios, strict=True):
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
            return left, top, left + w, top + h
    w = max(1, min(width, round(height * ratio[1])))
    h = max(1, min(height, round(width / ratio[0])))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h


def random_flips(count: int, rng: np.random.Generator, *, rate: float = 0.5) -> np.ndarray:
    """Whether to mirror each image left to right: bool [count], each True with probability `rate`.

    Raises:
        ValueError: rate is outside [0, 1].
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must be in [0, 1], got {rate}")
    return rng.random(count) < rate
