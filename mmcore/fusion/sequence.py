"""One modality as a sequence: its summary in front, its tokens after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from mmcore import nn
from mmcore.nn.shapes import sizes


# Why lists: beside an example of S other tokens, a text of n tokens in at most T costs 12 n D^2 + 2 T S D
# multiplications a layer here, 12 T D^2 + 2 T S D in rows of its own all through, with D = 256, S = 65, T = 78 and
# n = 15 four times as many; both directions of a text and an image, forward and backward, took 1.6 times as long.
# Attention over one row of all examples with segment ids would cost 2 n D S B wherever no kernel skips other segments.
class Parts(NamedTuple):
    """What the modalities' layers work on: one of each a modality.

    Shapes:
        values: [B, 1 + T_i, D], the summary and the tokens of each example; with rows, lists [1, N_i, D]: the B
        summaries, then the tokens as they stand.
        masks: bool [B, 1 + T_i].
        rows: `nn.Rows` [B, 1 + T_i] of the lists; None if no modality is packed.
    """

    values: list[tf.Tensor]
    masks: list[tf.Tensor]
    rows: list[nn.Rows] | None


def with_summaries(tokens: Sequence[nn.Tokens | nn.PackedTokens]) -> Parts:
    """The summary of each modality as position 0 of its tokens; lists if any modality is packed.

    Shapes:
        tokens: `Tokens` [B, T_i, D] or `PackedTokens` [R_i, L_i, D] with index [B, T_i].
    """
    masks = [tf.concat([part.present()[:, None], _mask(part)], axis=1) for part in tokens]
    if not any(isinstance(part, nn.PackedTokens) for part in tokens):
        return Parts([tf.concat([part.pooled[:, None], part.values], axis=1) for part in tokens], masks, None)
    values, rows = [], []
    for part in tokens:
        batch, dim = sizes(part.pooled)
        values.append(tf.concat([part.pooled, tf.reshape(part.values, [-1, dim])], axis=0)[None])
        index = _index(part)
        index = tf.concat([tf.range(batch)[:, None], tf.where(index < 0, -1, index + batch)], axis=1)
        rows.append(nn.Rows.of(index, sizes(values[-1])[1]))
    return Parts(values, masks, rows)


def joined(parts: Parts) -> nn.Tokens:
    """All tokens in one row, and the mean of the summaries of the modalities that are present.

    Shapes:
        result: [B, sum T_i, D].
    """
    values, masks, rows = parts
    if rows is None:
        summaries = [part[:, 0] for part in values]
    else:
        summaries = [part[0, : sizes(masks[0])[0]] for part in values]
        values = [row.spread(part) for row, part in zip(rows, values, strict=True)]
    return nn.Tokens(
        tf.concat([part[:, 1:] for part in values], axis=1),
        tf.concat([mask[:, 1:] for mask in masks], axis=1),
        nn.masked_mean(tf.stack(summaries, axis=1), tf.stack([mask[:, 0] for mask in masks], axis=1)),
    )


def _mask(tokens: nn.Tokens | nn.PackedTokens) -> tf.Tensor:
    """Which tokens of each example are real: bool [B, T]."""
    return tokens.index >= 0 if isinstance(tokens, nn.PackedTokens) else tokens.mask


def _index(tokens: nn.Tokens | nn.PackedTokens) -> tf.Tensor:
    """Where the real tokens of each example stand in the list of all, -1 = none: int32 [B, T]."""
    if isinstance(tokens, nn.PackedTokens):
        return tokens.index
    batch, length = sizes(tokens.mask)
    return tf.where(tokens.mask, tf.reshape(tf.range(batch * length), [batch, length]), -1)
