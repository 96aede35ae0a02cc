"""The feed-forward part and the pre-norm block of a Transformer."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmcore.nn import init as inits
from mmcore.nn.attention import MultiHeadAttention
from mmcore.nn.dropout import Dropout, StochasticDepth
from mmcore.nn.linear import Linear
from mmcore.nn.norm import LayerNorm
from mmcore.nn.rows import Rows
from mmcore.nn.seeds import fresh, split


class MLP(tf.Module):
    """down(dropout(gelu(up(x)))), with the tanh form of GELU.

    Shapes:
        x: float [..., dim]; seed: int32 [2] or None (then a fresh one); result: [..., out_dim] in x's dtype.

    Args:
        dim: width of the input.
        hidden_dim: width inside.
        out_dim: width of the result; None: dim.
        dropout_rate: in training, of the hidden values.
        rng: source of the initial values; None: fresh entropy.

    Source: Vaswani et al. 2017, arXiv:1706.03762, equation 2; Hendrycks and Gimpel 2016, arXiv:1606.08415.
    """

    def __init__(
        self,
        dim: int,
        hidden_dim: int,
        *,
        out_dim: int | None = None,
        dropout_rate: float = 0.0,
        rng: np.random.Generator | None = None,
    ):
        super().__init__()
        rng = inits.generator(rng)
        self.up = Linear(dim, hidden_dim, rng=rng)
        self.down = Linear(hidden_dim, dim if out_dim is None else out_dim, rng=rng)
        self.dropout = Dropout(dropout_rate)

    def __call__(self, x: tf.Tensor, *, training: bool = False, seed: tf.Tensor | None = None) -> tf.Tensor:
        hidden = tf.nn.gelu(self.up(x), approximate=True)
        return self.down(self.dropout(hidden, training=training, seed=seed))


class TransformerBlock(tf.Module):
    """x += attention(norm(x)); x += mlp(norm(x)): the pre-norm block.

    Shapes:
        x: float [B, T, dim]; mask: bool [B, T] (True = real) or [B, T, T] or None; segment_ids: integer [B, T]
        of packed rows (0 = padding) or None; seed: int32 [2] or None.
        result: [B, T, dim] in x's dtype. Masked positions influence no other; their own values are
        unspecified.
        With `Rows` [B, T], x and the result are their list [1, N, dim], and the mask is of the rows.

    Args:
        dim: width.
        num_heads: heads of the attention.
        hidden_dim: width inside the MLP; None: 4 * dim.
        dropout_rate: in training, of both branches' outputs and of the MLP's hidden values.
        drop_path_rate: in training, probability that an example, or a segment, skips a branch.
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: dim that num_heads does not divide; a rate outside [0, 1); rows with a drop_path_rate.

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.1; the norm's place: Xiong et al. 2020,
        arXiv:2002.04745, figure 1b.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        *,
        hidden_dim: int | None = None,
        dropout_rate: float = 0.0,
        drop_path_rate: float = 0.0,
        rng: np.random.Generator | None = None,
    ):
        super().__init__()
        rng = inits.generator(rng)
        self.attention_norm = LayerNorm(dim)
        self.attention = MultiHeadAttention(dim, num_heads, rng=rng)
        self.mlp_norm = LayerNorm(dim)
        hidden_dim = 4 * dim if hidden_dim is None else hidden_dim
        self.mlp = MLP(dim, hidden_dim, dropout_rate=dropout_rate, rng=rng)
        self.dropout = Dropout(dropout_rate)
        self.drop_path = StochasticDepth(drop_path_rate)

    def __call__(
        self,
        x: tf.Tensor,
        mask: tf.Tensor | None = None,
        *,
        segment_ids: tf.Tensor | None = None,
        rows: Rows | None = None,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        seeds = split(fresh() if seed is None else seed, 5) if training else [None] * 5
        if rows is not None and self.drop_path.rate:
            raise ValueError(
                f"expected drop_path_rate=0 with rows, found {self.drop_path.rate}: leave it out"
            )

        def branch(y: tf.Tensor, drop_seed: tf.Tensor | None, path_seed: tf.Tensor | None) -> tf.Tensor:
            y = self.dropout(y, training=training, seed=drop_seed)
            return self.drop_path(y, segment_ids=segment_ids, training=training, seed=path_seed)

        mixed = self.attention(
            self.attention_norm(x),
            mask=mask,
            segment_ids=segment_ids,
            rows=None if rows is None else (rows, rows),
        )
        x += branch(mixed, seeds[0], seeds[1])
        mixed = self.mlp(self.mlp_norm(x), training=training, seed=seeds[2])
        return x + branch(mixed, seeds[3], seeds[4])
