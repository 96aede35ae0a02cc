"""Pixel values to model inputs: (v / 255 - mean) / std."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mmcore._load import native
from mmcore.image.batch import LAYOUTS

if TYPE_CHECKING:
    from mmcore._native import ImageNormalization


@functools.lru_cache(maxsize=64)
def normalization_for(mean: tuple[float, ...], std: tuple[float, ...]) -> ImageNormalization:
    """The core's normalisation; kept, since its tables cost as much as resizing a small image.

    Raises:
        ValueError: not one or three numbers each, one is not finite, or a std is not positive.
    """
    return native().ImageNormalization(mean, std)


def normalization_table(mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """Float32 [C, 256]: what each 8-bit value becomes in each channel.

    fma(v, scale, fma(v, scale_low, bias)) in float32, with scale + scale_low = 1 / (255 std) and bias = -mean
    / std: within a unit in the last place of the largest term, and the same bits on every processor.

    Args:
        mean: one number for each channel; one or three channels.
        std: as many.

    Raises:
        ValueError: not one or three numbers each, one is not finite, or a std is not positive.
    """
    return normalization_for(tuple(map(float, mean)), tuple(map(float, std))).table()


def normalize(image: np.ndarray, *, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """(image / 255 - mean) / std, each value looked up in `normalization_table`.

    Shapes: uint8 [..., C] to float32 [..., C], C being three or one.

    Raises:
        ValueError: image is not uint8 [..., C], or mean or std are unusable.

    Example:
        >>> normalize(np.array([[0, 255, 0]], np.uint8), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)).tolist()
        [[-1.0, 1.0, -1.0]]
    """
    table = normalization_table(mean, std)
    channels = len(table)
    if image.dtype != np.uint8 or image.ndim == 0 or image.shape[-1] != channels:
        raise ValueError(f"image must be uint8 [..., {channels}], got {image.dtype} {list(image.shape)}")
    return table[np.arange(channels), image]


def denormalize(
    batch: np.ndarray, *, mean: Sequence[float], std: Sequence[float], layout: str = "NHWC"
) -> np.ndarray:
    """round(255 (x std + mean)), clipped to 0 to 255: the picture that became a normalised batch.

    Shapes: [B, H, W, C], or [B, C, H, W] for "NCHW", of any float dtype to uint8 [B, H, W, C]; a uint8 batch, which no
    preprocessor normalises, is only laid out anew. NaN becomes 0.

    Raises:
        ValueError: the batch has not four axes and len(mean) channels, or layout is neither.

    Example:
        >>> batch = np.array([[[[-1.0, 0.0, 1.0]]]], np.float32)
        >>> denormalize(batch, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)).tolist()
        [[[[0, 128, 255]]]]
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {layout!r}")
    batch = np.asarray(batch)
    channels = batch.shape[1 if layout == "NCHW" else -1] if batch.ndim == 4 else 0
    if channels != len(mean) or len(std) != len(mean):
        axes = f"[B, {len(mean)}, H, W]" if layout == "NCHW" else f"[B, H, W, {len(mean)}]"
        raise ValueError(f"batch must be {axes}, got {list(batch.shape)}")
    batch = batch.transpose(0, 2, 3, 1) if layout == "NCHW" else batch
    if batch.dtype == np.uint8:
        return batch
    values = 255 * (batch.astype(np.float64) * np.asarray(std) + np.asarray(mean))
    return np.clip(np.nan_to_num(np.floor(values + 0.5), posinf=255), 0, 255).astype(np.uint8)
