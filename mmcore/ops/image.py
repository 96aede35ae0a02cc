"""Decoded images to model inputs, as a graph op over the same core as `mmcore.image`."""

from __future__ import annotations

import dataclasses
import struct
from typing import Any, Protocol, cast

import numpy as np
import tensorflow as tf

from mmcore import _load


class Preprocessor(Protocol):
    """What is asked of a preprocessor; `mmcore.image.Preprocessor` has it."""

    @property
    def size(self) -> int: ...
    @property
    def resize(self) -> str: ...
    @property
    def crop(self) -> str | None: ...
    @property
    def mean(self) -> tuple[float, ...]: ...
    @property
    def std(self) -> tuple[float, ...]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def layout(self) -> str: ...
    @property
    def shorter(self) -> int | None: ...

    def __call__(self, images: Any, /) -> np.ndarray: ...


def resize_normalize(
    pre: Preprocessor, images: tf.Tensor, *, layout: str | None = None, dtype: str | None = None
) -> tf.Tensor:
    """pre(images) for images that are decoded already, bit for bit, in a graph.

    Resize, crop and normalisation in one pass over each image. A batch is shared out over the core's thread
    pool (`mmcore.set_num_threads`); single images in `tf.data` want `map(..., num_parallel_calls=...)`.
    Has no XLA kernel: call it outside functions with `jit_compile=True`.

    Shapes:
        images: uint8 [H, W, C] or [B, H, W, C], C being as many as pre.mean has numbers, three or one; H and
        W may be unknown in a graph. Result: [size, size, C] or [B, size, size, C]; for "NCHW" [C, size, size] or
        [B, C, size, size].

    Args:
        pre: a `mmcore.image.Preprocessor`.
        images: one image, or a batch of images of one size.
        layout: "NHWC" or "NCHW"; None: pre.layout.
        dtype: "float32", "bfloat16", "float16" or "uint8" (resized and not normalised); None: pre.dtype.

    Raises:
        TypeError: images is not of dtype uint8.
        ValueError: images has a known rank that is neither 3 nor 4; layout or dtype is none of these.
        tf.errors.InvalidArgumentError: when run; the rank is neither 3 nor 4, there are not C channels, an
            image has no pixels, or it has more than 2^24 rows or columns before or after the resize.
        tf.errors.ResourceExhaustedError: when run; no memory for the result, or more than 1 TiB.

    Example:
        >>> from mmcore import image, ops
        >>> pre = image.Preprocessor(size=4)
        >>> ops.resize_normalize(pre, tf.zeros([2, 9, 6, 3], tf.uint8)).shape
        TensorShape([2, 4, 4, 3])
    """
    images = _checked(images)
    layout = _layout(layout or pre.layout)
    channels = len(pre.mean)
    resized = _load.kernels().mmcore_resize_normalize(
        images=images,
        size=pre.size,
        shorter=pre.shorter or pre.size,
        crop=pre.crop or "none",
        resize=pre.resize,
        mean_std=struct.pack(f"={2 * channels}d", *pre.mean, *pre.std),
        layout=layout,
        dtype=_dtype(dtype or pre.dtype),
    )
    return _with_size(resized, images, pre.size, channels, layout)


def reference_resize_normalize(
    pre: Preprocessor, images: tf.Tensor, *, layout: str | None = None, dtype: str | None = None
) -> tf.Tensor:
    """The twin of `resize_normalize`: calls `pre` itself, in Python, for all images as one list.

    Shapes, Args and Raises as `resize_normalize`; needs the interpreter, so that it cannot be saved.
    """
    images = _checked(images)
    layout, kind = _layout(layout or pre.layout), _dtype(dtype or pre.dtype)
    same: Any = dataclasses.replace(cast(Any, pre), layout=layout, dtype=kind.name)

    def apply(array: np.ndarray) -> np.ndarray:
        return same(list(array)) if array.ndim == 4 else same([array])[0]

    return _with_size(tf.numpy_function(apply, [images], kind), images, pre.size, len(pre.mean), layout)


def _layout(layout: str) -> str:
    if layout not in ("NHWC", "NCHW"):
        raise ValueError(f"layout must be 'NHWC' or 'NCHW', got {layout!r}")
    return layout


def _dtype(dtype: str) -> tf.DType:
    if dtype not in ("float32", "uint8", "bfloat16", "float16"):
        raise ValueError(f"dtype must be 'float32', 'uint8', 'bfloat16' or 'float16', got {dtype!r}")
    return tf.as_dtype(dtype)


def _checked(images: Any) -> tf.Tensor:
    """The images as a uint8 tensor of a rank that may be right."""
    images = tf.convert_to_tensor(images)
    if images.dtype != tf.uint8:
        raise TypeError(
            f"expected images of dtype uint8, 0 to 255, found {images.dtype.name}; decode with "
            "tf.io.decode_image(..., expand_animations=False), or cast them"
        )
    if images.shape.rank not in (None, 3, 4):
        raise ValueError(f"expected images [H, W, C] or [B, H, W, C], found {images.shape}")
    return images


def _with_size(resized: tf.Tensor, images: tf.Tensor, size: int, channels: int, layout: str) -> tf.Tensor:
    """Sets the static shape: a shape function of the C API sees no integer attribute."""
    if images.shape.rank is not None:
        image = [size, size, channels] if layout == "NHWC" else [channels, size, size]
        resized.set_shape([*images.shape[:-3], *image])
    return resized
