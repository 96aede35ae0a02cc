"""Antialiased resize equal to Pillow's, and the fused resize, crop, flip and normalisation of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmcore._load import native
from mmcore.image.batch import DTYPES, batch_shape, empty_batch
from mmcore.image.normalize import normalization_for

METHODS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
Box = Sequence[float]


def resize(
    image: np.ndarray, size: tuple[int, int], method: str = "bicubic", *, box: Box | None = None
) -> np.ndarray:
    """The same bytes as Pillow's `Image.resize`: antialiased, separable, each pass rounded to 8 bits.

    Output i of n has its centre at c = (i + 0.5) s in source pixels, s = source length / n; source pixels are
    weighted by the filter stretched by max(s, 1), the weights sum to 1 and have 22 fractional bits. "nearest"
    takes the pixel at floor(c). Two or four channels end in alpha: colours are premultiplied for the resize,
    as Pillow does, but for "nearest".

    The order of the two passes is that of Pillow 13: horizontal first, unless the height loses more than
    twice as many pixels as the width. Older Pillow always begins with the horizontal pass.

    Shapes: uint8 [H, W, C] (C 1 to 4) or [H, W] to uint8 [height, width, C] or [height, width].

    Args:
        image: rows of interleaved channels.
        size: (height, width) of the result.
        method: "nearest", "box", "bilinear", "hamming", "bicubic" (a = -1/2) or "lanczos" (three lobes).
        box: (left, top, right, bottom), the part to be resized, in pixels and single precision; pixels around
            it still contribute near its border.

    Raises:
        ValueError: image is not uint8 or not of these shapes, size is not positive, the method is unknown, or
            the box is empty or leaves the image.

    Example:
        >>> resize(np.array([[0, 100], [100, 200]], np.uint8), (1, 1)).tolist()
        [[100]]

    Source: Keys, Cubic convolution interpolation for digital image processing, 1981, equation 4; Duchon,
    Lanczos filtering in one and two dimensions, 1979; Pillow, Concepts: Filters.
    """
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim not in (2, 3):
        raise ValueError(f"image must be uint8 [H, W, C] or [H, W], got {image.dtype} {list(image.shape)}")
    height, width = _size(size)
    cube = np.ascontiguousarray(image if image.ndim == 3 else image[:, :, None])
    bounds = None if box is None else _box(box)
    resized = native().image_resize(cube, height, width, method, bounds)
    return resized if image.ndim == 3 else resized[:, :, 0]


def resize_normalize(
    images: Sequence[np.ndarray],
    size: int | tuple[int, int],
    *,
    boxes: Sequence[Box] | None = None,
    flips: Sequence[bool] | None = None,
    method: str = "bicubic",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    layout: str = "NHWC",
    dtype: str | None = None,
    threads: int | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Images of any sizes as one array: the part in each box, resized, flipped, normalised.

    Bit-equal to `normalize(resize(image, size, method, box=box)[:, ::-1 if flip else 1], mean=mean, std=std)`
    for each image, in one native call without the GIL, threads over images, one pass over the result. The
    16-bit dtypes are those float32 numbers rounded to nearest, ties to even; "uint8" is resized and not
    normalised.

    Shapes: B images uint8 [H, W, C] to [B, height, width, C], or [B, C, height, width] for "NCHW"; C is 3 or
    1, the same for all; grey images may be [H, W].

    Args:
        images: each with its own size.
        size: of the result; one number is a square.
        boxes: (left, top, right, bottom) for each image; None: the whole images.
        flips: whether to mirror each image left to right; None: none.
        method: as in `resize`.
        mean: a number for each channel; None: zeros.
        std: a number for each channel; None: ones.
        layout: "NHWC" or "NCHW".
        dtype: "float32", "uint8", "bfloat16" (needs ml_dtypes) or "float16"; None: that of `out`, else
            "float32".
        threads: None: the process-wide pool; 1: the calling thread.
        out: C-contiguous array to write into, of that dtype; None: a new one from `empty_batch`.

    Raises:
        ValueError: an image, box, size, mean, std, layout, dtype or out is not as described; images are named
            by their position.
        EnvError: bfloat16 without ml_dtypes.

    Example:
        >>> images = [np.zeros((5, 7, 3), np.uint8), np.full((9, 4, 3), 255, np.uint8)]
        >>> resize_normalize(images, 2)[:, 0, 0, 0].tolist()
        [0.0, 1.0]
    """
    height, width = _size(size)
    channels = _channels(images, mean, std)
    images = [check_image(image, i, channels) for i, image in enumerate(images)]
    boxes = [(0, 0, image.shape[1], image.shape[0]) for image in images] if boxes is None else boxes
    windows = [(height, width, 0, 0)] * len(images)
    return resize_windows(
        images,
        (height, width),
        windows,
        boxes=boxes,
        flips=flips,
        method=method,
        mean=(0.0,) * channels if mean is None else mean,
        std=(1.0,) * channels if std is None else std,
        layout=layout,
        dtype=dtype,
        threads=threads,
        out=out,
    )


