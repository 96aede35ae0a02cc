"""Normalisation: LayerNorm, RMSNorm, GroupNorm, BatchNorm. Statistics are never half precision."""

from __future__ import annotations

import tensorflow as tf

from mmcore import ops
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
        return ops.layer_norm(x, self.scale, self.bias, epsilon=self.epsilon)


class RMSNorm(tf.Module):
    """x / sqrt(mean of squares + epsilon) * scale, with the mean over the last axis.

    Shapes:
        x: float [..., dim]; result: the same shape and dtype.

    Args:
        dim: width of the last axis.
        epsilon: added to the mean of squares.

    Raises:
        ValueError: an input of another width.

    Source: Zhang and Sennrich 2019, arXiv:1910.07467, equation 4.
    """

    def __init__(self, dim: int, *, epsilon: float = 1e-6):
        super().__init__()
        self.dim, self.epsilon = dim, epsilon
        self.scale = tf.Variable(tf.ones([dim]))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        _check_width(x, self.dim)
        return ops.rms_norm(x, self.scale, epsilon=self.epsilon)


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
        rows = tf.reshape(wide(x), [sizes(x)[0], -1, self.dim])
        centred = rows - self._group_means(rows)
        variance = self._group_means(tf.square(centred))
        y = centred * (tf.math.rsqrt(variance + self.epsilon) * tf.cast(self.scale, rows.dtype))
        return tf.cast(tf.reshape(y + tf.cast(self.bias, rows.dtype), sizes(x)), x.dtype)

    def _group_means(self, rows: tf.Tensor) -> tf.Tensor:
        """Means of each channel's group, [B, 1, dim]; positions first: twice as fast in plain graphs."""
        by_channel = tf.reduce_mean(rows, axis=1)
        width = self.dim // self.num_groups
        means = tf.reduce_mean(tf.reshape(by_channel, [-1, self.num_groups, width]), axis=-1)
        return tf.repeat(means, width, axis=-1)[:, None]


class BatchNorm(tf.Module):
    """Normalises each channel by the moments of the batch in training, by moving averages of them otherwise.

    In training, moving = momentum * moving + (1 - momentum) * batch. The batch is normalised with its biased
    variance; the moving average is of the unbiased one.

    Shapes:
        x: float [B, ..., dim]; result: the same shape and dtype.

    Args:
        dim: channels.
        momentum: share of the old moving average that is kept in a step.
        epsilon: added to the variance.

    Raises:
        ValueError: momentum outside [0, 1]; an input of another width.

    Source: Ioffe and Szegedy 2015, arXiv:1502.03167, algorithms 1 and 2.
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

    def __call__(self, x: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        _check_width(x, self.dim)
        if not training:
            return self._scaled(x, self.moving_mean, self.moving_variance)
        if x.dtype == tf.float64:
            mean, biased = tf.nn.moments(x, list(range(x.shape.rank - 1)))
            count = tf.cast(tf.size(x) // self.dim, x.dtype)
            y, variance = self._scaled(x, mean, biased), biased * count / tf.maximum(count - 1.0, 1.0)
        else:
            y, mean, variance = self._fused(x)
        share = 1.0 - self.momentum
        self.moving_mean.assign_sub(share * (self.moving_mean - tf.cast(mean, tf.float32)))
        self.moving_variance.assign_sub(share * (self.moving_variance - tf.cast(variance, tf.float32)))
        return y

    def _fused(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """TensorFlow's op (no float64): twice as fast as the formula in a plain graph, equal under XLA."""
        rows = x if x.shape.rank == 4 else tf.reshape(x, [-1, 1, 1, self.dim])
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=rows, scale=self.scale, offset=self.bias, mean=[], variance=[], epsilon=self.epsilon
        )
        return y if x.shape.rank == 4 else tf.reshape(y, sizes(x)), mean, variance

    def _scaled(self, x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor) -> tf.Tensor:
        mean, variance, scale, bias = (
            tf.cast(y, wide(x).dtype) for y in (mean, variance, self.scale, self.bias)
        )
        factor = tf.math.rsqrt(variance + self.epsilon) * scale
        return tf.cast(wide(x) * factor + (bias - mean * factor), x.dtype)


def _check_width(x: tf.Tensor, dim: int) -> None:
    if x.shape[-1] != dim:
        raise ValueError(f"expected [..., {dim}], found {x.shape}: the last axis must be dim")
