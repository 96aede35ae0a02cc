"""Who computes a call of an op with gradients: a native op, a call that XLA makes, or plain TensorFlow.

The op is the fast way in plain graphs, yet XLA cannot compile it; XLA's call runs in compiled functions alone, and
wants all shapes when they are traced; plain TensorFlow runs everywhere.
"""

from __future__ import annotations

import functools
import importlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, Literal

import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from mmcore import _load

IMPLS = ("auto", "native", "tensorflow")
NATIVE_DTYPES = (tf.float32, tf.bfloat16)

Backend = Literal["op", "xla", "op or xla", "op or plain", "own function", "plain"]
"""With "or", the second is what XLA compiles, should a compiled function call the graph. "own function" is XLA's call
in a function compiled by itself: on a GPU, where there is no op."""


def choose(
    tensors: Sequence[tf.Tensor], impl: str, name: str, *, cuda_error: Callable[[], str] | None = None
) -> Backend:
    """Who computes a call.

    Args:
        tensors: all that the call takes; the first decides about dtype and device.
        impl: "auto", "native" or "tensorflow".
        name: of what is computed, for messages.
        cuda_error: says why there is no kernel for the GPU here, or nothing; None: there never is one.

    Raises:
        ValueError: impl is none of these, or it is "native" where no kernel can run.
    """
    if impl not in IMPLS:
        raise ValueError(f"expected impl 'auto', 'native' or 'tensorflow', found {impl!r}")
    on_gpu = _accelerators() and not _is_on_cpu(tensors[0])
    reason = "" if impl == "tensorflow" else _obstacle(tensors, on_gpu, cuda_error)
    if reason and impl == "native":
        raise ValueError(f"impl='native' cannot serve here: {reason}; use impl='auto' or 'tensorflow'")
    if reason:
        _say_once(name, reason)
    if reason or impl == "tensorflow":
        return "plain"
    if on_gpu:
        return "xla" if not tf.executing_eagerly() and in_xla() else "own function"
    if tf.executing_eagerly():
        return "op"
    if in_xla():
        return "xla"
    return "op or xla" if _shapes_are_known(tensors) and not xla_error() else "op or plain"


@functools.cache
def xla_error() -> str:
    """Why compiled functions cannot call kernels here, or empty."""
    try:
        importlib.import_module("tensorflow.compiler.tf2xla.ops.gen_xla_ops").xla_custom_call_v2  # noqa: B018
    except (ImportError, AttributeError) as error:
        return f"this TensorFlow has no XlaCustomCallV2 ({error})"
    return _load.xla_error()


def xla_call(
    target: str,
    operands: Sequence[tf.Tensor],
    config: str,
    results: Sequence[tuple[tf.DType, tf.TensorShape]],
) -> Sequence[tf.Tensor]:
    """A call that XLA makes, inside functions that it compiles only."""
    from tensorflow.compiler.tf2xla.ops import gen_xla_ops

    return gen_xla_ops.xla_custom_call_v2(
        operands=operands,
        call_target_name=target,
        backend_config=config,
        has_side_effect=False,
        result_dtypes=[dtype for dtype, _ in results],
        result_shapes=[shape for _, shape in results],
    )


def either(on_cpu: Callable[[], Any], compiled: Callable[[], Any]) -> Any:
    """The first where the graph runs by itself, the second where XLA compiles it, which nobody knows before.

    `DeviceIndex` tells when the graph runs: 0 on a CPU; to XLA one past the list, and XLA compiles the branch that is
    taken alone. A call costs 5 us; an op alone 2.4, a compiled function of its own 19 (TensorFlow 2.21, 2026-12).
    """
    return tf.switch_case(tf.raw_ops.DeviceIndex(device_names=["CPU"]), [on_cpu, compiled])


def in_xla() -> bool:
    """Whether what is traced now belongs to a function that XLA compiles."""
    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def _obstacle(tensors: Sequence[tf.Tensor], on_gpu: bool, cuda_error: Callable[[], str] | None) -> str:
    """Why no kernel can compute this call, or empty."""
    if tensors[0].dtype not in NATIVE_DTYPES:
        return f"the kernel computes float32 and bfloat16, and the input is {tensors[0].dtype.name}"
    if on_gpu:
        error = "there is none for GPUs" if cuda_error is None else cuda_error()
        if error:
            return (
                "the kernel runs on CPUs, and this call is not placed on one (with tf.device('CPU') it would be): "
                + error
            )
    elif tf.executing_eagerly() or not in_xla():
        return ""
    if not _shapes_are_known(tensors):
        return "XLA wants the shapes of calls when a function is traced, and some are unknown"
    return xla_error()


def _shapes_are_known(tensors: Sequence[tf.Tensor]) -> bool:
    return all(x.shape.is_fully_defined() for x in tensors)


@functools.cache
def _accelerators() -> bool:
    """Whether TensorFlow would place ops elsewhere than on CPUs."""
    return any(device.device_type != "CPU" for device in tf.config.list_logical_devices())


def _is_on_cpu(x: tf.Tensor) -> bool:
    # In a graph the device is that of the scope, which new ops have.
    device = x.device if tf.executing_eagerly() else tf.identity(x).device
    return tf.DeviceSpec.from_string(device or "").device_type == "CPU"


_said: set[str] = set()


def _say_once(name: str, reason: str) -> None:
    if name not in _said:
        _said.add(name)
        logging.getLogger("mmcore").warning("%s runs in plain TensorFlow, which is slower: %s", name, reason)
