"""Tokens: what every encoder and every fusion returns."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from mmcore.nn.rows import Rows
from mmcore.nn.segments import segment_index
from mmcore.nn.shapes import sizes


class Tokens(NamedTuple):
    """A batch of vectors in a row, which of them are real, and one summary vector for each example.

    Shapes:
        values: float [B, T, D]; what stands at masked positions is unspecified but finite.
        mask: bool [B, T], True = real. A row that is all False says that the example lacks this modality.
        pooled: float [B, D], zeros for an example without a real token.
    """

    values: tf.Tensor
    mask: tf.Tensor
    pooled: tf.Tensor

    def present(self) -> tf.Tensor:
        """Which examples have at least one real token: bool [B]."""
        return tf.reduce_any(self.mask, axis=1)


class PackedTokens(NamedTuple):
    """What an encoder makes of packed rows: vectors that stand as the sequences do, and a summary for each.

    Shapes:
        values: float [R, L, D]; what stands at padding is unspecified but finite.
        segment_ids: int32 [R, L], 0 = padding.
        places: int32 [B, 2], row and segment of each example, segment 0 or -1 for one without tokens.
        pooled: float [B, D], zeros for an example without tokens.
        index: int32 [B, T], where each example's tokens stand in the rows laid end to end, -1 beyond its last, as
        `segment_index` makes it. T is the most tokens that an example may have.
    """

    values: tf.Tensor
    segment_ids: tf.Tensor
    places: tf.Tensor
    pooled: tf.Tensor
    index: tf.Tensor

    @property
    def mask(self) -> tf.Tensor:
        """Which positions are real: bool [R, L]."""
        return self.segment_ids > 0

    def present(self) -> tf.Tensor:
        """Which examples have at least one real token: bool [B]."""
        return self.places[:, 1] > 0

    def summaries(self) -> Tokens:
        """Each example as one token, its summary: values [B, 1, D]."""
        return Tokens(self.pooled[:, None], self.present()[:, None], self.pooled)

    def unpacked(self, length: int | None = None) -> Tokens:
        """Each example in a row of its own again: values [B, length, D], of longer ones the beginning.

        Args:
            length: positions of a row; None: T, the most tokens that an example may have.
        """
        index = self.index if length is None else segment_index(self.segment_ids, self.places, length)
        rows, width, dim = sizes(self.values)
        values = Rows.of(index, rows * width).spread(tf.reshape(self.values, [1, rows * width, dim]))
        return Tokens(values, index >= 0, self.pooled)
