"""Which implementation of attention computes a call, and why."""

from __future__ import annotations

import tensorflow as tf

from mmcore import _load
from mmcore.ops import backends
from mmcore.ops.attention import graph, native, twin, xla
from mmcore.ops.attention.arguments import Inputs
from mmcore.ops.attention.gradient import Kernel, differentiable
from mmcore.ops.attention.options import Options

_KERNELS: dict[str, Kernel] = {
    "plain": twin,
    "xla": xla,
    "op or xla": graph.calling_xla,
    "op or plain": graph.without_calls,
    "own function": graph.own_functions,
}


def attend(inputs: Inputs, options: Options, impl: str) -> tf.Tensor:
    """The attention of these inputs, by who can compute it best; raises as `backends.choose`."""
    backend = backends.choose(inputs.tensors(), impl, "attention", cuda_error=_load.cuda_error)
    if backend == "op":
        return native.forward(inputs, options)[0]
    return differentiable(_KERNELS[backend], inputs, options)


def attention_impl() -> dict[str, str]:
    """What `attention(impl="auto")` runs on this machine: by where it is called, and why.

    Example:
        >>> from mmcore import ops
        >>> ops.attention_impl()["eagerly and in graphs"].split(":")[0]
        'native'
    """
    native_module = _load.native()
    products = native_module.bfloat16_products()
    kernel = f"native: mmcore's kernel for {native_module.active_isa()} (products of bfloat16: {products})"
    error, cuda_error = backends.xla_error(), _load.cuda_error()
    return {
        "eagerly and in graphs": f"{kernel}, as an op",
        "in jit_compile=True": f"tensorflow: {error}" if error else f"{kernel}, called by XLA",
        "in jit_compile=True, unknown shapes": "tensorflow: XLA wants the shapes of calls when it is traced",
        "on a GPU": f"tensorflow: {cuda_error}"
        if cuda_error
        else "native: mmcore's kernel for GPUs, called by XLA",
    }
