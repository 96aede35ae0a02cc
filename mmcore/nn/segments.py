"""Packed rows: which positions see each other, and one vector for each segment.

A segment is a run of positions of a row with the same id, from 1; id 0 is padding. `data.pack` makes such rows.
"""

from __future__ import annotations

import tensorflow as tf

from mmcore.nn.dtypes import wide
from mmcore.nn.shapes import sizes


def segment_mask(segment_ids: tf.Tensor) -> tf.Tensor:
    """Which keys a query sees: those of its own segment; padding sees and is seen by nothing.

    Shapes:
        segment_ids: integer [B, T], 0 = padding; result: bool [B, T, T].

    Raises:
        ValueError: segment_ids that are no integers [B, T].

    Example:
        >>> segment_mask(tf.constant([[1, 2, 0]])).numpy().astype(int).tolist()
        [[[1, 0, 0], [0, 1, 0], [0, 0, 0]]]
    """
    check_segment_ids(segment_ids)
    queries = segment_ids[:, :, None]
    return (queries == segment_ids[:, None, :]) & (queries > 0)


def segment_mean(values: tf.Tensor, segment_ids: tf.Tensor, num_segments: int) -> tf.Tensor:
    """Mean over the positions of each segment; zeros for one without positions.

    Shapes:
        values: float [R, L, D]; segment_ids: integer [R, L]; result: [R, num_segments, D] in the dtype of
        values, segment s at index s - 1. Segments above num_segments are left out.

    Args:
        values: of packed rows.
        segment_ids: 0 = padding.
        num_segments: most segments of a row; L is always enough.

    Raises:
        ValueError: segment_ids that are no integers [R, L].

    Example:
        >>> from mmcore import nn
        >>> values = tf.constant([[[1.0], [5.0], [9.0], [7.0]]])
        >>> nn.segment_mean(values, tf.constant([[1, 1, 2, 0]]), 2).numpy().tolist()
        [[[3.0], [9.0]]]
    """
    check_segment_ids(segment_ids)
    rows, length, dim = sizes(values)
    inside = (segment_ids > 0) & (segment_ids <= num_segments)
    first = tf.range(rows, dtype=segment_ids.dtype)[:, None] * num_segments
    # A negative index is left out of the sum.
    index = tf.where(inside, first + segment_ids - 1, -1)
    index = tf.reshape(index, [-1])
    total = tf.math.unsorted_segment_sum(
        tf.reshape(wide(values), [rows * length, dim]), index, rows * num_segments
    )
    counts = tf.math.unsorted_segment_sum(tf.ones_like(index, total.dtype), index, rows * num_segments)
    mean = total / tf.maximum(counts, 1.0)[:, None]
    return tf.cast(tf.reshape(mean, [rows, num_segments, dim]), values.dtype)


def gather_segments(values: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """What belongs to each sequence, in the order in which they were packed; zeros for one that stands nowhere.

    Shapes:
        values: [R, S, ...], segment s at index s - 1; places: int [B, 2], row and segment; result: [B, ...].

    Example:
        >>> from mmcore import nn
        >>> nn.gather_segments(tf.constant([[7, 8], [9, 0]]), tf.constant([[1, 1], [-1, 0], [0, 2]])).numpy()
        array([9, 0, 8], dtype=int32)
    """
    rows, width, *inner = sizes(values)
    placed = places[:, 1] > 0
    # One row of zeros more, for those without a place.
    flat = tf.concat(
        [tf.reshape(values, [rows * width, *inner]), tf.zeros([1, *inner], values.dtype)], axis=0
    )
    return tf.gather(flat, tf.where(placed, places[:, 0] * width + places[:, 1] - 1, rows * width))


def segment_index(segment_ids: tf.Tensor, places: tf.Tensor, length: int | tf.Tensor) -> tf.Tensor:
    """Where the tokens of each sequence stand in the rows laid end to end; -1 beyond its end, or without a place.

    Shapes:
        segment_ids: integer [R, L]; places: int [B, 2], row and segment; result: int32 [B, length].

    Args:
        segment_ids: 0 = padding.
        places: of the sequences.
        length: most tokens of a sequence; what a longer one has beyond is left out.

    Raises:
        ValueError: segment_ids that are no integers [R, L].

    Example:
        >>> from mmcore import nn
        >>> ids, places = tf.constant([[1, 2, 2], [1, 0, 0]]), tf.constant([[1, 1], [-1, 0], [0, 2]])
        >>> nn.segment_index(ids, places, 2).numpy().tolist()
        [[3, -1], [-1, -1], [1, 2]]
    """
    check_segment_ids(segment_ids)
    rows, width = sizes(segment_ids)
    placed = places[:, 1] > 0
    # One row of padding more, for those without a place.
    padded = tf.pad(segment_ids, [[0, 1], [0, 0]])
    own = tf.gather(padded, tf.where(placed, places[:, 0], rows)) == places[:, 1:]
    own = tf.cast(own & placed[:, None], tf.int32)
    start = places[:, 0] * width + tf.argmax(own, axis=1, output_type=tf.int32)
    steps = tf.range(length)[None]
    return tf.where(steps < tf.reduce_sum(own, axis=1, keepdims=True), start[:, None] + steps, -1)


def check_segment_ids(segment_ids: tf.Tensor) -> None:
    """Refuses what cannot be segment ids.

    Raises:
        ValueError: they are no integers of two axes.
    """
    if not segment_ids.dtype.is_integer or segment_ids.shape.rank != 2:
        raise ValueError(
            f"expected integer segment_ids [rows, length], found {segment_ids.dtype.name} {segment_ids.shape}: "
            "data.pack and ops.pack make them"
        )
