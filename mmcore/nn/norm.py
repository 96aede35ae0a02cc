"""Normalisation: LayerNorm, GroupNorm, BatchNorm. Statistics are never half precision."""

from __future__ import annotations

import tensorflow as tf

from mmcore.nn.dtypes import wide
from mmcore.nn.shapes import sizes


class LayerNorm(tf.Module):
    """(x - mean) / sqrt(variance + epsilon) * scale + bias, with the moments of the last axis.

    Shapes:
        x: float [..., dim]; result: the same shape and dtype.

    Args:
        dim: width of the last axis.
        epsilon: added to the variance.

    Raises:
        ValueError: an input of another width.

    Source: Ba et al. 2016, arXiv:1607.06450, equation 4.

    Example:
        >>> from mmcore import nn
        >>> nn.LayerNorm(2)(tf.constant([[1.0, 3.0]])).numpy().round(3).tolist()
        [[-1.0, 1.0]]
    """

    def __init__(self, dim: int, *, epsilon: float = 1e-6):
        super().__init__()
        self.dim, self.epsilon = dim, epsilon
        self.scale = tf.Variable(tf.ones([dim]))
        self.bias = tf.Variable(tf.zeros([dim]))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        _check_width(x, self.dim)
        centred = wide(x) - tf.reduce_mean(wide(x), axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        y = centred * tf.math.rsqrt(variance + self.epsilon)
        return tf.cast(y * tf.cast(self.scale, y.dtype) + tf.cast(self.bias, y.dtype), x.dtype)


class GroupNorm(tf.Module):
    """LayerNorm over groups of channels and all positions of one image.

    Shapes:
        x: float [B, ..., dim]; result: the same shape and dtype.

    Args:
        dim: channels.
        num_groups: in how many equal parts the channels are normalised.
        epsilon: added to the variance.

    Raises:
        ValueError: dim that num_groups does not divide; an input of another width.

    Source: Wu and He 2018, arXiv:1803.08494, equations 1, 2 and 7.
    """

    def __init__(self, dim: int, *, num_groups: int = 8, epsilon: float = 1e-5):
        super().__init__()
        if num_groups < 1 or dim % num_groups:
            raise ValueError(f"expected num_groups that divides dim={dim}, found {num_groups}")
        self.dim, self.num_groups, self.epsilon = dim, num_groups, epsilon
        self.scale = tf.Variable(tf.ones([dim]))
        self.bias = tf.Variable(tf.zeros([dim]))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        _check_width(x, self.dim)
        shape = sizes(x)
        groups = tf.reshape(wide(x), [shape[0], -1, self.num_groups, self.dim // self.num_groups])
        centred = groups - tf.reduce_mean(groups, axis=[1, 3], keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=[1, 3], keepdims=True)
        y = tf.reshape(centred * tf.math.rsqrt(variance + self.epsilon), shape)
        return tf.cast(y * tf.cast(self.scale, y.dtype) + tf.cast(self.bias, y.dtype), x.dtype)


class BatchNorm(tf.Module):
    """Normalises each channel by the moments of the batch in training, by moving averages of them otherwise.

    In training, moving = momentum * moving + (1 - momentum) * batch, with the biased variance. Rows that
    `mask` leaves out take no part in the moments.

    Shapes:
        x: float [B, ..., dim]; mask: bool [B] or None; result: the shape and dtype of x.

    Args:
        dim: channels.
        momentum: share of the old moving average that is kept in a step.
        epsilon: added to the variance.

    Raises:
        ValueError: momentum outside [0, 1]; an input of another width.

    Source: Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1. The moving variance is the biased one.
    """

    def __init__(self, dim: int, *, momentum: float = 0.9, epsilon: float = 1e-5):
        super().__init__()
        if not 0.0 <= momentum <= 1.0:
            raise ValueError(f"expected momentum in [0, 1], found {momentum}")
        self.dim, self.momentum, self.epsilon = dim, momentum, epsilon
        self.scale = tf.Variable(tf.ones([dim]))
        self.bias = tf.Variable(tf.zeros([dim]))
        self.moving_mean = tf.Variable(tf.zeros([dim]), trainable=False)
        self.moving_variance = tf.Variable(tf.ones([dim]), trainable=False)

    def __call__(self, x: tf.Tensor, mask: tf.Tensor | None = None, *, training: bool = False) -> tf.Tensor:
        _check_width(x, self.dim)
        if not training:
            mean, variance = (
                tf.convert_to_tensor(self.moving_mean),
                tf.convert_to_tensor(self.moving_variance),
            )
        else:
            mean, variance = _moments(x, mask)
            kept = tf.constant(1.0) if mask is None else tf.cast(tf.reduce_any(mask), tf.float32)
            share = (1.0 - self.momentum) * kept  # a batch without a real row moves nothing
            self.moving_mean.assign_sub(share * (self.moving_mean - tf.cast(mean, tf.float32)))
            self.moving_variance.assign_sub(share * (self.moving_variance - tf.cast(variance, tf.float32)))
        mean, variance, scale, bias = (
            tf.cast(y, wide(x).dtype) for y in (mean, variance, self.scale, self.bias)
        )
        factor = tf.math.rsqrt(variance + self.epsilon) * scale
        return tf.cast(wide(x) * factor + (bias - mean * factor), x.dtype)


def _moments(x: tf.Tensor, mask: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and biased variance of each channel over the rows that the mask keeps, [dim]."""
    rows = tf.reshape(wide(x), [sizes(x)[0], -1, x.shape[-1]])
    if mask is None:
        mean = tf.reduce_mean(rows, axis=[0, 1])
        return mean, tf.reduce_mean(tf.square(rows - mean), axis=[0, 1])
    keep = tf.cast(mask, rows.dtype)
    weight = (keep / tf.maximum(tf.reduce_sum(keep) * tf.cast(sizes(rows)[1], rows.dtype), 1.0))[:, None]
    mean = tf.reduce_sum(tf.reduce_sum(rows, axis=1) * weight, axis=0)
    return mean, tf.reduce_sum(tf.reduce_sum(tf.square(rows - mean), axis=1) * weight, axis=0)


def _check_width(x: tf.Tensor, dim: int) -> None:
    if x.shape[-1] != dim:
        raise ValueError(f"expected [..., {dim}], found {x.shape}: the last axis must be dim")
