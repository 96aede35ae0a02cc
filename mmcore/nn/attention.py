"""Scaled dot-product attention, and the layer of several heads around it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmcore import ops
from mmcore.nn import init as inits
from mmcore.nn.linear import Linear
from mmcore.nn.rows import Rows
from mmcore.nn.segments import check_segment_ids
from mmcore.nn.shapes import sizes


def dot_product_attention(
    q: tf.Tensor,
    k: tf.Tensor,
    v: tf.Tensor,
    mask: tf.Tensor | None = None,
    *,
    segment_ids: tf.Tensor | None = None,
    scale: float | None = None,
) -> tf.Tensor:
    """softmax(q k^T * scale) v for each head; the softmax is never half precision.

    Shapes:
        q: float [B, T, H, K]; k and v: [B, S, H, K].
        mask: bool [B, S] (which keys are real) or [B, T, S] (which keys a query sees), or None.
        segment_ids: integer [B, T] with T = S, 0 = padding, or None.
        result: [B, T, H, K] in q's dtype; zeros for a query that sees no key.

    Args:
        q: queries.
        k: keys.
        v: values.
        mask: True = real.
        segment_ids: of packed rows: a query sees the keys of its own segment alone, padding sees nothing.
        scale: factor of the scores; None: 1 / sqrt(K).

    Raises:
        ValueError: a mask that is not bool [B, S] or [B, T, S]; segment_ids that are no integers [B, T].

    Source: Vaswani et al. 2017, arXiv:1706.03762, equation 1.

    Example:
        >>> from mmcore import nn
        >>> x = tf.ones([1, 3, 2, 4])
        >>> nn.dot_product_attention(x, x, x).shape
        TensorShape([1, 3, 2, 4])
    """
    if mask is not None and (mask.dtype != tf.bool or mask.shape.rank not in (2, 3)):
        raise ValueError(f"expected a bool mask [B, S] or [B, T, S], found {mask.dtype.name} {mask.shape}")
    if segment_ids is None:
        return ops.attention(q, k, v, mask=mask, scale=scale)
    check_segment_ids(segment_ids)
    real = segment_ids > 0  # Padding would see padding.
    real = real if mask is None else mask & (real if mask.shape.rank == 2 else real[:, None, :])
    return ops.attention(q, k, v, mask=real, segment_ids=tf.cast(segment_ids, tf.int32), scale=scale)


class MultiHeadAttention(tf.Module):
    """Attention of `num_heads` heads from x to itself or to a context.

    Shapes:
        x: float [B, T, dim]; context: float [B, S, context_dim] or None (x itself).
        mask: bool [B, S] or [B, T, S], True = a key that may be seen, or None.
        rows: `Rows` of x and of the context, or None; see below.
        segment_ids: integer [B, T] of packed rows (0 = padding) without a context, or None.
        result: [B, T, dim] in x's dtype; the output's bias alone for a query that sees no key.
        With rows, x and the result are [1, N, dim] and the context [1, M, context_dim], lists whose rows of one
        example each are [B, T] and [B, S]; the mask is of these rows and needed, since they have padding.

    Args:
        dim: width of x and of the result.
        num_heads: heads, each dim / num_heads wide.
        context_dim: width of the context; None: dim.
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: dim that num_heads does not divide; segment_ids together with a context; rows without a mask.

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
        self,
        x: tf.Tensor,
        context: tf.Tensor | None = None,
        *,
        mask: tf.Tensor | None = None,
        segment_ids: tf.Tensor | None = None,
        rows: tuple[Rows, Rows] | None = None,
    ) -> tf.Tensor:
        if segment_ids is not None and context is not None:
            raise ValueError(
                "expected segment_ids without a context, whose keys have none: pass rows instead"
            )
        if rows is not None and mask is None:
            raise ValueError("expected a mask with rows, found none: pass index >= 0 of the rows of the keys")
        source = x if context is None else context
        q, k, v = self.query(x), self.key(source), self.value(source)
        if rows is not None:
            q, k, v = rows[0].spread(q), rows[1].spread(k), rows[1].spread(v)
        mixed = dot_product_attention(
            self._heads(q), self._heads(k), self._heads(v), mask, segment_ids=segment_ids
        )
        mixed = tf.reshape(mixed, [*sizes(q)[:2], self.num_heads * self.head_dim])
        return self.output(mixed if rows is None else rows[0].collect(mixed))

    def _heads(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reshape(x, [*sizes(x)[:2], self.num_heads, self.head_dim])
