"""Linear map of the last axis."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmcore.nn import init as inits
from mmcore.nn.shapes import sizes


class Linear(tf.Module):
    """x kernel + bias, over the last axis of an array of any rank.

    Shapes:
        x: float [..., in_dim]; result: [..., out_dim] in x's dtype.

    Args:
        in_dim: width of the input.
        out_dim: width of the output.
        bias: whether to add a learned vector, which starts at zero.
        init: draws the kernel [in_dim, out_dim].
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: a width below one; an input of another width.

    Example:
        >>> from mmcore import nn
        >>> nn.Linear(2, 3)(tf.zeros([5, 4, 2])).shape
        TensorShape([5, 4, 3])
    """

    def __init__(
        self,
        in_dim: int,
        out_dim: int,
        *,
        bias: bool = True,
        init: inits.Init = inits.glorot_uniform,
        rng: np.random.Generator | None = None,
    ):
        super().__init__()
        if in_dim < 1 or out_dim < 1:
            raise ValueError(f"expected in_dim and out_dim of at least 1, found {in_dim} and {out_dim}")
        self.in_dim, self.out_dim = in_dim, out_dim
        self.kernel = tf.Variable(init(inits.generator(rng), (in_dim, out_dim)))
        self.bias = tf.Variable(tf.zeros([out_dim])) if bias else None

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        if x.shape[-1] != self.in_dim:
            raise ValueError(f"expected [..., {self.in_dim}], found {x.shape}: the last axis must be in_dim")
        # Two axes for the product: a batched one would sum a [B, in, out] gradient in a plain graph.
        rows = x if x.shape.rank == 2 else tf.reshape(x, [-1, self.in_dim])
        y = tf.matmul(rows, tf.cast(self.kernel, x.dtype))
        if self.bias is not None:
            y = tf.nn.bias_add(y, tf.cast(self.bias, x.dtype))
        return y if x.shape.rank == 2 else tf.reshape(y, [*sizes(x)[:-1], self.out_dim])
