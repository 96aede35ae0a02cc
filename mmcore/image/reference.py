"""Resize and normalisation in plain NumPy: what the native core computes, to be read and tested against."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mmcore.image.batch import numpy_dtype

WEIGHT_BITS = 22


def bicubic(x: float) -> float:
    """Keys' cubic convolution with a = -1/2 (Keys 1981, equation 4), in Horner form."""
    x = abs(x)
    if x < 1:
        return (1.5 * x - 2.5) * x * x + 1
    if x < 2:
        return (((x - 5) * x + 8) * x - 4) * -0.5
    return 0.0


def bilinear(x: float) -> float:
    """The triangle of radius 1."""
    return max(1 - abs(x), 0.0)


def box(x: float) -> float:
    """1 on (-0.5, 0.5]."""
    return 1.0 if -0.5 < x <= 0.5 else 0.0


def hamming(x: float) -> float:
    """sin(pi x) / (pi x) under Hamming's window, whose two constants have single precision in Pillow."""
    x = abs(x)
    if x == 0 or x >= 1:
        return float(x == 0)
    x *= math.pi
    return math.sin(x) / x * (float(np.float32(0.54)) + float(np.float32(0.46)) * math.cos(x))


def sinc(x: float) -> float:
    """sin(pi x) / (pi x)."""
    return math.sin(x * math.pi) / (x * math.pi) if x else 1.0


def lanczos(x: float) -> float:
    """Three lobes of a sinc under the main lobe of one three times as wide (Duchon 1979)."""
    return sinc(x) * sinc(x / 3) if -3 <= x < 3 else 0.0


FILTERS = {
    "box": (box, 0.5),
    "bilinear": (bilinear, 1.0),
    "hamming": (hamming, 1.0),
    "bicubic": (bicubic, 2.0),
    "lanczos": (lanczos, 3.0),
}


def weight_matrix(in_size: int, begin: float, end: float, out_size: int, method: str) -> np.ndarray:
    """Fixed-point weights int64 [out_size, in_size] of one axis, [begin, end) becoming out_size pixels.

    "nearest" has one weight an output, at floor(begin + (i + 0.5) s), where s is added up step by step. Of the
    others, output i has its centre at begin + (i + 0.5) s, with s the scale; the filter, stretched by max(s, 1), is
    evaluated at the centres of the source pixels, normalised, and rounded (halves away from zero) to 22
    fractional bits.
    """
    start = float(np.float32(begin))
    scale = float(np.float32(end) - np.float32(begin)) / out_size
    matrix = np.zeros((out_size, in_size), np.int64)
    if method == "nearest":
        position = start + 0.5 * scale
        for i in range(out_size):
            matrix[i, int(position)] = 1 << WEIGHT_BITS
            position += scale
        return matrix
    curve, radius = FILTERS[method]
    stretch = max(scale, 1.0)
    for i in range(out_size):
        center = start + (i + 0.5) * scale
        low = int(max(center - radius * stretch + 0.5, 0.0))
        high = min(int(center + radius * stretch + 0.5), in_size)
        weights = [curve((x - center + 0.5) * (1.0 / stretch)) for x in range(low, high)]
        total = 0.0
        for weight in weights:
            total += weight
        for x, weight in zip(range(low, high), weights, strict=True):
            scaled = (weight / total if total else weight) * (1 << WEIGHT_BITS)
            matrix[i, x] = math.trunc(scaled - 0.5 if weight < 0 else scaled + 0.5)
    return matrix


def resample(pixels: np.ndarray, matrix: np.ndarray, axis: int) -> np.ndarray:
    """One pass: clamp((2^21 + sum of weight * pixel) >> 22) along `axis` of uint8 [H, W, C]."""
    sums = np.tensordot(matrix, pixels.astype(np.int64), axes=(1, axis)) + (1 << (WEIGHT_BITS - 1))
    return np.moveaxis(np.clip(sums >> WEIGHT_BITS, 0, 255).astype(np.uint8), 0, axis)


def resize(
    image: np.ndarray, size: tuple[int, int], method: str = "bicubic", *, box: Sequence[float] | None = None
) -> np.ndarray:
    """`mmcore.image.resize` of uint8 [H, W, C]."""
    height, width, channels = image.shape
    left, top, right, bottom = (0, 0, width, height) if box is None else box
    if size == (height, width) and (left, top, right, bottom) == (0, 0, width, height):
        return image.copy()
    if channels in (2, 4) and method != "nearest":
        return unpremultiply(resize_channels(premultiply(image), size, method, (left, top, right, bottom)))
    return resize_channels(image, size, method, (left, top, right, bottom))


