"""Tables of learned vectors: by id, and by position."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmcore.nn import init as inits


class Embedding(tf.Module):
    """table[ids].

    Shapes:
        ids: int32 or int64 [...], each in [0, vocab_size); result: [..., dim] in `dtype`.

    An id outside the range raises InvalidArgumentError on a CPU; under XLA and on a GPU the result is
    unspecified.

    Args:
        vocab_size: number of rows.
        dim: width of a row.
        init: draws the table [vocab_size, dim].
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: a size below one; ids that are not integers.

    Example:
        >>> from mmcore import nn
        >>> nn.Embedding(10, 4)(tf.constant([[1, 2, 3]])).shape
        TensorShape([1, 3, 4])
    """

    def __init__(
        self,
        vocab_size: int,
        dim: int,
        *,
        init: inits.Init | None = None,
        rng: np.random.Generator | None = None,
    ):
        super().__init__()
        if vocab_size < 1 or dim < 1:
            raise ValueError(f"expected vocab_size and dim of at least 1, found {vocab_size} and {dim}")
        self.vocab_size, self.dim = vocab_size, dim
        draw = inits.truncated_normal(0.02) if init is None else init
        self.table = tf.Variable(draw(inits.generator(rng), (vocab_size, dim)))

    def __call__(self, ids: tf.Tensor, *, dtype: tf.DType = tf.float32) -> tf.Tensor:
        if not ids.dtype.is_integer:
            raise ValueError(f"expected integer ids, found {ids.dtype.name}: tokenize the text first")
        return tf.cast(tf.gather(self.table, ids), dtype)


class Positions(tf.Module):
    """x + table[positions]: a learned vector for each position.

    Shapes:
        x: float [B, T, dim]; positions: integer [B, T], each in [0, max_length), or None: 0 to T - 1, with
        T <= max_length. result: x's shape and dtype.

    A position outside the range raises InvalidArgumentError on a CPU; under XLA and on a GPU the result is
    unspecified.

    Args:
        max_length: number of positions.
        dim: width of a row.
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: an input longer than max_length.

    Source: Gehring et al. 2017, arXiv:1705.03122, section 3.1.
    """

    def __init__(self, max_length: int, dim: int, *, rng: np.random.Generator | None = None):
        super().__init__()
        self.max_length = max_length
        self.table = tf.Variable(inits.truncated_normal(0.02)(inits.generator(rng), (max_length, dim)))

    def __call__(self, x: tf.Tensor, positions: tf.Tensor | None = None) -> tf.Tensor:
        if positions is not None:
            return x + tf.cast(tf.gather(self.table, positions), x.dtype)
        length = x.shape[1]
        if length is not None and length > self.max_length:
            raise ValueError(
                f"expected at most max_length={self.max_length} positions, found {length}: truncate the input"
            )
        rows = self.table[: tf.shape(x)[1] if length is None else length]
        return x + tf.cast(rows, x.dtype)
