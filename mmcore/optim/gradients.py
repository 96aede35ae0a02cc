"""The global norm of gradients and clipping by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import tensorflow as tf

from mmcore import ops


def global_norm(tensors: Iterable[tf.Tensor]) -> tf.Tensor:
    """sqrt(sum over all tensors and elements of x^2), float32 [], summed in float32."""
    return tf.sqrt(ops.sum_of_squares(tensors))


def clip_by_global_norm(
    gradients: Mapping[str, tf.Tensor], clip_norm: float
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """g * min(1, clip_norm / norm) for every gradient g, with their common norm.

    Gradients below `clip_norm` are left as they are, bit for bit. A NaN anywhere makes every gradient NaN;
    with an infinite norm infinite elements become NaN and the others 0. Either shows in the norm of the same
    step.

    Returns:
        the gradients by path, and the norm before clipping, float32 [].

    Raises:
        ValueError: clip_norm is not positive.

    Example:
        >>> clipped, norm = clip_by_global_norm({"kernel": tf.constant([3.0, 4.0])}, 1.0)
        >>> print(norm.numpy(), clipped["kernel"].numpy())
        5.0 [0.6 0.8]

    Source:
        Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, 2013, arXiv
        1211.5063, algorithm 1.
    """
    if not clip_norm > 0.0:
        raise ValueError(f"clip_norm must be positive, found {clip_norm}; use None for no clipping")
    norm = global_norm(gradients.values())
    scale = tf.where(norm <= clip_norm, tf.ones_like(norm), clip_norm / norm)
    return {path: gradient * tf.cast(scale, gradient.dtype) for path, gradient in gradients.items()}, norm
