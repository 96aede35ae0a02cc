"""Which implementation of attention computes a call, and why."""

from __future__ import annotations

import functools
import importlib
import logging

import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from mmcore import _load
from mmcore.ops.attention import graph, native, twin, xla
from mmcore.ops.attention.arguments import Inputs
from mmcore.ops.attention.gradient import differentiable
from mmcore.ops.attention.options import Options

IMPLS = ("auto", "native", "tensorflow")


def attend(inputs: Inputs, options: Options, impl: str) -> tf.Tensor:
    """The attention of these inputs, by who can compute it best.

    Raises:
        ValueError: impl is none of IMPLS, or it is "native" where the kernel cannot run.
    """
    if impl not in IMPLS:
        raise ValueError(f"expected impl 'auto', 'native' or 'tensorflow', found {impl!r}")
    reason = "" if impl == "tensorflow" else _obstacle(inputs)
    if reason and impl == "native":
        raise ValueError(f"impl='native' cannot serve here: {reason}; use impl='auto' or 'tensorflow'")
    if reason:
        _say_once(reason)
    if reason or impl == "tensorflow":
        return differentiable(twin, inputs, options)
    if tf.executing_eagerly():
        return native.forward(inputs, options)[0]
    if _in_xla():
        return differentiable(xla, inputs, options)
    calls = _shapes_are_known(inputs) and not xla_error()
    return differentiable(graph.calling_xla if calls else graph.without_calls, inputs, options)


def attention_impl() -> dict[str, str]:
    """What `attention(impl="auto")` runs on the CPU of this machine: by where it is called, and why.

    Example:
        >>> from mmcore import ops
        >>> ops.attention_impl()["eagerly and in graphs"].split(":")[0]
        'native'
    """
    kernel = f"native: mmcore's kernel for {_load.native().active_isa()}"
    error = xla_error()
    return {
        "eagerly and in graphs": f"{kernel}, as an op",
        "in jit_compile=True": f"tensorflow: {error}" if error else f"{kernel}, called by XLA",
        "in jit_compile=True, unknown shapes": "tensorflow: XLA wants the shapes of calls when it is traced",
        "on other devices": "tensorflow: the kernel runs on CPUs",
    }


@functools.cache
def xla_error() -> str:
    """Why compiled functions cannot call the kernel here, or empty."""
    try:
        importlib.import_module("tensorflow.compiler.tf2xla.ops.gen_xla_ops").xla_custom_call_v2  # noqa: B018
    except (ImportError, AttributeError) as error:
        return f"this TensorFlow has no XlaCustomCallV2 ({error})"
    return _load.xla_error()


def _obstacle(inputs: Inputs) -> str:
    """Why the kernel cannot compute this call, or empty."""
    if inputs.q.dtype not in native.DTYPES:
        return f"the kernel computes float32 and bfloat16, and q is {inputs.q.dtype.name}"
    if _accelerators() and not _is_on_cpu(inputs.q):
        return (
            "the kernel runs on CPUs, and this call is not placed on one (with tf.device('CPU') it would be)"
        )
    if tf.executing_eagerly() or not _in_xla():
        return ""
    if not _shapes_are_known(inputs):
        return "XLA wants the shapes of calls when a function is traced, and some are unknown"
    return xla_error()


def _in_xla() -> bool:
    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def _shapes_are_known(inputs: Inputs) -> bool:
    return all(x.shape.is_fully_defined() for x in inputs.tensors())


@functools.cache
def _accelerators() -> bool:
    """Whether TensorFlow would place ops elsewhere than on CPUs."""
    return any(device.device_type != "CPU" for device in tf.config.list_logical_devices())


def _is_on_cpu(x: tf.Tensor) -> bool:
    # In a graph the device is that of the scope, which new ops have.
    device = x.device if tf.executing_eagerly() else tf.identity(x).device
    return tf.DeviceSpec.from_string(device or "").device_type == "CPU"


@functools.cache
def _log() -> logging.Logger:
    return logging.getLogger("mmcore")


_said = False


def _say_once(reason: str) -> None:
    global _said
    if not _said:
        _said = True
        _log().warning("attention runs in plain TensorFlow, which is slower: %s", reason)
