"""Transformer encoder over token ids."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmcore import nn
from mmcore.encoders.blocks import check_packed, packed_tokens, run_blocks
from mmcore.nn import init as inits


class TextTransformer(tf.Module):
    """Embedding and positions, pre-norm blocks, a last norm; the summary is the mean of the real tokens.

    Of packed rows each sequence is encoded as if it were alone: positions count within it, its tokens see no
    others, and it has a summary of its own.

    Shapes:
        x: int32 ids [B, T], T <= max_length; mask: bool [B, T] or None (all real); seed: int32 [2] or None.
        result: values [B, T, dim], mask [B, T], pooled [B, dim], in float32 (or `dtype`).
        Packed: x int32 [R, L], segment_ids and positions int32 [R, L], places int32 [B, 2], as `data.pack`
        and `ops.pack` make them; L may be above max_length, positions not. The result is `nn.PackedTokens`.

    Args:
        vocab_size: number of ids.
        dim: width.
        max_length: positions that have a vector.
        num_layers: blocks.
        num_heads: heads of each block.
        hidden_dim: width inside the MLPs; None: 4 * dim.
        dropout_rate: in training, of the embedding and in the blocks.
        drop_path_rate: in training, probability that an example, or a segment, skips a branch of the last
            block; earlier blocks' are proportionally smaller.
        remat: in training, compute the blocks again for the gradient instead of keeping their inner values.
        rng: source of the initial values; None: fresh entropy.
        dtype: of the computation.

    Raises:
        ValueError: an input longer than max_length; dim that num_heads does not divide; some of segment_ids,
            positions and places without the others, or with a mask.

    Source: Vaswani et al. 2017, arXiv:1706.03762; pre-norm: Xiong et al. 2020, arXiv:2002.04745.

    Example:
        >>> from mmcore import encoders
        >>> encoder = encoders.TextTransformer(100, 8, max_length=16, num_layers=1, num_heads=2)
        >>> encoder(tf.constant([[5, 6, 7]])).values.shape
        TensorShape([1, 3, 8])
    """

    def __init__(
        self,
        vocab_size: int,
        dim: int,
        *,
        max_length: int = 128,
        num_layers: int = 2,
        num_heads: int = 4,
        hidden_dim: int | None = None,
        dropout_rate: float = 0.0,
        drop_path_rate: float = 0.0,
        remat: bool = False,
        rng: np.random.Generator | None = None,
        dtype: tf.DType = tf.float32,
    ):
        super().__init__()
        rng = inits.generator(rng)
        self.dim, self.dtype, self.remat = dim, dtype, remat
        self.embedding = nn.Embedding(vocab_size, dim, rng=rng)
        self.positions = nn.Positions(max_length, dim, rng=rng)
        self.dropout = nn.Dropout(dropout_rate)
        self.blocks = [
            nn.TransformerBlock(
                dim,
                num_heads,
                hidden_dim=hidden_dim,
                dropout_rate=dropout_rate,
                drop_path_rate=drop_path_rate * (index + 1) / num_layers,
                rng=rng,
            )
            for index in range(num_layers)
        ]
        self.norm = nn.LayerNorm(dim)

    def __call__(
        self,
        x: tf.Tensor,
        mask: tf.Tensor | None = None,
        *,
        segment_ids: tf.Tensor | None = None,
        positions: tf.Tensor | None = None,
        places: tf.Tensor | None = None,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> nn.Tokens | nn.PackedTokens:
        check_packed(mask, segment_ids, positions, places)
        num_seeds = len(self.blocks) + 1
        seeds = nn.split(nn.fresh() if seed is None else seed, num_seeds) if training else [None] * num_seeds
        values = self.positions(self.embedding(x, dtype=self.dtype), positions)
        values = self.dropout(values, training=training, seed=seeds[-1])
        values = run_blocks(
            self.blocks,
            values,
            mask,
            segment_ids=segment_ids,
            training=training,
            seeds=seeds,
            remat=self.remat,
        )
        values = self.norm(values)
        if segment_ids is not None and places is not None:
            return packed_tokens(values, segment_ids, places, self.positions.max_length)
        mask = tf.ones_like(x, tf.bool) if mask is None else mask
        return nn.Tokens(values, mask, nn.masked_mean(values, mask))
