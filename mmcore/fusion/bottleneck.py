"""Modalities that speak to each other through a few shared tokens alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from mmcore import nn
from mmcore.fusion.projection import Inputs
from mmcore.fusion.sequence import Parts, joined, with_summaries
from mmcore.nn import init as inits
from mmcore.nn.shapes import sizes


class Bottleneck(tf.Module):
    """In each layer every modality has a block over its tokens and the bottlenecks; these are then averaged.

    Each modality's summary goes along as one more token; the mean of these over the present modalities,
    after a last norm, is the summary of all. The cost is linear in the number of tokens of the other
    modalities.

    Shapes:
        tokens: one `Tokens` a modality, [B, T_i, dims[i]]; seed: int32 [2] or None.
        result: values [B, sum T_i, dim], mask [B, sum T_i], pooled [B, dim] in the dtype of the values.
        A modality may be `PackedTokens`, [R, L, dims[i]]. All but the products of attention is then computed as
        its tokens stand, these alone in rows of one example; the result is that of its `unpacked()`, where T_i is
        the most tokens of an example.

    Args:
        dims: width of each modality.
        dim: width of the result.
        num_bottlenecks: shared tokens.
        num_layers: layers. What one modality tells another arrives in the layer after.
        num_heads: heads of each block.
        dropout_rate: in training, in the blocks.
        modality_dropout: in training, probability that a modality of an example is dropped (never the last).
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: no modality or a width below one; no layer or bottleneck; a rate outside [0, 1); dim that
            num_heads does not divide; tokens of other widths.

    Source: Nagrani et al. 2021, arXiv:2107.00135, equations 8 and 9, with fusion in every layer.
    """

    def __init__(
        self,
        dims: Sequence[int],
        dim: int,
        *,
        num_bottlenecks: int = 4,
        num_layers: int = 2,
        num_heads: int = 4,
        dropout_rate: float = 0.0,
        modality_dropout: float = 0.0,
        rng: np.random.Generator | None = None,
    ):
        super().__init__()
        if num_layers < 1 or num_bottlenecks < 1:
            raise ValueError(f"expected at least one of each, found {num_layers=} and {num_bottlenecks=}")
        rng = inits.generator(rng)
        self.inputs = Inputs(dims, dim, modality_dropout=modality_dropout, rng=rng)
        self.dim = dim
        self.table = tf.Variable(inits.truncated_normal(0.02)(rng, (num_bottlenecks, dim)))
        self.layers = [
            [nn.TransformerBlock(dim, num_heads, dropout_rate=dropout_rate, rng=rng) for _ in dims]
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
        shape = [sizes(parts.masks[0])[0], *self.table.shape]
        shared = tf.broadcast_to(tf.cast(self.table, parts.values[0].dtype), shape)
        places = _places(parts, shared)
        for depth, blocks in enumerate(self.layers):
            seeds = [None] * len(blocks)
            if training:
                seeds = nn.split(nn.fold(seed, 1 + depth), len(blocks))
            values, shared = _layer(blocks, parts, shared, places, training=training, seeds=seeds)
            parts = parts._replace(values=values)
        return joined(parts._replace(values=[self.norm(part) for part in parts.values]))


def _places(parts: Parts, shared: tf.Tensor) -> list[tuple[tf.Tensor, nn.Rows | None]]:
    """For each modality the mask of the bottlenecks and its tokens, and where they stand."""
    always = tf.ones_like(shared[:, :, 0], tf.bool)
    masks = [tf.concat([always, mask], axis=1) for mask in parts.masks]
    if parts.rows is None:
        return [(mask, None) for mask in masks]
    batch, num, _ = sizes(shared)
    first = nn.Rows.of(tf.reshape(tf.range(batch * num), [batch, num]), batch * num)
    return [(mask, nn.Rows.side_by_side([first, rows])) for mask, rows in zip(masks, parts.rows, strict=True)]


def _layer(
    blocks: Sequence[nn.TransformerBlock],
    parts: Parts,
    shared: tf.Tensor,
    places: Sequence[tuple[tf.Tensor, nn.Rows | None]],
    *,
    training: bool,
    seeds: Sequence[tf.Tensor | None],
) -> tuple[list[tf.Tensor], tf.Tensor]:
    """The tokens of each modality after its block, and the mean of the present modalities' bottlenecks."""
    shape = sizes(shared)
    if parts.rows is not None:
        shared = tf.reshape(shared, [1, shape[0] * shape[1], shape[2]])
    num = sizes(shared)[1]
    after, bottlenecks = [], []
    for block, part, (mask, rows), seed in zip(blocks, parts.values, places, seeds, strict=True):
        row = block(tf.concat([shared, part], axis=1), mask, rows=rows, training=training, seed=seed)
        bottlenecks.append(tf.reshape(row[:, :num], shape))
        after.append(row[:, num:])
    present = tf.stack([mask[:, 0] for mask in parts.masks], axis=1)
    weights = tf.cast(present, shared.dtype)
    weights /= tf.maximum(tf.reduce_sum(weights, axis=1, keepdims=True), tf.ones([], shared.dtype))
    return after, tf.reduce_sum(tf.stack(bottlenecks, axis=1) * weights[:, :, None, None], axis=1)
