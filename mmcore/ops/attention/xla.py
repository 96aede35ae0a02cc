"""Attention as calls that XLA makes, over the same kernel as the op."""

from __future__ import annotations

import tensorflow as tf

from mmcore.ops.attention.arguments import Inputs
from mmcore.ops.attention.options import Options
from mmcore.ops.backends import xla_call


def forward(inputs: Inputs, options: Options) -> tuple[tf.Tensor, tf.Tensor]:
    """See `gradient.Kernel`. Inside functions that XLA compiles only, and all shapes must be known."""
    batch, queries, heads, _ = inputs.q.shape
    out, lse = xla_call(
        "mmcore_attention_1",
        inputs.tensors(),
        _config(inputs, options),
        [(inputs.q.dtype, inputs.q.shape), (tf.float32, tf.TensorShape([batch, heads, queries]))],
    )
    return out, lse


def backward(
    inputs: Inputs, options: Options, out: tf.Tensor, lse: tf.Tensor, dout: tf.Tensor
) -> list[tf.Tensor]:
    """See `gradient.Kernel`."""
    wanted = [inputs.q, inputs.k, inputs.v, *inputs.biases]
    gradients = xla_call(
        "mmcore_attention_grad_1",
        [*inputs.tensors(), out, lse, dout],
        _config(inputs, options),
        [(x.dtype, x.shape) for x in wanted],
    )
    return list(gradients)


def _config(inputs: Inputs, options: Options) -> str:
    """As csrc/tf/attention_problem.h reads it: options, dtype, sizes, axes of mask and bias, what else there is."""
    batch, queries, heads, head_dim = inputs.q.shape
    _, keys, kv_heads, _ = inputs.k.shape
    there = (bool(inputs.segments), inputs.seed is not None)
    numbers = (
        inputs.q.dtype == tf.bfloat16,
        *(batch, queries, keys, heads, kv_heads, head_dim),
        *_axes(inputs.mask),
        *_axes(inputs.bias),
        *there,
    )
    return " ".join([options.text(), *(str(int(number)) for number in numbers)])


def _axes(x: tf.Tensor | None) -> tuple[bool, ...]:
    """Whether there is such a tensor, and which of its axes B, H and T are not broadcast."""
    return (False,) * 4 if x is None else (True, *(size != 1 for size in x.shape[:3]))
