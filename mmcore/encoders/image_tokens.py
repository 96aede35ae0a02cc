"""What image encoders end with."""

from __future__ import annotations

import tensorflow as tf

from mmcore import nn
from mmcore.nn.dtypes import wide
from mmcore.nn.shapes import sizes


def without_missing(x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """The images, zeros where there is none: what stands there must not reach a norm.

    Shapes:
        x: float [B, height, width, C]; mask: bool [B] or None; result: like x.
    """
    return x if mask is None else tf.where(mask[:, None, None, None], x, tf.zeros([], x.dtype))


def image_tokens(values: tf.Tensor, mask: tf.Tensor | None) -> nn.Tokens:
    """Tokens of images that are each wholly there or wholly missing; the summary is the mean.

    Shapes:
        values: float [B, N, D]; mask: bool [B] or None.
    """
    batch, length, _ = sizes(values)
    present = tf.ones([batch], tf.bool) if mask is None else mask
    mean = tf.cast(tf.reduce_mean(wide(values), axis=1), values.dtype)
    pooled = mean if mask is None else tf.where(mask[:, None], mean, tf.zeros([], values.dtype))
    return nn.Tokens(values, tf.repeat(present[:, None], length, axis=1), pooled)
