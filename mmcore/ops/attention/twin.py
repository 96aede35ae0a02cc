"""Attention in TensorFlow alone: the definition for tests, and what runs where the kernel cannot.

Rows of scores are computed, used and dropped for some queries at a time, in the backward pass again; no [T, S] exists
at once. Sums are float32 (of float64: float64).
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from mmcore.ops.attention.arguments import Inputs
from mmcore.ops.attention.options import Options
from mmcore.ops.attention.scores import Scores, softmax


def forward(inputs: Inputs, options: Options) -> tuple[tf.Tensor, tf.Tensor]:
    """See `gradient.Kernel`."""
    scores = Scores(inputs, options)

    def body(i: Any, _: list[tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        values, _ = scores.of(i)
        weights, lse = softmax(values)
        weights *= scores.kept(i)
        return [scores.as_rows(tf.matmul(scores.grouped(weights), scores.v)), lse[..., 0]], []

    (out, lse), _ = scores.chunks.loop(body, [inputs.q.dtype, scores.dtype], [])
    out, lse = scores.chunks.join(out, 1), scores.chunks.join(lse, 2)
    out.set_shape(inputs.q.shape)
    batch, queries, heads, _ = inputs.q.shape
    lse.set_shape([batch, heads, queries])
    return out, lse


def backward(
    inputs: Inputs, options: Options, out: tf.Tensor, lse: tf.Tensor, dout: tf.Tensor
) -> list[tf.Tensor]:
    """See `gradient.Kernel`. The rows are computed again, sums and all: that is nearer than from `lse` and `out`."""
    scores = Scores(inputs, options)
    bias_sums = _BiasSums(inputs.bias, scores.dtype)
    douts = scores.chunks.split(dout, 1)

    def body(i: Any, carried: list[tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        dk, dv, *dbias = carried
        values, slope = scores.of(i)
        weights, _ = softmax(values)
        kept = scores.kept(i)
        upstream = scores.by_heads(tf.gather(douts, i, axis=1))
        dv += tf.matmul(scores.grouped(weights * kept), upstream, transpose_a=True)
        dweights = scores.ungrouped(tf.matmul(upstream, scores.v, transpose_b=True)) * kept
        dscores = weights * (dweights - tf.reduce_sum(weights * dweights, axis=-1, keepdims=True))
        rows, dbias = bias_sums.add(dscores, dbias)
        dscores = scores.grouped(dscores * slope * options.scale)
        dk += tf.matmul(dscores, scores.queries(i), transpose_a=True)
        return [scores.as_rows(tf.matmul(dscores, scores.k)), *rows], [dk, dv, *dbias]

    zeros = tf.zeros_like(scores.k)
    dtypes = [inputs.q.dtype, *bias_sums.dtypes()]
    pieces, carried = scores.chunks.loop(body, dtypes, [zeros, zeros, *bias_sums.start()])
    dk, dv, *dbias = carried
    gradients = [scores.chunks.join(pieces[0], 1)]
    gradients += [tf.cast(tf.transpose(x, [0, 2, 1, 3]), inputs.k.dtype) for x in (dk, dv)]
    gradients += bias_sums.result([scores.chunks.join(piece, 2) for piece in pieces[1:]], dbias)
    for gradient, x in zip(gradients, [inputs.q, inputs.k, inputs.v, *inputs.biases], strict=True):
        gradient.set_shape(x.shape)
    return gradients


class _BiasSums:
    """The gradient of a bias: pieces of rows where the bias has an axis of queries, else a sum that is carried."""

    def __init__(self, bias: tf.Tensor | None, dtype: tf.DType):
        self.bias, self.dtype = bias, dtype
        self.by_queries = bias is not None and bias.shape[2] != 1

    def dtypes(self) -> list[tf.DType]:
        return [self.dtype] if self.by_queries else []

    def start(self) -> list[tf.Tensor]:
        return [] if self.bias is None or self.by_queries else [tf.zeros(tf.shape(self.bias), self.dtype)]

    def add(self, dscores: tf.Tensor, sums: list[tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """(the piece of these rows, the sums as they were), or (nothing, the sums with it)."""
        if self.bias is None:
            return [], sums
        shape = tf.shape(self.bias)
        if not self.by_queries:
            return [], [sums[0] + _summed_to(dscores, shape)]
        return [_summed_to(dscores, tf.concat([shape[:2], tf.shape(dscores)[2:]], 0))], sums

    def result(self, joined: list[tf.Tensor], sums: list[tf.Tensor]) -> list[tf.Tensor]:
        """Of both, the one that there is; an axis of queries of unknown length may have been one."""
        return [tf.cast(_summed_to(x, tf.shape(self.bias)), tf.float32) for x in joined + sums]


def _summed_to(x: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """x, summed over the axes that broadcasting from this shape would repeat."""
    axes, _ = tf.raw_ops.BroadcastGradientArgs(s0=shape, s1=tf.shape(x))
    return tf.reshape(tf.reduce_sum(x, axes), shape)
