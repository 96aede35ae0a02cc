"""Sizes that are Python numbers where they are known and tensors where they are not."""

from __future__ import annotations

import tensorflow as tf


def sizes(x: tf.Tensor) -> list[int | tf.Tensor]:
    """The size of each axis: an int where static (XLA needs those), else a scalar tensor."""
    static = x.shape.as_list()
    if None not in static:
        return static
    dynamic = tf.shape(x)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(static)]
