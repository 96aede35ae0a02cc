"""Attention in a graph that is not compiled, but may be called by a function that is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from mmcore.ops.attention import native, twin, xla
from mmcore.ops.attention.arguments import Inputs, unpacked
from mmcore.ops.attention.gradient import Kernel
from mmcore.ops.attention.options import Options
from mmcore.ops.backends import either

Counts = tuple[int, int, int, int]


class _Either:
    """The op where the graph runs by itself, another kernel where XLA compiles it."""

    def __init__(self, compiled: Kernel):
        self._compiled = compiled

    def forward(self, inputs: Inputs, options: Options) -> Any:
        return either(
            lambda: native.forward(inputs, options), lambda: self._compiled.forward(inputs, options)
        )

    def backward(
        self, inputs: Inputs, options: Options, out: tf.Tensor, lse: tf.Tensor, dout: tf.Tensor
    ) -> Any:
        rest = (inputs, options, out, lse, dout)
        return either(lambda: native.backward(*rest), lambda: self._compiled.backward(*rest))


class _OwnFunctions:
    """XLA's calls, in functions compiled by themselves: they can stand in any graph, and run in a compiled one."""

    def forward(self, inputs: Inputs, options: Options) -> Any:
        return _compiled("forward", options, inputs.counts)(inputs.tensors(), [])

    def backward(
        self, inputs: Inputs, options: Options, out: tf.Tensor, lse: tf.Tensor, dout: tf.Tensor
    ) -> Any:
        return _compiled("backward", options, inputs.counts)(inputs.tensors(), [out, lse, dout])


# For shapes that are known, and for others.
own_functions: Kernel = _OwnFunctions()
calling_xla: Kernel = _Either(own_functions)
without_calls: Kernel = _Either(twin)


@functools.lru_cache(maxsize=256)
def _compiled(direction: str, options: Options, counts: Counts) -> Callable[..., Any]:
    """One function for all calls with these options, traced for each set of shapes."""
    body = xla.forward if direction == "forward" else xla.backward

    @tf.function(jit_compile=True, autograph=False)
    def mmcore_attention(tensors: list[tf.Tensor], rest: list[tf.Tensor]) -> Any:
        return body(unpacked(tensors, counts), options, *rest)

    return mmcore_attention
