"""Bidirectional recurrent network over token ids."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmcore import nn
from mmcore.nn import init as inits


class TextRNN(tf.Module):
    """Embedding, then bidirectional recurrent layers; the summary is the maximum over time.

    Shapes:
        x: int32 ids [B, T]; mask: bool [B, T] or None (all real); seed: int32 [2] or None.
        result: values [B, T, dim], mask [B, T], pooled [B, dim], in float32 (or `dtype`).

    Args:
        vocab_size: number of ids.
        dim: width of the result, an even number: half of it is the state of each direction.
        embedding_dim: width of the embedding; None: dim.
        num_layers: recurrent layers.
        cell: `nn.GRU` or `nn.LSTM`.
        dropout_rate: in training, of each layer's input and of the values.
        rng: source of the initial values; None: fresh entropy.
        dtype: of the computation.

    Raises:
        ValueError: an odd dim; no layer.

    Source: Schuster and Paliwal 1997; maximum over time: Conneau et al. 2017, arXiv:1705.02364, section 3.2.

    Example:
        >>> from mmcore import encoders
        >>> encoders.TextRNN(100, 8)(tf.constant([[5, 6, 7]])).pooled.shape
        TensorShape([1, 8])
    """

    def __init__(
        self,
        vocab_size: int,
        dim: int,
        *,
        embedding_dim: int | None = None,
        num_layers: int = 1,
        cell: type[nn.GRU] | type[nn.LSTM] = nn.GRU,
        dropout_rate: float = 0.0,
        rng: np.random.Generator | None = None,
        dtype: tf.DType = tf.float32,
    ):
        super().__init__()
        if dim % 2 or num_layers < 1:
            raise ValueError(f"expected an even dim and at least one layer, found {dim=} and {num_layers=}")
        rng = inits.generator(rng)
        width = dim if embedding_dim is None else embedding_dim
        self.dim, self.dtype = dim, dtype
        self.embedding = nn.Embedding(vocab_size, width, init=inits.truncated_normal(0.1), rng=rng)
        self.layers = []
        for _ in range(num_layers):
            forward, backward = (cell(width, dim // 2, rng=rng) for _ in range(2))
            self.layers.append(nn.Bidirectional(forward, backward))
            width = dim
        self.dropout = nn.Dropout(dropout_rate)

    def __call__(
        self,
        x: tf.Tensor,
        mask: tf.Tensor | None = None,
        *,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> nn.Tokens:
        mask = tf.ones_like(x, tf.bool) if mask is None else mask
        num_seeds = len(self.layers) + 1
        seeds = nn.split(nn.fresh() if seed is None else seed, num_seeds) if training else [None] * num_seeds
        values = self.embedding(x, dtype=self.dtype)
        for layer, layer_seed in zip(self.layers, seeds, strict=False):
            values = layer(self.dropout(values, training=training, seed=layer_seed), mask)
        values = self.dropout(values, training=training, seed=seeds[-1])
        return nn.Tokens(values, mask, nn.masked_max(values, mask))
