"""Accuracy of one batch as a TensorFlow function, for use inside a compiled step."""

from __future__ import annotations

import tensorflow as tf


def batch_accuracy(logits: tf.Tensor, labels: tf.Tensor, *, weights: tf.Tensor | None = None) -> tf.Tensor:
    """sum_i w_i [argmax(logits_i) == label_i] / sum_i w_i; 0 when the total weight is 0.

    A row with a NaN logit counts as wrong.

    Shapes:
        logits: float [B, num_classes].
        labels: int [B].
        weights: float [B], >= 0; None: all 1.
        returns: float32 [].

    Raises:
        ValueError: labels or weights do not have the shape [B].

    Example:
        >>> logits, weights = tf.constant([[1.0, 2.0]] * 3), tf.constant([1.0, 1.0, 0.0])
        >>> print(batch_accuracy(logits, tf.constant([1, 0, 0]), weights=weights).numpy())
        0.5
    """
    logits, labels = tf.convert_to_tensor(logits), tf.convert_to_tensor(labels)
    if not labels.shape.is_compatible_with(logits.shape[:-1]):
        raise ValueError(f"labels must have shape {logits.shape[:-1]}, found {labels.shape}")
    finite = tf.reduce_all(logits == logits, axis=-1)
    right = (tf.argmax(logits, axis=-1, output_type=labels.dtype) == labels) & finite
    right = tf.cast(right, tf.float32)
    if weights is None:
        return tf.reduce_mean(right)
    weights = tf.cast(tf.convert_to_tensor(weights), tf.float32)
    if not weights.shape.is_compatible_with(labels.shape):
        raise ValueError(f"weights must have shape {labels.shape}, found {weights.shape}")
    return tf.math.divide_no_nan(tf.reduce_sum(right * weights), tf.reduce_sum(weights))
