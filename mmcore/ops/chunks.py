"""One axis of tensors in equal pieces, worked on one after the other, so that memory is that of one piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Body = Callable[[Any, list[tf.Tensor]], tuple[list[tf.Tensor], list[tf.Tensor]]]


class Chunks:
    """An axis of `length` numbers in `count` pieces of `rows`; the last one is filled up with zeros.

    Args:
        length: a number, or a tensor where it is unknown.
        rows: of one piece, at most; a length that is known and no longer is one piece, without a loop.
    """

    def __init__(self, length: int | tf.Tensor, rows: int):
        self.length = length
        self.single = isinstance(length, int) and length <= rows
        self.rows = length if isinstance(length, int) and self.single else rows
        # One piece also of nothing: a loop without a turn could not tell the shape of its results.
        self.count = 1 if self.single else tf.maximum(1, -(-length // rows))

    def split(self, x: tf.Tensor, axis: int) -> tf.Tensor:
        """[..., length, ...] -> [..., count, rows, ...]"""
        if self.single:
            return tf.expand_dims(x, axis)
        shape = tf.unstack(tf.shape(x))
        missing = self.count * self.rows - self.length
        padding = [[0, missing if i == axis else 0] for i in range(len(shape))]
        split = tf.reshape(tf.pad(x, padding), [*shape[:axis], self.count, self.rows, *shape[axis + 1 :]])
        static = x.shape.as_list()
        split.set_shape([*static[:axis], None, self.rows, *static[axis + 1 :]])
        return split

    def join(self, pieces: tf.Tensor, axis: int) -> tf.Tensor:
        """[count, ..., rows, ...] -> [..., length, ...], where `axis` is that of the result."""
        if self.single:
            return pieces[0]
        order = [*range(1, axis + 1), 0, *range(axis + 1, pieces.shape.rank)]
        moved = tf.transpose(pieces, order)
        shape = tf.unstack(tf.shape(moved))
        joined = tf.reshape(moved, [*shape[:axis], self.count * self.rows, *shape[axis + 2 :]])
        return joined[(slice(None),) * axis + (slice(0, self.length),)]

    def loop(
        self, body: Body, dtypes: Sequence[tf.DType], carried: Sequence[tf.Tensor]
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """Calls body(i, carried) -> (pieces, carried) in turn; all pieces [count, ...] and what is carried last.

        Args:
            dtypes: of the pieces.
            carried: what the first call is given.
        """
        if self.single:
            pieces, last = body(0, list(carried))
            return [piece[None] for piece in pieces], last
        arrays = [tf.TensorArray(dtype, size=self.count) for dtype in dtypes]

        def turn(i: tf.Tensor, arrays: list[tf.TensorArray], carried: list[tf.Tensor]) -> Any:
            pieces, carried = body(i, carried)
            return (
                i + 1,
                [array.write(i, piece) for array, piece in zip(arrays, pieces, strict=True)],
                carried,
            )

        _, arrays, last = tf.while_loop(
            lambda i, *_: i < self.count, turn, (0, arrays, list(carried)), parallel_iterations=1
        )
        return [array.stack() for array in arrays], last
