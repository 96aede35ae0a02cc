"""A forward and a backward pass joined to one differentiable function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import tensorflow as tf
from tensorflow.python.eager import record

from mmcore.ops.attention.arguments import Inputs
from mmcore.ops.attention.options import Options
from mmcore.ops.first_order import first_order

NO_SECOND = (
    "attention has no second derivatives; write it with tf.matmul and tf.nn.softmax where you need them"
)


class Kernel(Protocol):
    """Attention as two functions."""

    def forward(self, inputs: Inputs, options: Options) -> tuple[tf.Tensor, tf.Tensor]:
        """The result, and the logarithms of sums of exponentials [B, H, T]: infinity where no key is seen."""

    def backward(
        self, inputs: Inputs, options: Options, out: tf.Tensor, lse: tf.Tensor, dout: tf.Tensor
    ) -> list[tf.Tensor]:
        """Gradients of q, k, v and the bias, if there is one; `out` and `lse` as forward gave them."""


def differentiable(kernel: Kernel, inputs: Inputs, options: Options) -> tf.Tensor:
    """The kernel's result, with the kernel's gradient."""

    @tf.custom_gradient
    def run(*tensors: tf.Tensor) -> Any:
        q, k, v, *bias = tensors
        given = inputs._replace(q=q, k=k, v=v, bias=bias[0] if bias else None)
        # Or a tape would ask what is called inside for gradients, which nobody needs.
        with record.stop_recording():
            out, lse = kernel.forward(given, options)

        def gradient(dout: tf.Tensor) -> Sequence[tf.Tensor]:
            with record.stop_recording():
                gradients = kernel.backward(given, options, out, lse, dout)
            return first_order([*tensors, dout], gradients, NO_SECOND)

        return out, gradient

    return run(inputs.q, inputs.k, inputs.v, *inputs.biases)