def resize_channels(
    image: np.ndarray, size: tuple[int, int], method: str, box: Sequence[float]
) -> np.ndarray:
    """Both passes, the vertical first where the height loses more than twice as many pixels as the width."""
    height, width, _ = image.shape
    left, top, right, bottom = box
    passes = [
        (1, weight_matrix(width, left, right, size[1], method)),
        (0, weight_matrix(height, top, bottom, size[0], method)),
    ]
    if height > size[0] and height - size[0] > 2 * (width - size[1]):
        passes.reverse()
    for axis, matrix in passes:
        image = resample(image, matrix, axis)
    return image


def premultiply(image: np.ndarray) -> np.ndarray:
    """round(colour * alpha / 255), alpha being the last channel."""
    product = image[..., :-1].astype(np.int64) * image[..., -1:] * 2
    colours = (product + 255) // 510
    return np.concatenate([colours.astype(np.uint8), image[..., -1:]], axis=-1)


def unpremultiply(image: np.ndarray) -> np.ndarray:
    """min(255, floor(255 * colour / alpha)); pixels of alpha 0 stay."""
    colours, alpha = image[..., :-1].astype(np.int64), image[..., -1:].astype(np.int64)
    divided = np.minimum(255 * colours // np.maximum(alpha, 1), 255)
    colours = np.where(alpha == 0, colours, divided)
    return np.concatenate([colours.astype(np.uint8), image[..., -1:]], axis=-1)


def normalization_table(mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """Float32 [C, 256]: fma(v, scale, fma(v, scale_low, bias)), in float64 where all products are exact."""
    table = np.empty((len(mean), 256), np.float32)
    v = np.arange(256.0)
    for c in range(len(mean)):
        exact = 1.0 / (255.0 * std[c])
        scale = np.float32(exact)
        scale_low = np.float32(exact - float(scale))
        bias = np.float32(-mean[c] / std[c])
        inner = (v * float(scale_low) + float(bias)).astype(np.float32)
        table[c] = (v * float(scale) + inner.astype(np.float64)).astype(np.float32)
    return table


def resize_normalize(
    image: np.ndarray,
    size: tuple[int, int],
    *,
    box: Sequence[float] | None = None,
    flip: bool = False,
    method: str = "bicubic",
    mean: Sequence[float] = (0, 0, 0),
    std: Sequence[float] = (1, 1, 1),
    layout: str = "NHWC",
    dtype: str = "float32",
) -> np.ndarray:
    """`mmcore.image.resize_normalize` of one image uint8 [H, W, C]: [height, width, C] or [C, height, width]."""
    resized = resize(image, size, method, box=box)
    resized = resized[:, ::-1] if flip else resized
    if dtype != "uint8":
        resized = normalization_table(mean, std)[np.arange(len(mean)), resized].astype(numpy_dtype(dtype))
    return resized if layout == "NHWC" else resized.transpose(2, 0, 1)


def patch_grid(height: int, width: int, patch_size: int, max_patches: int) -> tuple[int, int]:
    """`PatchPreprocessor.grid`: the largest scale between 1e-6 and 100, by halving until 1e-5 is left."""
    low, high = 1e-5 / 10, 100.0

    def along(side: int, scale: float) -> int:
        return max(1, math.ceil(side * scale / patch_size))

    while high - low >= 1e-5:
        middle = (low + high) / 2
        if along(height, middle) * along(width, middle) <= max_patches:
            low = middle
        else:
            high = middle
    return along(height, low), along(width, low)


def patches(
    image: np.ndarray,
    patch_size: int,
    max_patches: int,
    *,
    method: str = "bilinear",
    mean: Sequence[float] = (0.5, 0.5, 0.5),
    std: Sequence[float] = (0.5, 0.5, 0.5),
    dtype: str = "float32",
) -> np.ndarray:
    """`PatchPreprocessor` of one image uint8 [H, W, C]: [max_patches, patch_size * patch_size * C]."""
    rows, columns = patch_grid(image.shape[0], image.shape[1], patch_size, max_patches)
    size = (rows * patch_size, columns * patch_size)
    resized = resize_normalize(image, size, method=method, mean=mean, std=std, dtype=dtype)
    cut = resized.reshape(rows, patch_size, columns, patch_size, -1).swapaxes(1, 2)
    out = np.zeros((max_patches, patch_size * patch_size * image.shape[2]), resized.dtype)
    out[: rows * columns] = cut.reshape(rows * columns, -1)
    return out
