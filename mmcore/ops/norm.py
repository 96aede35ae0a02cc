"""LayerNorm and RMSNorm over the last axis."""

from __future__ import annotations

import math
import numbers
from typing import Any

import tensorflow as tf

from mmcore.ops import backends
from mmcore.ops.dtypes import wide_dtype
from mmcore.ops.norm_kernels import Options, normalize

DTYPES = (tf.float32, tf.bfloat16, tf.float16, tf.float64)


def layer_norm(
    x: tf.Tensor, scale: tf.Tensor, bias: tf.Tensor | None, *, epsilon: float = 1e-6, impl: str = "auto"
) -> tf.Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + bias, with the moments of the last axis.

    It works eagerly, in graphs, under `jit_compile=True` and in a SavedModel; there are gradients of x, scale and
    bias, and second ones (in plain TensorFlow). NaN stays in its row.

    Shapes:
        x: float32 or bfloat16 [..., width] (float16 and float64: in plain TensorFlow); scale and bias: float [width].
        Result: x's shape and dtype. Moments and sums are float32 (of float64: float64).

    Args:
        x: rows.
        scale: what the rows are multiplied by.
        bias: what is added; None: nothing.
        epsilon: added to the variance.
        impl: "native" (mmcore's kernel, on CPUs), "tensorflow", or "auto": native where it can, else tensorflow,
            which the log says once.

    Raises:
        TypeError: dtypes other than these; epsilon that is no Python number.
        ValueError: a width that is unknown when traced, another width of scale or bias, epsilon that is negative or not
            finite, an unknown impl, or "native" where the kernel cannot run.

    Source: Ba et al. 2016, arXiv:1607.06450, equation 4.

    Example:
        >>> from mmcore import ops
        >>> ops.layer_norm(tf.constant([[1.0, 3.0]]), tf.ones([2]), tf.zeros([2])).numpy().round(3).tolist()
        [[-1.0, 1.0]]
    """
    return _norm(x, scale, bias, epsilon, impl, centred=True)


def rms_norm(x: tf.Tensor, scale: tf.Tensor, *, epsilon: float = 1e-6, impl: str = "auto") -> tf.Tensor:
    """x / sqrt(mean of squares + epsilon) * scale, with the mean over the last axis; all else as in `layer_norm`.

    Shapes:
        x: float32 or bfloat16 [..., width] (float16 and float64: in plain TensorFlow); scale: float [width].
        Result: x's shape and dtype.

    Args:
        x: rows.
        scale: what the rows are multiplied by.
        epsilon: added to the mean of squares.
        impl: as in `layer_norm`.

    Raises:
        TypeError: as `layer_norm`.
        ValueError: as `layer_norm`.

    Source: Zhang and Sennrich 2019, arXiv:1910.07467, equation 4.

    Example:
        >>> from mmcore import ops
        >>> print(ops.rms_norm(tf.constant([[3.0, 4.0]]), tf.ones([2])).numpy().round(3))
        [[0.849 1.131]]
    """
    return _norm(x, scale, None, epsilon, impl, centred=False)


def _norm(x: Any, scale: Any, bias: Any, epsilon: Any, impl: str, *, centred: bool) -> tf.Tensor:
    x = tf.convert_to_tensor(x)
    if x.dtype not in DTYPES:
        raise TypeError(
            f"expected x of dtype {' or '.join(d.name for d in DTYPES)}, found {x.dtype.name}; cast it"
        )
    if x.shape.rank is None or x.shape.rank == 0 or not x.shape[-1]:
        raise ValueError(
            f"expected x [..., width] with a width of at least 1 known when traced, found {x.shape}"
        )
    dtype = wide_dtype(x.dtype)
    scale = _of_width("scale", scale, x.shape[-1], dtype)
    biases = [] if bias is None else [_of_width("bias", bias, x.shape[-1], dtype)]
    options = Options(_checked_epsilon(epsilon), centred, bool(biases))
    tensors = [x, scale, *biases]
    name = "layer_norm" if centred else "rms_norm"
    return normalize(tensors, options, backends.choose(tensors, impl, name))


def _of_width(name: str, x: Any, width: int, dtype: tf.DType) -> tf.Tensor:
    x = tf.convert_to_tensor(x)
    if not x.dtype.is_floating:
        raise TypeError(f"expected {name} of a float dtype, found {x.dtype.name}; cast it")
    if x.shape.as_list() != [width]:
        raise ValueError(f"expected {name} [{width}], as wide as x, found {x.shape}")
    return tf.cast(x, dtype)


def _checked_epsilon(epsilon: Any) -> float:
    if not isinstance(epsilon, numbers.Real) or isinstance(epsilon, bool):
        raise TypeError(f"expected epsilon a Python number, found {type(epsilon).__name__}")
    epsilon = float(epsilon)
    if not (math.isfinite(epsilon) and epsilon >= 0):
        raise ValueError(f"expected epsilon finite and at least 0, found {epsilon}")
    return epsilon
