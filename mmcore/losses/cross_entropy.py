"""Cross entropy over classes, with label smoothing and example weights."""

from __future__ import annotations

import tensorflow as tf


def cross_entropy(
    logits: tf.Tensor,
    labels: tf.Tensor,
    *,
    label_smoothing: float = 0.0,
    weights: tf.Tensor | None = None,
    segment_ids: tf.Tensor | None = None,
) -> tf.Tensor:
    """sum_i w_i H(q_i, softmax(logits_i)) / sum_i w_i with q = (1 - s) onehot(label) + s / num_classes.

    The mean is over examples and by weight: a batch padded with rows of weight 0 has the loss of its real
    rows. Total weight 0 gives a loss of 0. Smoothing spreads `label_smoothing` over all classes, the true one
    included (as PyTorch and Keras do). The loss is computed in float32 whatever the dtype of the logits; NaN
    and infinite logits are not hidden, even in rows of weight 0.

    Shapes:
        logits: float [..., num_classes], any range.
        labels: int [...], in [0, num_classes). Outside: an error or NaN, depending on the device.
        weights: float [...], >= 0; None: all 1.
        segment_ids: int [...] of packed rows; what is of no segment (0) has weight 0, whatever its label.
            None: everything counts.
        returns: float32 [].

    Args:
        label_smoothing: s, the share of probability spread over all classes, in [0, 1).

    Raises:
        ValueError: label_smoothing is not in [0, 1), or the shapes do not fit each other.

    Example:
        >>> loss = cross_entropy(tf.constant([[0.0, 0.0], [9.0, 9.0]]), tf.constant([0, 1]))
        >>> print(f"{loss.numpy():.4f}")
        0.6931

    Source:
        Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, Rethinking the Inception Architecture for Computer
        Vision, 2016, arXiv 1512.00567, section 7.
    """
    check_smoothing(label_smoothing)
    logits = tf.cast(tf.convert_to_tensor(logits), tf.float32)
    labels, weights = labels_and_weights(labels, weights, segment_ids, logits.shape[:-1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    if label_smoothing:
        uniform = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1)
        losses = (1.0 - label_smoothing) * losses + label_smoothing * uniform
    if weights is None:
        return tf.reduce_mean(losses)
    return tf.reduce_sum(losses * weights) / positive(tf.reduce_sum(weights))


def check_smoothing(label_smoothing: float) -> None:
    """Refuses what is no share.

    Raises:
        ValueError: label_smoothing is not in [0, 1).
    """
    if not 0.0 <= label_smoothing < 1.0:
        raise ValueError(f"label_smoothing must be in [0, 1), found {label_smoothing}")


def labels_and_weights(
    labels: tf.Tensor, weights: tf.Tensor | None, segment_ids: tf.Tensor | None, shape: tf.TensorShape
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Labels that are in range where nothing counts, and weights that are zero there; None: all 1.

    Shapes:
        labels, weights, segment_ids: of `shape`, one value an example; weights are float32 in the result.

    Raises:
        ValueError: another shape: a [B, 1] column would broadcast to [B, B] without a word.
    """
    labels = tf.convert_to_tensor(labels)
    _check_shape("labels", labels, shape)
    if weights is not None:
        weights = tf.cast(tf.convert_to_tensor(weights), tf.float32)
        _check_shape("weights", weights, shape)
    if segment_ids is None:
        return labels, weights
    segment_ids = tf.convert_to_tensor(segment_ids)
    _check_shape("segment_ids", segment_ids, shape)
    inside = segment_ids > 0
    weights = tf.ones(tf.shape(inside)) if weights is None else weights
    return tf.where(inside, labels, tf.zeros([], labels.dtype)), tf.where(inside, weights, 0.0)


def positive(total: tf.Tensor) -> tf.Tensor:
    """The total weight, or 1 where it is 0: the loss of nothing is 0."""
    return tf.where(total > 0.0, total, tf.ones_like(total))


def _check_shape(name: str, found: tf.Tensor, shape: tf.TensorShape) -> None:
    if not found.shape.is_compatible_with(shape):
        raise ValueError(
            f"{name} must have the shape of logits without the last axis, {shape}, found {found.shape}"
        )
