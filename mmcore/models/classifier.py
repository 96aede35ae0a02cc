"""Encoders, a fusion and a linear head: a classifier over any set of modalities."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from mmcore import nn
from mmcore.nn import init as inits
from mmcore.typing import PackedRows


class MultimodalClassifier(tf.Module):
    """head(dropout(fusion(encoder_i(input_i)).pooled)).

    Shapes:
        inputs: for each encoder's name `(x, mask)` or x alone, as the encoder takes them, or `PackedRows` of B
        sequences; other keys (a label, a weight) are not read. seed: int32 [2] or None.
        result: logits, float [B, num_classes] in the encoders' dtype.

    Args:
        encoders: name of a modality -> its encoder, in the order that the fusion was built for.
        fusion: takes the list of their tokens; None: only with a single encoder, whose summary is used.
        num_classes: width of the result.
        dropout_rate: in training, of the fused summary.
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: no encoder, or several without a fusion; an input that lacks an encoder's name; packed rows
            for an encoder that takes none.

    Example:
        >>> from mmcore import encoders, models
        >>> model = models.MultimodalClassifier({"text": encoders.TextRNN(100, 8)}, None, 3)
        >>> model({"text": tf.constant([[5, 6, 7]])}).shape
        TensorShape([1, 3])
    """

    def __init__(
        self,
        encoders: Mapping[str, tf.Module],
        fusion: tf.Module | None,
        num_classes: int,
        *,
        dropout_rate: float = 0.0,
        rng: np.random.Generator | None = None,
    ):
        super().__init__()
        if not encoders or (fusion is None and len(encoders) > 1):
            raise ValueError(
                f"expected encoders and, for more than one, a fusion; found {list(encoders)}, {fusion}"
            )
        self.names = tuple(encoders)
        self.encoders = dict(encoders)
        self.fusion = fusion
        width = self.encoders[self.names[0]].dim if fusion is None else fusion.dim
        self.dropout = nn.Dropout(dropout_rate)
        self.head = nn.Linear(width, num_classes, rng=inits.generator(rng))

    def __call__(
        self, inputs: Mapping[str, Any], *, training: bool = False, seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        num_seeds = len(self.names) + 2
        seeds = nn.split(nn.fresh() if seed is None else seed, num_seeds) if training else [None] * num_seeds
        tokens = []
        for name, encoder_seed in zip(self.names, seeds, strict=False):
            x, options = _arguments(inputs, name, self.encoders[name])
            tokens.append(self.encoders[name](x, **options, training=training, seed=encoder_seed))
        if self.fusion is None:
            pooled = tokens[0].pooled
        else:
            pooled = self.fusion(tokens, training=training, seed=seeds[-2]).pooled
        return self.head(self.dropout(pooled, training=training, seed=seeds[-1]))


def _arguments(
    inputs: Mapping[str, Any], name: str, encoder: tf.Module
) -> tuple[tf.Tensor, dict[str, tf.Tensor | None]]:
    """What the encoder of a modality is called with."""
    if name not in inputs:
        raise ValueError(
            f"expected an input for each encoder, found none for {name!r} among {sorted(inputs)}"
        )
    given = inputs[name]
    if isinstance(given, PackedRows):
        if "segment_ids" not in inspect.signature(type(encoder).__call__).parameters:
            raise ValueError(
                f"expected (x, mask) for {name!r}, found packed rows, which {type(encoder).__name__} does not "
                "take: use TextTransformer or ViT, or do not pack"
            )
        x, *parts = map(tf.convert_to_tensor, given)
        return x, dict(zip(PackedRows._fields[1:], parts, strict=True))
    x, mask = given if isinstance(given, (tuple, list)) else (given, None)
    return tf.convert_to_tensor(x), {"mask": None if mask is None else tf.convert_to_tensor(mask)}
