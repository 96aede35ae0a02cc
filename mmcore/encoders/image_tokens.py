"""What image encoders end with."""

from __future__ import annotations

import tensorflow as tf

from mmcore import nn
from mmcore.nn.dtypes import wide
from mmcore.nn.shapes import sizes


def filled(x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """The images, each missing one replaced by one that is there, in turn; zeros if none is.

    So the moments of a BatchNorm are those of real images, and it needs no mask: in a plain graph moments
    over some rows cost 2.5 times TensorFlow's fused op.

    Shapes:
        x: float [B, height, width, C]; mask: bool [B] or None; result: like x.
    """
    if mask is None:
        return x
    present_first = tf.argsort(tf.cast(~mask, tf.int32), stable=True)
    num_present = tf.reduce_sum(tf.cast(mask, tf.int32))
    turn = (tf.cumsum(tf.cast(~mask, tf.int32)) - 1) % tf.maximum(num_present, 1)
    source = tf.where(mask, tf.range(tf.size(mask)), tf.gather(present_first, turn))
    return tf.where(num_present > 0, tf.gather(x, source), tf.zeros([], x.dtype))


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
