"""In which precision sums, moments and softmaxes run."""

from __future__ import annotations

import tensorflow as tf


def wide_dtype(dtype: tf.DType) -> tf.DType:
    """float64 of float64, else float32: half precision is too coarse for means and softmaxes."""
    return tf.float64 if dtype == tf.float64 else tf.float32


def wide(x: tf.Tensor | tf.Variable) -> tf.Tensor:
    """x in `wide_dtype` of its own."""
    return tf.cast(x, wide_dtype(x.dtype))
