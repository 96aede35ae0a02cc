"""Augmentation inside the graph, over the same core as `mmcore.image.Augmentation`, `mixup` and `cutmix`."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from mmcore import _load


class Augmentation(Protocol):
    """What is asked of an augmentation; `mmcore.image.Augmentation` has it."""

    @property
    def resize(self) -> str: ...
    @property
    def mean(self) -> tuple[float, float, float]: ...
    @property
    def std(self) -> tuple[float, float, float]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def layout(self) -> str: ...

    def height_and_width(self) -> tuple[int, int]: ...
    def shape(self, count: int) -> tuple[int, int, int, int]: ...
    def spec(self) -> bytes: ...
    def __call__(self, images: Any, indices: Any, /, *, seed: int) -> np.ndarray: ...


def augment_images(augmentation: Augmentation, images: tf.Tensor, indices: Any, *, seed: Any) -> tf.Tensor:
    """augmentation(images, indices, seed=seed) for images that are decoded already, bit for bit, in a graph.

    Steps, resize and normalisation in one pass; a batch is shared out over the core's thread pool. The seed
    and the indices are tensors: one saved function serves every epoch. Has no XLA kernel: call it outside
    functions with `jit_compile=True`.

    Shapes:
        images: uint8 [H, W, 3] or [B, H, W, 3]; H and W may be unknown in a graph. Result: as of the
        augmentation, without B for one image.

    Args:
        augmentation: a `mmcore.image.Augmentation`.
        images: one image, or a batch of images of one size.
        indices: int64, a scalar for one image, [B] for a batch; negative numbers stand for theirs modulo
            2^64.
        seed: int64 scalar.

    Raises:
        TypeError: images is not of dtype uint8.
        ValueError: images has a known rank that is neither 3 nor 4, or indices or seed are of another rank.
        tf.errors.InvalidArgumentError: when run; shapes are not as described, or an image has no pixels.
        tf.errors.ResourceExhaustedError: when run; no memory for the result, or more than 1 TiB.

    Example:
        >>> from mmcore import image, ops
        >>> augmentation = image.Augmentation((image.RandomResizedCrop(),), size=4)
        >>> ops.augment_images(augmentation, tf.zeros([2, 9, 6, 3], tf.uint8), [0, 1], seed=5).shape
        TensorShape([2, 4, 4, 3])
    """
    images = _checked(images)
    height, width = augmentation.height_and_width()
    augmented = _load.kernels().mmcore_augment(
        images=images,
        indices=tf.cast(indices, tf.int64),
        seed=tf.cast(seed, tf.int64),
        spec=augmentation.spec(),
        height=height,
        width=width,
        resize=augmentation.resize,
        layout=augmentation.layout,
        mean_std=struct.pack("=6d", *augmentation.mean, *augmentation.std),
        dtype=tf.as_dtype(augmentation.dtype),
    )
    return _with_shape(augmented, images, augmentation)


def reference_augment_images(
    augmentation: Augmentation, images: tf.Tensor, indices: Any, *, seed: Any
) -> tf.Tensor:
    """The twin of `augment_images`: calls the augmentation itself, in Python.

    Shapes, Args and Raises as `augment_images`; needs the interpreter, so that it cannot be saved.
    """
    images = _checked(images)

    def apply(array: np.ndarray, numbers: np.ndarray, key: np.ndarray) -> np.ndarray:
        batch = array if array.ndim == 4 else array[None]
        words = numbers.astype(np.uint64).reshape(-1)
        result = augmentation(list(batch), words, seed=int(key.astype(np.uint64)))
        return result if array.ndim == 4 else result[0]

    arguments = [images, tf.cast(indices, tf.int64), tf.cast(seed, tf.int64)]
    augmented = tf.numpy_function(apply, arguments, tf.as_dtype(augmentation.dtype))
    return _with_shape(augmented, images, augmentation)


def mixup(
    images: tf.Tensor, labels: tf.Tensor, *, seed: Any, step: Any, alpha: float = 0.2
) -> tuple[tf.Tensor, tf.Tensor]:
    """`mmcore.image.mixup`, bit for bit, in a graph.

    Shapes: images float32 [B, H, W, C] and labels float32 [B, K] to the same.

    Args:
        images: normalised.
        labels: shares of classes, such as `tf.one_hot` gives.
        seed: int64 scalar.
        step: int64 scalar, of the training.
        alpha: 0.01 to 100.

    Raises:
        TypeError, ValueError: images or labels have another dtype or rank.
        tf.errors.InvalidArgumentError: when run; shapes do not agree, or alpha is out of bounds.

    Example:
        >>> from mmcore import ops
        >>> ops.mixup(tf.zeros([2, 4, 4, 3]), tf.one_hot([0, 1], 5), seed=0, step=0)[1].shape
        TensorShape([2, 5])
    """
    return _mix("mixup", images, labels, seed, step, alpha)


def cutmix(
    images: tf.Tensor, labels: tf.Tensor, *, seed: Any, step: Any, alpha: float = 1.0
) -> tuple[tf.Tensor, tf.Tensor]:
    """`mmcore.image.cutmix` of float32 images, bit for bit, in a graph. Shapes, Args and Raises as `mixup`."""
    return _mix("cutmix", images, labels, seed, step, alpha)


def reference_mix(
    mix: Callable[..., tuple[np.ndarray, np.ndarray]],
    images: tf.Tensor,
    labels: tf.Tensor,
    *,
    seed: int,
    step: int,
    alpha: float,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The twin of `mixup` and `cutmix`: calls the function of `mmcore.image` that is given, in Python."""

    def apply(pixels: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
        return list(mix(pixels, rows, seed=seed, step=step, alpha=alpha))

    mixed, soft = tf.numpy_function(apply, [images, labels], [tf.float32, tf.float32])
    return mixed, soft


def _mix(
    kind: str, images: tf.Tensor, labels: tf.Tensor, seed: Any, step: Any, alpha: float
) -> tuple[tf.Tensor, tf.Tensor]:
    mixed, soft = _load.kernels().mmcore_mix(
        images=images,
        labels=labels,
        seed=tf.cast(seed, tf.int64),
        step=tf.cast(step, tf.int64),
        kind=kind,
        alpha=struct.pack("=d", alpha),
    )
    return mixed, soft


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


def _with_shape(augmented: tf.Tensor, images: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Sets the static shape: a shape function of the C API sees no integer attribute."""
    if images.shape.rank is not None:
        augmented.set_shape([*images.shape[:-3], *augmentation.shape(0)[1:]])
    return augmented
