"""One modality as a sequence: its summary in front, its tokens after it."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from mmcore import nn


def with_summary(tokens: nn.Tokens) -> tuple[tf.Tensor, tf.Tensor]:
    """The summary as position 0 of the tokens, and the mask of all.

    Shapes:
        tokens: [B, T, D]; result: [B, 1 + T, D] and bool [B, 1 + T].
    """
    values = tf.concat([tokens.pooled[:, None], tokens.values], axis=1)
    return values, tf.concat([tokens.present()[:, None], tokens.mask], axis=1)


def joined(values: Sequence[tf.Tensor], masks: Sequence[tf.Tensor]) -> nn.Tokens:
    """All tokens in one row, and the mean of the summaries of the modalities that are present.

    Shapes:
        values: [B, 1 + T_i, D] each; masks: bool [B, 1 + T_i] each; result: [B, sum T_i, D].
    """
    summaries = tf.stack([part[:, 0] for part in values], axis=1)
    present = tf.stack([mask[:, 0] for mask in masks], axis=1)
    return nn.Tokens(
        tf.concat([part[:, 1:] for part in values], axis=1),
        tf.concat([mask[:, 1:] for mask in masks], axis=1),
        nn.masked_mean(summaries, present),
    )
