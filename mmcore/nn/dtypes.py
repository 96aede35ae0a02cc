"""In which precision sums and softmaxes run."""

from __future__ import annotations

import tensorflow as tf


def wide(x: tf.Tensor | tf.Variable) -> tf.Tensor:
    """x in float32, or as it is if it is float64: half precision is too coarse for means and softmaxes."""
    return tf.cast(x, tf.float64 if x.dtype == tf.float64 else tf.float32)
