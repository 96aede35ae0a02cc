"""Dropout of single values and of whole residual branches."""

from __future__ import annotations

import tensorflow as tf

from mmcore.nn.seeds import fresh


class Dropout(tf.Module):
    """In training, zeroes each value with probability `rate` and scales the others by 1 / (1 - rate).

    Shapes:
        x: float [...]; seed: int32 [2] or None (then a fresh one: not repeatable); result: x's shape and
        dtype.

    Args:
        rate: probability of zero, in [0, 1).

    Raises:
        ValueError: a rate outside [0, 1).

    Source: Srivastava et al. 2014, JMLR 15, section 4; inverted scaling.

    Example:
        >>> from mmcore import nn
        >>> nn.Dropout(0.5)(tf.ones([2])).numpy().tolist()
        [1.0, 1.0]
    """

    def __init__(self, rate: float):
        super().__init__()
        self.rate = checked_rate(rate)

    def __call__(self, x: tf.Tensor, *, training: bool = False, seed: tf.Tensor | None = None) -> tf.Tensor:
        return drop(x, tf.shape(x), self.rate, seed) if training and self.rate else x


class StochasticDepth(tf.Module):
    """In training, zeroes whole examples of a residual branch with probability `rate` and scales the others.

    Shapes:
        x: float [B, ...]; seed: int32 [2] or None (then a fresh one: not repeatable); result: x's shape and
        dtype.

    Args:
        rate: probability of zero, in [0, 1).

    Raises:
        ValueError: a rate outside [0, 1).

    Source: Huang et al. 2016, arXiv:1603.09382, section 3; here for each example, and scaled in training.
    """

    def __init__(self, rate: float):
        super().__init__()
        self.rate = checked_rate(rate)

    def __call__(self, x: tf.Tensor, *, training: bool = False, seed: tf.Tensor | None = None) -> tf.Tensor:
        if not training or not self.rate:
            return x
        ones = tf.ones([x.shape.rank - 1], tf.int32)
        return drop(x, tf.concat([tf.shape(x)[:1], ones], axis=0), self.rate, seed)


def drop(x: tf.Tensor, noise_shape: tf.Tensor, rate: float, seed: tf.Tensor | None) -> tf.Tensor:
    """where(uniform(noise_shape) >= rate, x / (1 - rate), 0)."""
    uniform = tf.random.stateless_uniform(noise_shape, seed=fresh() if seed is None else seed)
    return tf.where(uniform >= rate, x * tf.cast(1.0 / (1.0 - rate), x.dtype), tf.zeros([], x.dtype))


def checked_rate(rate: float) -> float:
    """The rate, if it is a probability below one."""
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"expected a rate in [0, 1), found {rate}")
    return rate
