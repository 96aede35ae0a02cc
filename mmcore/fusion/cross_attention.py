"""Cross-attention between every modality and the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mmcore import nn
from mmcore.fusion.projection import Inputs
from mmcore.fusion.sequence import Parts, joined, with_summaries
from mmcore.nn import init as inits


class CrossAttention(tf.Module):
    """In each layer the tokens of every modality attend to those of the others, in all directions at once.

    Each modality's summary goes along as one more token; the mean of these over the present modalities,
    after a last norm, is the summary of all. A single modality attends to itself.

    Shapes:
        tokens: one `Tokens` a modality, [B, T_i, dims[i]]; seed: int32 [2] or None.
        result: values [B, sum T_i, dim], mask [B, sum T_i], pooled [B, dim] in the dtype of the values.
        A modality may be `PackedTokens`, [R, L, dims[i]]. All but the products of attention is then computed as
        its tokens stand, these alone in rows of one example; the result is that of its `unpacked()`, where T_i is
        the most tokens of an example.

    Args:
        dims: width of each modality.
        dim: width of the result.
        num_layers: layers.
        num_heads: heads of each attention.
        dropout_rate: in training, of each branch's output.
        modality_dropout: in training, probability that a modality of an example is dropped (never the last).
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: no modality or a width below one; no layer; a rate outside [0, 1); dim that num_heads does
            not divide; tokens of other widths.

    Source: Lu et al. 2019, ViLBERT, arXiv:1908.02265, figure 2b (co-attention), with pre-norm blocks.
    """

    def __init__(
        self,
        dims: Sequence[int],
        dim: int,
        *,
        num_layers: int = 1,
        num_heads: int = 4,
        dropout_rate: float = 0.0,
        modality_dropout: float = 0.0,
        rng: np.random.Generator | None = None,
    ):
        super().__init__()
        if num_layers < 1:
            raise ValueError(f"expected at least one layer, found {num_layers}")
        rng = inits.generator(rng)
        self.inputs = Inputs(dims, dim, modality_dropout=modality_dropout, rng=rng)
        self.dim = dim
        self.layers = [
            [CrossAttentionBlock(dim, num_heads, dropout_rate=dropout_rate, rng=rng) for _ in dims]
            for _ in range(num_layers)
        ]
        self.norm = nn.LayerNorm(dim)

    def __call__(
        self,
        tokens: Sequence[nn.Tokens | nn.PackedTokens],
        *,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> nn.Tokens:
        seed = nn.fresh() if training and seed is None else seed
        parts = with_summaries(self.inputs(tokens, training=training, seed=seed))
        contexts = [_context(parts, index) for index in range(len(parts.values))]
        for depth, blocks in enumerate(self.layers):
            values = [
                block(
                    parts.values[index],
                    tf.concat(_others(parts.values, index), axis=1),
                    mask=contexts[index][0],
                    rows=contexts[index][1],
                    training=training,
                    seed=nn.fold(seed, 1 + depth * len(blocks) + index) if training else None,
                )
                for index, block in enumerate(blocks)
            ]
            parts = parts._replace(values=values)
        return joined(parts._replace(values=[self.norm(part) for part in parts.values]))


class CrossAttentionBlock(tf.Module):
    """x += attention(norm(x), norm(context)); x += mlp(norm(x)).

    Shapes:
        x: float [B, T, dim]; context: float [B, S, dim]; mask: bool [B, S], True = real; seed: int32 [2] or
        None.
        result: [B, T, dim] in x's dtype.
        With `nn.Rows` of x [B, T] and of the context [B, S], both are lists [1, N, dim]; see
        `nn.MultiHeadAttention`.

    Args:
        dim: width of both.
        num_heads: heads.
        dropout_rate: in training, of each branch's output.
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: dim that num_heads does not divide; a rate outside [0, 1).

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.3 (encoder-decoder attention), pre-norm.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        *,
        dropout_rate: float = 0.0,
        rng: np.random.Generator | None = None,
    ):
        super().__init__()
        rng = inits.generator(rng)
        self.query_norm, self.context_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = nn.MultiHeadAttention(dim, num_heads, rng=rng)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = nn.MLP(dim, 4 * dim, dropout_rate=dropout_rate, rng=rng)
        self.dropout = nn.Dropout(dropout_rate)

    def __call__(
        self,
        x: tf.Tensor,
        context: tf.Tensor,
        *,
        mask: tf.Tensor | None = None,
        rows: tuple[nn.Rows, nn.Rows] | None = None,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        seeds = nn.split(nn.fresh() if seed is None else seed, 3) if training else [None] * 3
        mixed = self.attention(self.query_norm(x), self.context_norm(context), mask=mask, rows=rows)
        x += self.dropout(mixed, training=training, seed=seeds[0])
        mixed = self.mlp(self.mlp_norm(x), training=training, seed=seeds[1])
        return x + self.dropout(mixed, training=training, seed=seeds[2])


def _context(parts: Parts, index: int) -> tuple[tf.Tensor, tuple[nn.Rows, nn.Rows] | None]:
    """The mask of what a modality attends to, and where it and that stand."""
    mask = tf.concat(_others(parts.masks, index), axis=1)
    if parts.rows is None:
        return mask, None
    return mask, (parts.rows[index], nn.Rows.side_by_side(_others(parts.rows, index)))


def _others(parts: Sequence[Any], index: int) -> list[Any]:
    """Every part but this one; this one if it is alone."""
    return [part for other, part in enumerate(parts) if other != index or len(parts) == 1]
