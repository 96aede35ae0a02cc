"""Tokens: what every encoder and every fusion returns."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf


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
