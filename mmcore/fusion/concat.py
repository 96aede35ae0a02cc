"""Concatenation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from mmcore import nn
from mmcore.fusion.inputs import with_summaries_of_packed
from mmcore.fusion.projection import Inputs
from mmcore.nn import init as inits


class Concat(tf.Module):
    """All tokens in one row; summary = gelu(sum_i W_i norm_i(pooled_i) + b_i).

    Shapes:
        tokens: one `Tokens` a modality, [B, T_i, dims[i]]; seed: int32 [2] or None.
        result: values [B, sum T_i, dim], mask [B, sum T_i], pooled [B, dim] in the dtype of the values. A
        missing modality adds nothing to the sum.
        A modality that is `PackedTokens` takes part by its summaries: its T_i is 1.

    Args:
        dims: width of each modality.
        dim: width of the result.
        modality_dropout: in training, probability that a modality of an example is dropped (never the last).
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: no modality or a width below one; a rate outside [0, 1); tokens of other widths.

    Source: Baltrusaitis et al. 2017, Multimodal machine learning, arXiv:1705.09406, section 3.1 (joint
        representations).

    Example:
        >>> from mmcore import fusion, nn
        >>> image = nn.Tokens(tf.ones([1, 4, 3]), tf.ones([1, 4], tf.bool), tf.ones([1, 3]))
        >>> text = nn.Tokens(tf.ones([1, 2, 5]), tf.ones([1, 2], tf.bool), tf.ones([1, 5]))
        >>> fusion.Concat([3, 5], 8)([image, text]).values.shape
        TensorShape([1, 6, 8])
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

    def __call__(
        self,
        tokens: Sequence[nn.Tokens | nn.PackedTokens],
        *,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> nn.Tokens:
        parts = self.inputs(with_summaries_of_packed(tokens), training=training, seed=seed)
        return nn.Tokens(
            tf.concat([part.values for part in parts], axis=1),
            tf.concat([part.mask for part in parts], axis=1),
            tf.nn.gelu(tf.add_n([part.pooled for part in parts]), approximate=True),
        )
