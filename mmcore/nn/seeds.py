"""Stateless seeds: int32 [2] tensors that are derived and passed on, never kept.

All randomness of a forward pass is a function of one such seed, so the same seed gives the same result in a
graph, under XLA and after a restart.
"""

from __future__ import annotations

import tensorflow as tf

_INT32 = tf.int32


def fold(seed: tf.Tensor, data: int | tf.Tensor) -> tf.Tensor:
    """A seed that depends on `seed` and a number: one for each step, layer or replica.

    Shapes:
        seed: int32 [2]; data: integer scalar; result: int32 [2].
    """
    return tf.random.fold_in(tf.cast(seed, _INT32), tf.cast(data, _INT32))


def split(seed: tf.Tensor, num: int) -> list[tf.Tensor]:
    """`num` independent seeds from one.

    Shapes:
        seed: int32 [2]; result: `num` tensors int32 [2].
    """
    return tf.unstack(tf.random.split(tf.cast(seed, _INT32), num), num=num)


def fresh() -> tf.Tensor:
    """A new seed from TensorFlow's global generator, int32 [2]: for calls that need not be repeatable."""
    return tf.random.uniform([2], minval=_INT32.min, maxval=_INT32.max, dtype=_INT32)
