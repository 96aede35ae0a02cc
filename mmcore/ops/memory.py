"""Memory of NumPy as tensors."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def as_tensor(array: np.ndarray) -> tf.Tensor:
    """The tensor of `array`, over the same memory where its first byte lies at a multiple of 64, else a copy.

    Batches that `mmcore.image` makes lie so. TensorFlow itself copies arrays in `tf.convert_to_tensor`, in
    `tf.constant`, and where they are passed to a `tf.function`. The tensor keeps the memory alive. Tensors do not
    change, and TensorFlow counts on it: do not write to the array while the tensor is in use.

    Shapes: any; the tensor has the array's shape and dtype and lies on the CPU.

    Args:
        array: C-contiguous, or it is copied.

    Raises:
        RuntimeError: called inside a `tf.function`, where it would become a constant of the graph.

    Example:
        >>> from mmcore import image, ops
        >>> batch = image.resize_normalize([np.zeros((5, 7, 3), np.uint8)], 4)
        >>> ops.as_tensor(batch).shape
        TensorShape([1, 4, 4, 3])
    """
    if not tf.executing_eagerly():
        raise RuntimeError(
            "as_tensor was called inside a tf.function, which would keep the array as a constant; call it "
            "outside and pass the tensor"
        )
    with tf.device("CPU:0"):
        # A raw op takes the array as it is; the functions around it convert, that is copy, first (2.18 to 2.21).
        return tf.raw_ops.Identity(input=np.ascontiguousarray(array))
