"""Attention as an op of TensorFlow's, with its gradient."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from mmcore import _load
from mmcore.ops.attention.arguments import Inputs, unpacked
from mmcore.ops.attention.gradient import NO_SECOND
from mmcore.ops.attention.options import Options


def forward(inputs: Inputs, options: Options) -> tuple[tf.Tensor, tf.Tensor]:
    """See `gradient.Kernel`; the op itself has a gradient, too. It has no XLA kernel."""
    out, lse = _load.kernels().mmcore_attention(
        **_given(inputs),
        options=options.text(),
    )
    return out, lse


def backward(
    inputs: Inputs, options: Options, out: tf.Tensor, lse: tf.Tensor, dout: tf.Tensor
) -> list[tf.Tensor]:
    """See `gradient.Kernel`."""
    return _backward(inputs, options.text(), out, lse, dout)


def _backward(
    inputs: Inputs, options: str | bytes, out: tf.Tensor, lse: tf.Tensor, dout: tf.Tensor
) -> list[tf.Tensor]:
    dq, dk, dv, dbias = _load.kernels().mmcore_attention_grad(
        **_given(inputs),
        out=out,
        lse=lse,
        dout=dout,
        options=options,
    )
    for gradient, x in zip(dbias, inputs.biases, strict=True):
        gradient.set_shape(x.shape)  # The shape function does not see that there is one.
    return [dq, dk, dv, *dbias]


def _given(inputs: Inputs) -> dict[str, Any]:
    """The inputs under the names that both ops give them."""
    return {
        "q": inputs.q,
        "k": inputs.k,
        "v": inputs.v,
        "mask": inputs.masks,
        "bias": inputs.biases,
        "segments": inputs.segments,
        "seed": inputs.seeds,
    }


@tf.RegisterGradient("MmcoreAttention")
def _gradient(op: Any, dout: tf.Tensor, _: Any) -> list[tf.Tensor | None]:
    """Of all inputs; the logarithms of sums are for the backward pass alone."""
    counts = [op.get_attr(f"num_{name}") for name in ("masks", "biases", "segments", "seeds")]
    out, lse = op.outputs
    inputs = unpacked(op.inputs, counts)
    dq, dk, dv, *dbias = _backward(inputs, op.get_attr("options"), out, lse, dout)
    return [dq, dk, dv, *[None] * len(inputs.masks), *dbias, *[None] * sum(counts[2:])]


@tf.RegisterGradient("MmcoreAttentionGrad")
def _refuse(*_: Any) -> Any:
    raise NotImplementedError(NO_SECOND)
