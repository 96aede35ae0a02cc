"""Rows of one example each, for attention among vectors that stand elsewhere, such as in packed rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from mmcore.nn.shapes import sizes


class Rows(NamedTuple):
    """Where the vectors of a list go in rows of one example each, and back.

    Norms, projections and MLPs run over the list as it stands and only attention over the rows, so the padding of
    the rows costs little.

    Shapes:
        index: int32 [B, T], which vector of the list stands there, -1 = none; each vector stands at one place.
        home: int32 [N], the inverse: the place of each vector in the rows laid end to end, -1 = none.

    Example:
        >>> from mmcore import nn
        >>> rows = nn.Rows.of(tf.constant([[2, 0], [1, -1]]), 3)
        >>> spread = rows.spread(tf.constant([[[5.0], [6.0], [7.0]]]))
        >>> spread[:, :, 0].numpy().tolist(), rows.collect(spread)[:, :, 0].numpy().tolist()
        ([[7.0, 5.0], [6.0, 0.0]], [[5.0, 6.0, 7.0]])
    """

    index: tf.Tensor
    home: tf.Tensor

    @classmethod
    def of(cls, index: tf.Tensor, size: int | tf.Tensor) -> Rows:
        """Rows by their index alone.

        Args:
            index: as above.
            size: N, vectors of the list.
        """
        flat = tf.reshape(index, [-1])
        # A negative index is left out; a vector that stands nowhere gets the lowest of all integers.
        home = tf.math.unsorted_segment_max(tf.range(sizes(flat)[0]), flat, size)
        return cls(index, tf.maximum(home, -1))

    @classmethod
    def side_by_side(cls, parts: Sequence[Rows]) -> Rows:
        """The rows of each example in one row, for the lists one after the other."""
        counts = [sizes(part.home)[0] for part in parts]
        starts = [sum(counts[:number]) for number in range(len(parts))]
        indices = [
            tf.where(part.index < 0, -1, part.index + start)
            for part, start in zip(parts, starts, strict=True)
        ]
        return cls.of(tf.concat(indices, axis=1), sum(counts))

    def spread(self, values: tf.Tensor) -> tf.Tensor:
        """The list [1, N, D] as rows [B, T, D], zeros where nothing stands."""
        batch, length = sizes(self.index)
        flat = _taken(values[0], tf.reshape(self.index, [-1]), self.home)
        return tf.reshape(flat, [batch, length, values.shape[2]])

    def collect(self, values: tf.Tensor) -> tf.Tensor:
        """Rows [B, T, D] as the list [1, N, D], zeros for what stands nowhere."""
        flat = tf.reshape(values, [-1, values.shape[2]])
        return _taken(flat, self.home, tf.reshape(self.index, [-1]))[None]


def _taken(values: tf.Tensor, index: tf.Tensor, inverse: tf.Tensor) -> tf.Tensor:
    """values[index], zeros at -1. Its gradient takes by the inverse: a scatter, which `tf.gather` has, is slow."""

    @tf.custom_gradient
    def take(values: tf.Tensor) -> tuple:
        count, dim = sizes(values)
        padded = tf.concat([values, tf.zeros([1, dim], values.dtype)], axis=0)
        taken = tf.gather(padded, tf.where(index < 0, count, index))
        return taken, lambda gradient: _taken(gradient, inverse, index)

    return take(values)
