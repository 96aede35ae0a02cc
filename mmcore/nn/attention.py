"""Scaled dot-product attention, and the layer of several heads around it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmcore.nn import init as inits
from mmcore.nn.dtypes import wide
from mmcore.nn.linear import Linear
from mmcore.nn.shapes import sizes

# Finite, so that a row without a key to look at is a mean of values and not NaN; its output is zeroed after.
_FAR_BELOW = -1e30


def dot_product_attention(
    q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, mask: tf.Tensor | None = None, *, scale: float | None = None
) -> tf.Tensor:
    """softmax(q k^T * scale) v for each head; the softmax is never half precision.

    Shapes:
        q: float [B, T, H, K]; k and v: [B, S, H, K].
        mask: bool [B, S] (which keys are real) or [B, T, S] (which keys a query sees), or None.
        result: [B, T, H, K] in q's dtype; zeros for a query that sees no key.

    Args:
        q: queries.
        k: keys.
        v: values.
        mask: True = real.
        scale: factor of the scores; None: 1 / sqrt(K).

    Raises:
        ValueError: a mask that is not bool [B, S] or [B, T, S].

    Source: Vaswani et al. 2017, arXiv:1706.03762, equation 1.

    Example:
        >>> from mmcore import nn
        >>> x = tf.ones([1, 3, 2, 4])
        >>> nn.dot_product_attention(x, x, x).shape
        TensorShape([1, 3, 2, 4])
    """
    if mask is not None and (mask.dtype != tf.bool or mask.shape.rank not in (2, 3)):
        raise ValueError(f"expected a bool mask [B, S] or [B, T, S], found {mask.dtype.name} {mask.shape}")
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    # The scale goes on q, which is smaller than the scores.
    q = tf.transpose(q * tf.cast(scale, q.dtype), [0, 2, 1, 3])
    scores = wide(tf.matmul(q, tf.transpose(k, [0, 2, 1, 3]), transpose_b=True))
    if mask is not None:
        mask = mask[:, None, :] if mask.shape.rank == 2 else mask
        scores += tf.where(mask, tf.zeros([], scores.dtype), _FAR_BELOW)[:, None]
    weights = tf.cast(tf.nn.softmax(scores), v.dtype)
    mixed = tf.transpose(tf.matmul(weights, tf.transpose(v, [0, 2, 1, 3])), [0, 2, 1, 3])
    if mask is None:
        return mixed
    return tf.where(tf.reduce_any(mask, axis=-1)[:, :, None, None], mixed, tf.zeros([], mixed.dtype))


class MultiHeadAttention(tf.Module):
    """Attention of `num_heads` heads from x to itself or to a context.

    Shapes:
        x: float [B, T, dim]; context: float [B, S, context_dim] or None (x itself).
        mask: bool [B, S] or [B, T, S], True = a key that may be seen, or None.
        result: [B, T, dim] in x's dtype; the output's bias alone for a query that sees no key.

    Args:
        dim: width of x and of the result.
        num_heads: heads, each dim / num_heads wide.
        context_dim: width of the context; None: dim.
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: dim that num_heads does not divide.

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.2.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        *,
        context_dim: int | None = None,
        rng: np.random.Generator | None = None,
    ):
        super().__init__()
        if num_heads < 1 or dim % num_heads:
            raise ValueError(f"expected num_heads that divides dim={dim}, found {num_heads}")
        rng = inits.generator(rng)
        source_dim = dim if context_dim is None else context_dim
        self.num_heads, self.head_dim = num_heads, dim // num_heads
        self.query = Linear(dim, dim, rng=rng)
        self.key = Linear(source_dim, dim, rng=rng)
        self.value = Linear(source_dim, dim, rng=rng)
        self.output = Linear(dim, dim, rng=rng)

    def __call__(
        self, x: tf.Tensor, context: tf.Tensor | None = None, *, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        source = x if context is None else context
        mixed = dot_product_attention(
            self._heads(self.query(x)), self._heads(self.key(source)), self._heads(self.value(source)), mask
        )
        return self.output(tf.reshape(mixed, [*sizes(x)[:2], self.num_heads * self.head_dim]))

    def _heads(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reshape(x, [*sizes(x)[:2], self.num_heads, self.head_dim])
