"""Decoded images to model inputs, as a graph op over the same core as `mmcore.image`."""

from __future__ import annotations

import struct
from typing import Any, Protocol

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
    def mean(self) -> tuple[float, float, float]: ...
    @property
    def std(self) -> tuple[float, float, float]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def shorter(self) -> int | None: ...

    def __call__(self, images: Any, /) -> np.ndarray: ...


def resize_normalize(pre: Preprocessor, images: tf.Tensor) -> tf.Tensor:
    """pre(images) for images that are decoded already, bit for bit, in a graph.

    Resize, crop and normalisation in one pass over each image. A batch is shared out over the core's thread
    pool (`mmcore.set_num_threads`); single images in `tf.data` want `map(..., num_parallel_calls=...)`.
    Has no XLA kernel: call it outside functions with `jit_compile=True`.

    Shapes:
        images: uint8 [H, W, 3] or [B, H, W, 3]; H and W may be unknown in a graph. Result: `pre.dtype`
        (float32 unless it says uint8) [size, size, 3] or [B, size, size, 3].

    Args:
        pre: a `mmcore.image.Preprocessor`.
        images: one image, or a batch of images of one size.

    Raises:
        TypeError: images is not of dtype uint8.
        ValueError: images has a known rank that is neither 3 nor 4.
        tf.errors.InvalidArgumentError: when run; the rank is neither 3 nor 4, there are not 3 channels, an
            image has no pixels, or it has more than 2^24 rows or columns before or after the resize.
        tf.errors.ResourceExhaustedError: when run; no memory for the result, or more than 1 TiB.

    Example:
        >>> from mmcore import image, ops
        >>> pre = image.Preprocessor(size=4)
        >>> ops.resize_normalize(pre, tf.zeros([2, 9, 6, 3], tf.uint8)).shape
        TensorShape([2, 4, 4, 3])
    """
    images = _checked(images)
    resized = _load.kernels().mmcore_resize_normalize(
        images=images,
        size=pre.size,
        shorter=pre.shorter or pre.size,
        crop=pre.crop or "none",
        resize=pre.resize,
        mean_std=struct.pack("=6d", *pre.mean, *pre.std),
        dtype=tf.as_dtype(pre.dtype),
    )
    return _with_size(resized, images, pre.size)


def reference_resize_normalize(pre: Preprocessor, images: tf.Tensor) -> tf.Tensor:
    """The twin of `resize_normalize`: calls `pre` itself, in Python, for all images as one list.

    Shapes, Args and Raises as `resize_normalize`; needs the interpreter, so that it cannot be saved.
    """
    images = _checked(images)

    def apply(array: np.ndarray) -> np.ndarray:
        return pre(list(array)) if array.ndim == 4 else pre([array])[0]

    resized = tf.numpy_function(apply, [images], tf.as_dtype(pre.dtype))
    return _with_size(resized, images, pre.size)


def _checked(images: Any) -> tf.Tensor:
    """The images as a uint8 tensor of a rank that may be right."""
    images = tf.convert_to_tensor(images)
    if images.dtype != tf.uint8:
        raise TypeError(
            f"expected images of dtype uint8, 0 to 255, found {images.dtype.name}; decode with "
            "tf.io.decode_image(..., expand_animations=False), or cast them"
        )
    if images.shape.rank not in (None, 3, 4):
        raise ValueError(f"expected images [H, W, 3] or [B, H, W, 3], found {images.shape}")
    return images


def _with_size(resized: tf.Tensor, images: tf.Tensor, size: int) -> tf.Tensor:
    """Sets the static shape: a shape function of the C API sees no integer attribute."""
    if images.shape.rank is not None:
        resized.set_shape([*images.shape[:-3], size, size, 3])
    return resized
