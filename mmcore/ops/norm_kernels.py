"""LayerNorm and RMSNorm of rows: as an op, as a call that XLA makes, and in plain TensorFlow."""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.python.eager import record

from mmcore import _load
from mmcore.ops.backends import Backend, either, xla_call
from mmcore.ops.dtypes import wide

Tensors = Sequence[tf.Tensor]
"""Of a forward pass: x, scale and, where there is one, bias. Of a backward pass: x, scale and dy."""


class Options(NamedTuple):
    """What does not depend on tensors."""

    epsilon: float
    centred: bool
    has_bias: bool

    def text(self) -> str:
        """As csrc/tf/norm_problem.h reads it: the bits of the float32, and 0 or 1."""
        return f"{struct.unpack('=I', struct.pack('=f', self.epsilon))[0]} {int(self.centred)}"


Pass = Callable[[Tensors, Options], list[tf.Tensor]]


def normalize(tensors: Tensors, options: Options, backend: Backend) -> tf.Tensor:
    """y of x, scale and bias, by this backend."""
    if backend == "plain":
        return plain_forward(tensors, options)[0]
    if backend == "op":
        return _op_forward(tensors, options)[0]
    return _differentiable(_PASSES[backend][0], _PASSES[backend][1], tensors, options)


def plain_forward(tensors: Tensors, options: Options) -> list[tf.Tensor]:
    """The definition. Moments are float32, of float64 rows float64."""
    x, scale, *bias = tensors
    unit, _ = _unit_rows(x, options)
    y = unit * tf.cast(scale, unit.dtype)
    for shift in bias:
        y += tf.cast(shift, unit.dtype)
    return [tf.cast(y, x.dtype)]


def _plain_backward(tensors: Tensors, options: Options) -> list[tf.Tensor]:
    """dx, dscale and, where there is a bias, dbias: the formulas, which TensorFlow can differentiate again."""
    x, scale, dy = tensors
    unit, factor = _unit_rows(x, options)
    dy = tf.cast(dy, unit.dtype)
    dunit = dy * tf.cast(scale, unit.dtype)
    dx = dunit - unit * tf.reduce_mean(dunit * unit, axis=-1, keepdims=True)
    if options.centred:
        dx -= tf.reduce_mean(dunit, axis=-1, keepdims=True)
    sums = [dy * unit, *([dy] if options.has_bias else [])]
    rows = list(range(x.shape.rank - 1))
    return [tf.cast(dx * factor, x.dtype), *(tf.cast(tf.reduce_sum(s, rows), scale.dtype) for s in sums)]


def _unit_rows(x: tf.Tensor, options: Options) -> tuple[tf.Tensor, tf.Tensor]:
    """Rows without their means, divided by their deviations; and 1 / the deviations."""
    unit = wide(x)
    if options.centred:
        unit -= tf.reduce_mean(unit, axis=-1, keepdims=True)
    factor = tf.math.rsqrt(tf.reduce_mean(tf.square(unit), axis=-1, keepdims=True) + options.epsilon)
    return unit * factor, factor


def _op_forward(tensors: Tensors, options: Options) -> list[tf.Tensor]:
    x, scale, *bias = tensors
    return [_load.kernels().mmcore_norm(x=x, scale=scale, bias=bias, options=options.text())]


def _op_backward(tensors: Tensors, options: Options) -> list[tf.Tensor]:
    x, scale, dy = tensors
    dx, dscale, dbias = _load.kernels().mmcore_norm_grad(
        x=x, scale=scale, dy=dy, options=options.text(), num_biases=int(options.has_bias)
    )
    for gradient in dbias:
        gradient.set_shape(scale.shape)  # The shape function does not see that there is one.
    return [dx, dscale, *dbias]


def _xla_forward(tensors: Tensors, options: Options) -> list[tf.Tensor]:
    x = tensors[0]
    return list(xla_call("mmcore_norm_1", tensors, _config(x, options), [(x.dtype, x.shape)]))


def _xla_backward(tensors: Tensors, options: Options) -> list[tf.Tensor]:
    x, scale, _ = tensors
    results = [(x.dtype, x.shape)] + [(scale.dtype, scale.shape)] * (1 + options.has_bias)
    return list(xla_call("mmcore_norm_grad_1", tensors, _config(x, options), results))


def _config(x: tf.Tensor, options: Options) -> str:
    """As csrc/tf/xla_norm.cc reads it."""
    width = x.shape[-1]
    rows = x.shape.num_elements() // width
    numbers = (x.dtype == tf.bfloat16, rows, width, options.has_bias)
    return " ".join([options.text(), *(str(int(number)) for number in numbers)])


@functools.lru_cache(maxsize=256)
def _compiled(body: Pass, options: Options) -> Callable[..., Any]:
    """XLA's call in a function compiled by itself: it can stand in any graph, and runs in a compiled one."""

    @tf.function(jit_compile=True, autograph=False)
    def mmcore_norm(tensors: list[tf.Tensor]) -> list[tf.Tensor]:
        return body(tensors, options)

    return mmcore_norm


def _op_or(op: Pass, other: Pass, *, own_function: bool) -> Pass:
    def run(tensors: Tensors, options: Options) -> list[tf.Tensor]:
        compiled = _compiled(other, options) if own_function else lambda given: other(given, options)
        return either(lambda: op(tensors, options), lambda: compiled(list(tensors)))

    return run


_PASSES: dict[str, tuple[Pass, Pass]] = {
    "xla": (_xla_forward, _xla_backward),
    "op or xla": (
        _op_or(_op_forward, _xla_forward, own_function=True),
        _op_or(_op_backward, _xla_backward, own_function=True),
    ),
    "op or plain": (
        _op_or(_op_forward, plain_forward, own_function=False),
        _op_or(_op_backward, _plain_backward, own_function=False),
    ),
}


def _differentiable(forward: Pass, backward: Pass, tensors: Tensors, options: Options) -> tf.Tensor:
    """The forward pass with the backward pass as its gradient, whose own gradient is plain TensorFlow's."""

    @tf.custom_gradient
    def run(*tensors: tf.Tensor) -> Any:
        # Or a tape would ask what is called inside for gradients, which nobody needs.
        with record.stop_recording():
            (y,) = forward(tensors, options)
        return y, lambda dy: differentiate(tensors[0], tensors[1], dy)

    @tf.custom_gradient
    def differentiate(*tensors: tf.Tensor) -> Any:
        with record.stop_recording():
            gradients = backward(tensors, options)
        return gradients, lambda *upstream: _second(tensors, options, upstream)

    return run(*tensors)


def _second(tensors: Tensors, options: Options, upstream: Tensors) -> list[tf.Tensor]:
    """Gradients of a backward pass by x, scale and dy, in plain TensorFlow."""
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        gradients = _plain_backward(tensors, options)
    return tape.gradient(gradients, tensors, output_gradients=list(upstream))


def _options_of(op: Any) -> Options:
    bits, centred = op.get_attr("options").split()
    epsilon = struct.unpack("=f", struct.pack("=I", int(bits)))[0]
    return Options(epsilon, centred == b"1", op.get_attr("num_biases") == 1)


@tf.RegisterGradient("MmcoreNorm")
def _gradient_of_op(op: Any, dy: tf.Tensor) -> list[tf.Tensor]:
    return _op_backward([op.inputs[0], op.inputs[1], dy], _options_of(op))


@tf.RegisterGradient("MmcoreNormGrad")
def _gradient_of_gradient(op: Any, *upstream: tf.Tensor) -> list[tf.Tensor]:
    return _second(list(op.inputs), _options_of(op), upstream)
