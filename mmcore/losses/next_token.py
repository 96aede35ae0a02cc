"""What a language model is asked at each position."""

from __future__ import annotations

import tensorflow as tf


def next_token(ids: tf.Tensor, segment_ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The id that follows at each position, and 1 where one follows in the same segment: for `cross_entropy`.

    The last position of a segment has no label: what comes next in a packed row is another text. For padded
    rows the mask as integers is a row's segment ids.

    Shapes:
        ids: int32 [R, L]; segment_ids: int [R, L], 0 = padding.
        result: labels int32 [R, L], 0 where there is none; weights float32 [R, L].

    Raises:
        ValueError: ids and segment_ids of different shapes.

    Example:
        >>> from mmcore import losses
        >>> labels, weights = losses.next_token(tf.constant([[5, 6, 7, 8]]), tf.constant([[1, 1, 2, 0]]))
        >>> labels.numpy().tolist(), weights.numpy().tolist()
        ([[6, 0, 0, 0]], [[1.0, 0.0, 0.0, 0.0]])
    """
    ids, segment_ids = tf.convert_to_tensor(ids), tf.convert_to_tensor(segment_ids)
    if ids.shape.rank != 2 or not ids.shape.is_compatible_with(segment_ids.shape):
        raise ValueError(
            f"expected ids and segment_ids [rows, length], found {ids.shape} and {segment_ids.shape}"
        )
    follows = (segment_ids[:, 1:] == segment_ids[:, :-1]) & (segment_ids[:, 1:] > 0)
    end = [[0, 0], [0, 1]]
    labels = tf.pad(tf.where(follows, ids[:, 1:], tf.zeros([], ids.dtype)), end)
    return labels, tf.pad(tf.cast(follows, tf.float32), end)
