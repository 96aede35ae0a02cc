"""Brings one modality to the width of the fusion."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmcore import nn
from mmcore.nn import init as inits


class Projection(tf.Module):
    """W norm(x) + b of the tokens and of the summary alike; the summary of a missing modality stays zero.

    The norm makes modalities comparable: encoders' outputs differ in scale by orders of magnitude.

    Shapes:
        tokens: [B, T, in_dim]; result: [B, T, dim], in the dtype of the values.

    Args:
        in_dim: width of the modality.
        dim: width of the result.
        rng: source of the initial values; None: fresh entropy.
    """

    def __init__(self, in_dim: int, dim: int, *, rng: np.random.Generator | None = None):
        super().__init__()
        self.norm = nn.LayerNorm(in_dim)
        self.linear = nn.Linear(in_dim, dim, rng=inits.generator(rng))

    def __call__(self, tokens: nn.Tokens) -> nn.Tokens:
        pooled = self.linear(self.norm(tokens.pooled))
        return nn.Tokens(
            self.linear(self.norm(tokens.values)),
            tokens.mask,
            tf.where(tokens.present()[:, None], pooled, tf.zeros([], pooled.dtype)),
        )
