"""Dropout of single values and of whole residual branches."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from mmcore.nn.seeds import bits, fresh
from mmcore.nn.shapes import sizes


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
        return _drop(x, sizes(x), self.rate, seed) if training and self.rate else x


class StochasticDepth(tf.Module):
    """In training, zeroes whole examples of a residual branch with probability `rate` and scales the others.

    Of packed rows it zeroes segments.

    Shapes:
        x: float [B, ...]; segment_ids: integer [B, T] for x [B, T, ...], or None; seed: int32 [2] or None
        (then a fresh one: not repeatable); result: x's shape and dtype.

    Args:
        rate: probability of zero, in [0, 1).

    Raises:
        ValueError: a rate outside [0, 1).

    Source: Huang et al. 2016, arXiv:1603.09382, section 3; here for each example, and scaled in training.
    """

    def __init__(self, rate: float):
        super().__init__()
        self.rate = checked_rate(rate)

    def __call__(
        self,
        x: tf.Tensor,
        *,
        segment_ids: tf.Tensor | None = None,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        if not training or not self.rate:
            return x
        single = [1] * (x.shape.rank - 1)
        if segment_ids is None:
            return _drop(x, [sizes(x)[0], *single], self.rate, seed)
        rows, length = sizes(segment_ids)
        keep = tf.gather(_keep([rows, length + 1], self.rate, seed), segment_ids, batch_dims=1)
        return _kept(x, tf.reshape(keep, [rows, length, *single[1:]]), self.rate)


def _drop(x: tf.Tensor, shape: Sequence[int | tf.Tensor], rate: float, seed: tf.Tensor | None) -> tf.Tensor:
    return _kept(x, _keep(shape, rate, seed), rate)


def _keep(shape: Sequence[int | tf.Tensor], rate: float, seed: tf.Tensor | None) -> tf.Tensor:
    """Where words of this shape are at least rate * 2^32."""
    return bits(fresh() if seed is None else seed, shape) >= tf.constant(int(rate * 2**32), tf.uint32)


def _kept(x: tf.Tensor, keep: tf.Tensor, rate: float) -> tf.Tensor:
    return tf.where(keep, x * tf.cast(1.0 / (1.0 - rate), x.dtype), tf.zeros([], x.dtype))


def checked_rate(rate: float) -> float:
    """The rate, if it is a probability below one."""
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"expected a rate in [0, 1), found {rate}")
    return rate
