"""The sum of squares over several tensors: the square of their common norm."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import record

from mmcore import _load
from mmcore.ops import backends

Sum = Callable[[list[tf.Tensor]], tf.Tensor]


def sum_of_squares(tensors: Iterable[tf.Tensor], *, impl: str = "auto") -> tf.Tensor:
    """sum over all tensors and elements of x^2, in one pass over the memory; NaN where one is among them.

    It works eagerly, in graphs and under `jit_compile=True`. On one processor the result has the same bits for any
    number of threads.

    Shapes:
        tensors: float of any shapes; those of other dtypes than float32 are cast. Result: float32 [].

    Args:
        tensors: at least one.
        impl: "native" (mmcore's kernel, on CPUs), "tensorflow", or "auto": native where it can, else tensorflow,
            which the log says once.

    Raises:
        ValueError: no tensor, an unknown impl, or "native" where the kernel cannot run.

    Example:
        >>> from mmcore import ops
        >>> ops.sum_of_squares([tf.constant([1.0, 2.0]), tf.constant(3.0)]).numpy()
        np.float32(14.0)
    """
    given = [tf.cast(x, tf.float32) for x in tensors]
    if not given:
        raise ValueError("expected at least one tensor, found none")
    return _differentiable(_SUMS[backends.choose(given, impl, "sum_of_squares")], given)


def _differentiable(sum_: Sum, tensors: list[tf.Tensor]) -> tf.Tensor:
    @tf.custom_gradient
    def run(*tensors: tf.Tensor) -> Any:
        # Or a tape would ask what is called inside for gradients, which nobody needs.
        with record.stop_recording():
            y = sum_(list(tensors))
        return y, lambda dy: [2.0 * dy * x for x in tensors]

    return run(*tensors)


def _plain(tensors: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n([tf.reduce_sum(tf.square(x)) for x in tensors])


def _op(tensors: list[tf.Tensor]) -> tf.Tensor:
    y = _load.kernels().mmcore_sum_of_squares(x=tensors)
    y.set_shape([])
    return y


def _xla(tensors: list[tf.Tensor]) -> tf.Tensor:
    sizes = " ".join(str(x.shape.num_elements()) for x in tensors)
    return backends.xla_call("mmcore_sum_of_squares_1", tensors, sizes, [(tf.float32, tf.TensorShape([]))])[0]


@functools.cache
def _compiled() -> Callable[[list[tf.Tensor]], tf.Tensor]:
    """XLA's call in a function compiled by itself: it can stand in any graph, and runs in a compiled one."""
    return tf.function(_xla, jit_compile=True, autograph=False)


_SUMS: dict[str, Sum] = {
    "plain": _plain,
    "op": _op,
    "xla": _xla,
    "op or xla": lambda given: backends.either(lambda: _op(given), lambda: _compiled()(given)),
    "op or plain": lambda given: backends.either(lambda: _op(given), lambda: _plain(given)),
}
