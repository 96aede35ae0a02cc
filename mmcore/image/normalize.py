"""Pixel values to model inputs: (v / 255 - mean) / std."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmcore._load import native


def normalization_table(mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """Float32 [3, 256]: what each 8-bit value becomes in each channel.

    fma(v, scale, fma(v, scale_low, bias)) in float32, with scale + scale_low = 1 / (255 std) and bias = -mean
    / std: within a unit in the last place of the largest term, and the same bits on every processor.

    Raises:
        ValueError: not three numbers each, one is not finite, or a std is not positive.
    """
    if len(mean) != 3 or len(std) != 3:
        raise ValueError(f"mean and std must be three numbers each, got {len(mean)} and {len(std)}")
    return native().image_normalization_table(tuple(map(float, mean)), tuple(map(float, std)))


def normalize(image: np.ndarray, *, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """(image / 255 - mean) / std, each value looked up in `normalization_table`.

    Shapes: uint8 [..., 3] to float32 [..., 3].

    Raises:
        ValueError: image is not uint8 [..., 3], or mean or std are unusable.

    Example:
        >>> normalize(np.array([[0, 255, 0]], np.uint8), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)).tolist()
        [[-1.0, 1.0, -1.0]]
    """
    if image.dtype != np.uint8 or image.ndim == 0 or image.shape[-1] != 3:
        raise ValueError(f"image must be uint8 [..., 3], got {image.dtype} {list(image.shape)}")
    return normalization_table(mean, std)[np.arange(3), image]