def resize_windows(
    images: Sequence[np.ndarray],
    size: tuple[int, int],
    windows: Sequence[tuple[int, int, int, int]],
    *,
    boxes: Sequence[Box],
    mean: Sequence[float],
    std: Sequence[float],
    flips: Sequence[bool] | None = None,
    method: str = "bicubic",
    layout: str = "NHWC",
    dtype: str | None = None,
    threads: int | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """`resize_normalize` of a window: (full height, full width, top, left) for each image.

    Each box is resized to full height x full width, of which only the window of `size` at (top, left) is
    computed. The images are contiguous, uint8 [H, W, C] with C = len(mean).
    """
    flips = [False] * len(images) if flips is None else [bool(flip) for flip in flips]
    normalization = normalization_for(tuple(mean), tuple(std))
    shape = batch_shape(len(images), size, normalization.channels, layout)
    if out is None:
        out = empty_batch(shape, dtype or "float32")
    elif out.shape != shape or out.dtype.name not in ((dtype,) if dtype else DTYPES):
        wanted = dtype or " or ".join(DTYPES)
        raise ValueError(f"out must be {wanted} {list(shape)}, got {out.dtype.name} {list(out.shape)}")
    native().image_resize_batch(
        list(images),
        [_box(box) for box in boxes],
        list(windows),
        flips,
        method,
        normalization,
        layout,
        out.dtype.name,
        check_threads(threads),
        out,
    )
    return out


def check_image(image: np.ndarray, index: int, channels: int = 3) -> np.ndarray:
    """The image as contiguous uint8 [H, W, channels]. Raises ValueError where it is none."""
    image = np.asarray(image)
    if channels == 1 and image.ndim == 2:
        image = image[:, :, None]
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != channels:
        raise ValueError(
            f"image {index} must be uint8 [H, W, {channels}], got {image.dtype} {list(image.shape)}; "
            f"convert it to 8-bit {'RGB' if channels == 3 else 'grey'} first"
        )
    return np.ascontiguousarray(image)


def check_threads(threads: int | None) -> int:
    """What the core calls it: 0 for the whole pool. Raises ValueError below 1."""
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be None (the process-wide pool) or at least 1, got {threads}")
    return threads or 0


def _size(size: int | tuple[int, int]) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, (int, np.integer)) else size
    if height < 1 or width < 1:
        raise ValueError(f"size must be positive (height, width), got ({height}, {width})")
    return int(height), int(width)


def _box(box: Box) -> tuple[float, ...]:
    if len(box) != 4:
        raise ValueError(f"a box must be (left, top, right, bottom), got {len(box)} numbers")
    return tuple(map(float, box))


def _channels(images: Sequence[np.ndarray], mean: Sequence[float] | None, std: Sequence[float] | None) -> int:
    """How many channels a batch has: as many as mean or std, else as its first image."""
    for name, values in (("mean", mean), ("std", std)):
        if values is not None and len(values) not in (1, 3):
            raise ValueError(f"{name} must be three numbers, or one for grey images, got {len(values)}")
        if values is not None:
            return len(values)
    first = np.shape(images[0]) if len(images) else (0, 0, 3)
    return 1 if len(first) == 2 or first[-1:] == (1,) else 3
