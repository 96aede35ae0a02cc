"""LayerNorm and RMSNorm in NumPy and float64, and calls to compare with them."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from mmcore import ops

EPSILON = 1e-6


@dataclasses.dataclass
class Case:
    """Inputs of a call, and the gradient that comes from above. Arrays hold numbers of `dtype`."""

    x: np.ndarray
    scale: np.ndarray
    bias: np.ndarray | None
    dy: np.ndarray
    centred: bool = True
    dtype: str = "float32"

    def inputs(self) -> list[tf.Tensor]:
        """x, scale, bias if there is one, dy."""
        rows = [self.scale] if self.bias is None else [self.scale, self.bias]
        rows = [tf.constant(row, tf.float32) for row in rows]
        return [tf.cast(self.x, self.dtype), *rows, tf.cast(self.dy, self.dtype)]


def make(seed: int, kind: str, dtype: str, dims: list[int], offset: float) -> Case:
    rng = np.random.default_rng(seed)
    x, dy = (rng.normal(size=dims).astype("float32") for _ in range(2))
    x = np.float32(x * rng.lognormal(size=[*dims[:-1], 1]) + offset)
    x, dy = (tf.cast(tf.cast(a, dtype), tf.float32).numpy() for a in (x, dy))
    scale, bias = (rng.normal(size=dims[-1]).astype("float32") for _ in range(2))
    return Case(x, scale, bias if kind == "layer" else None, dy, kind != "rms", dtype)


def both(case: Case, inputs: list[tf.Tensor], impl: str) -> list[tf.Tensor]:
    """y and the gradients of x, scale and, where there is one, bias."""
    *given, dy = inputs
    with tf.GradientTape() as tape:
        tape.watch(given)
        if case.centred:
            x, scale, *bias = given
            y = ops.layer_norm(x, scale, bias[0] if bias else None, epsilon=EPSILON, impl=impl)
        else:
            y = ops.rms_norm(*given, epsilon=EPSILON, impl=impl)
    return [y, *tape.gradient(y, given, output_gradients=dy)]


def run(case: Case, impl: str) -> list[np.ndarray]:
    return [x.numpy() for x in both(case, case.inputs(), impl)]


def oracle(case: Case) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What `run` should give, in float64; and how far rounding may take a good implementation, per element."""
    width = case.x.shape[-1]
    x, dy = (np.asarray(a, np.float64).reshape(-1, width) for a in (case.x, case.dy))
    scale = np.asarray(case.scale, np.float64)
    mean = x.mean(1, keepdims=True) if case.centred else 0.0
    factor = 1 / np.sqrt(((x - mean) ** 2).mean(1, keepdims=True) + np.float64(np.float32(EPSILON)))
    unit, gradient = (x - mean) * factor, dy * scale
    y = unit * scale + (0 if case.bias is None else np.asarray(case.bias, np.float64))
    change = gradient - unit * (gradient * unit).mean(1, keepdims=True)
    change -= gradient.mean(1, keepdims=True) if case.centred else 0.0
    results = [y, factor * change, (dy * unit).sum(0)] + ([] if case.bias is None else [dy.sum(0)])
    # In units of float32's rounding: the row's own errors, of x less its mean, carried through each formula.
    of_unit = 1 + np.abs(x).max(1, keepdims=True) * factor * (1 + np.abs(unit))
    size = np.abs(gradient).max(1, keepdims=True)
    bounds = [
        of_unit * np.abs(scale) + np.abs(y),
        factor * size * of_unit * (1 + np.abs(unit)),
        (np.abs(dy) * of_unit).sum(0),
        np.abs(dy).sum(0),
    ]
    shapes = [case.x.shape, case.x.shape, [width], [width]]
    return (
        [a.reshape(shape) for a, shape in zip(results, shapes, strict=False)],
        [a.reshape(shape) for a, shape in zip(bounds, shapes, strict=False)],
    )


def check(found: list[np.ndarray], case: Case) -> None:
    """At most twice the error of plain TensorFlow in the same dtype, or within a few roundings."""
    expected, bounds = oracle(case)
    plain = run(case, "tensorflow")
    for name, ours, theirs, exact, bound in zip(
        ("y", "dx", "dscale", "dbias"), found, plain, expected, bounds, strict=False
    ):
        assert ours.dtype == theirs.dtype and ours.shape == exact.shape, name
        step = 2.0**-8 if ours.dtype != np.float32 else 2.0**-24
        errors = [np.sqrt(np.mean((np.float64(a) - exact) ** 2)) for a in (ours, theirs)]
        few = 2 * np.sqrt(np.mean((2.0**-24 * bound) ** 2)) + step * np.sqrt(np.mean(exact**2))
        assert errors[0] <= max(2 * errors[1], few), (name, errors, few, case.x.shape)
