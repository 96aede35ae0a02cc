"""Gated branches side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from mmcore import nn
from mmcore.fusion.inputs import with_summaries_of_packed
from mmcore.fusion.projection import Inputs
from mmcore.nn import init as inits
from mmcore.nn.dtypes import wide


class Parallel(tf.Module):
    """sum_i z_i h_i with h_i = tanh(W_i norm_i(x_i) + b_i) and gates z = softmax(V [h_1 .. h_n] + c).

    The softmax runs over the modalities that are present, for each channel by itself. For two modalities it
    is the source's pair z and 1 - z.

    Shapes:
        tokens: one `Tokens` a modality, [B, T_i, dims[i]]; seed: int32 [2] or None.
        result: values [B, sum T_i, dim], where z_i h_i of each token stands, mask [B, sum T_i], pooled [B,
            dim], in the dtype of the values; zeros where every modality is missing.
        A modality that is `PackedTokens` takes part by its summaries: its T_i is 1.

    Args:
        dims: width of each modality.
        dim: width of the result.
        modality_dropout: in training, probability that a modality of an example is dropped (never the last).
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: no modality or a width below one; a rate outside [0, 1); tokens of other widths.

    Source: Arevalo et al. 2017, Gated multimodal units, arXiv:1702.01992, section 3.2. Deviations: a softmax
        instead of independent gates for more than two modalities, so that gates of present ones sum to one;
        gates see h instead of x.
    """

    def __init__(
        self,
        dims: Sequence[int],
        dim: int,
        *,
        modality_dropout: float = 0.0,
        rng: np.random.Generator | None = None,
    ):
        super().__init__()
        rng = inits.generator(rng)
        self.inputs = Inputs(dims, dim, modality_dropout=modality_dropout, rng=rng)
        self.dim = dim
        num = len(self.inputs.dims)
        # The softmax of one gate is one: there is nothing to learn.
        self.gates = nn.Linear(num * dim, num * dim, rng=rng) if num > 1 else None

    def __call__(
        self,
        tokens: Sequence[nn.Tokens | nn.PackedTokens],
        *,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> nn.Tokens:
        parts = self.inputs(with_summaries_of_packed(tokens), training=training, seed=seed)
        branches = tf.stack([tf.tanh(part.pooled) for part in parts], axis=1)
        shares = self._shares(branches, tf.stack([part.present() for part in parts], axis=1))
        values = [tf.tanh(part.values) * shares[:, index, None] for index, part in enumerate(parts)]
        return nn.Tokens(
            tf.concat(values, axis=1),
            tf.concat([part.mask for part in parts], axis=1),
            tf.reduce_sum(shares * branches, axis=1),
        )

    def _shares(self, branches: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        """z, [B, n, dim], zero for what is missing."""
        zero = tf.zeros([], branches.dtype)
        if self.gates is None:
            return tf.where(present[:, :, None], tf.ones_like(branches), zero)
        logits = self.gates(tf.reshape(branches, [-1, len(self.inputs.dims) * self.dim]))
        logits = wide(tf.reshape(logits, [-1, len(self.inputs.dims), self.dim]))
        shares = tf.nn.softmax(tf.where(present[:, :, None], logits, -1e30), axis=1)
        return tf.where(present[:, :, None], tf.cast(shares, branches.dtype), zero)
