"""Brings modalities to the width of the fusion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from mmcore import nn
from mmcore.fusion.inputs import AnyTokens, checked_sizes, present_tokens
from mmcore.nn import init as inits
from mmcore.nn.dropout import checked_rate


class Projection(tf.Module):
    """W norm(x) + b of the tokens and of the summary alike; the summary of a missing modality stays zero.

    The norm makes modalities comparable: encoders' outputs differ in scale by orders of magnitude.

    Shapes:
        tokens: [B, T, in_dim], or packed [R, L, in_dim]; result: [B, T, dim] or [R, L, dim], in the dtype of the
        values.

    Args:
        in_dim: width of the modality.
        dim: width of the result.
        rng: source of the initial values; None: fresh entropy.
    """

    def __init__(self, in_dim: int, dim: int, *, rng: np.random.Generator | None = None):
        super().__init__()
        self.norm = nn.LayerNorm(in_dim)
        self.linear = nn.Linear(in_dim, dim, rng=inits.generator(rng))

    def __call__(self, tokens: AnyTokens) -> AnyTokens:
        pooled = self.linear(self.norm(tokens.pooled))
        return tokens._replace(
            values=self.linear(self.norm(tokens.values)),
            pooled=tf.where(tokens.present()[:, None], pooled, tf.zeros([], pooled.dtype)),
        )


class Inputs(tf.Module):
    """The modalities as every fusion takes them: checked, without what is missing or dropped, at one width.

    Shapes:
        tokens: one `Tokens` or `PackedTokens` a modality, [B, T_i, dims[i]] or [R_i, L_i, dims[i]]; seed: int32 [2]
        or None.
        result: the same kinds and shapes, dim wide, in the dtype of the values.

    Args:
        dims: width of each modality.
        dim: width of the result.
        modality_dropout: in training, probability that a modality of an example is dropped (never the last).
        rng: source of the initial values.

    Raises:
        ValueError: no modality or a width below one; a rate outside [0, 1); tokens of other widths.
    """

    def __init__(self, dims: Sequence[int], dim: int, *, modality_dropout: float, rng: np.random.Generator):
        super().__init__()
        self.dims = checked_sizes(dims, dim)
        self.modality_dropout = checked_rate(modality_dropout)
        self.projections = [Projection(width, dim, rng=rng) for width in self.dims]

    def __call__(
        self, tokens: Sequence[AnyTokens], *, training: bool, seed: tf.Tensor | None
    ) -> list[AnyTokens]:
        tokens = present_tokens(tokens, self.dims, self.modality_dropout, training=training, seed=seed)
        return [project(part) for project, part in zip(self.projections, tokens, strict=True)]
