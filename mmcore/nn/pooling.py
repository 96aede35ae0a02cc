"""Many vectors to one, of the real ones alone."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmcore.nn import init as inits
from mmcore.nn.dtypes import wide
from mmcore.nn.linear import Linear


def masked_mean(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Mean over the real positions; zeros where there is none.

    Shapes:
        values: float [B, T, D]; mask: bool [B, T]; result: [B, D] in the dtype of values.

    Example:
        >>> from mmcore import nn
        >>> values = tf.constant([[[1.0], [5.0], [9.0]]])
        >>> nn.masked_mean(values, tf.constant([[True, True, False]])).numpy().tolist()
        [[3.0]]
    """
    # Wide: a sum of bfloat16 stops growing after some 256 terms.
    total = tf.reduce_sum(wide(_zero_masked(values, mask)), axis=1)
    count = tf.reduce_sum(tf.cast(mask, total.dtype), axis=1, keepdims=True)
    return tf.cast(total / tf.maximum(count, 1.0), values.dtype)


def masked_max(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Maximum over the real positions; zeros where there is none.

    Shapes:
        values: float [B, T, D]; mask: bool [B, T]; result: [B, D] in the dtype of values.
    """
    lowest = tf.constant(values.dtype.min, values.dtype)
    highest = tf.reduce_max(tf.where(mask[:, :, None], values, lowest), axis=1)
    return tf.where(tf.reduce_any(mask, axis=1, keepdims=True), highest, tf.zeros([], values.dtype))


class AttentionPooling(tf.Module):
    """sum_t softmax_t(context . tanh(W x_t + b)) x_t over the real positions; zeros where there is none.

    Shapes:
        values: float [B, T, dim]; mask: bool [B, T]; result: [B, dim] in the dtype of values.

    Args:
        dim: width of the tokens.
        rng: source of the initial values; None: fresh entropy.

    Source: Yang et al. 2016, Hierarchical Attention Networks, NAACL, equations 5 to 7.
    """

    def __init__(self, dim: int, *, rng: np.random.Generator | None = None):
        super().__init__()
        rng = inits.generator(rng)
        self.hidden = Linear(dim, dim, rng=rng)
        self.score = Linear(dim, 1, bias=False, rng=rng)

    def __call__(self, values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        scores = wide(self.score(tf.tanh(self.hidden(values))))
        weights = tf.nn.softmax(tf.where(mask[:, :, None], scores, -1e30), axis=1)
        return tf.reduce_sum(tf.cast(weights, values.dtype) * _zero_masked(values, mask), axis=1)


def _zero_masked(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """`where` and not a product: zero times infinity is NaN."""
    return tf.where(mask[:, :, None], values, tf.zeros([], values.dtype))
