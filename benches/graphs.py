"""Calls of TensorFlow's graphs, and the comparison of what they give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="needs TensorFlow (extra: cpu)")


def concrete(
    body: Callable[..., Any], inputs: Sequence[Any], *, jit_compile: bool = False
) -> Callable[[], Any]:
    """A call of a graph without what calling it from Python costs for each shape."""
    # A function with options after its tensors would be called by way of an error that prints them: 18 ms.
    function = tf.function(lambda *tensors: body(*tensors), jit_compile=jit_compile, autograph=False)
    made = function.get_concrete_function(*(tf.TensorSpec.from_tensor(x) for x in inputs))
    return lambda: made(*inputs)


def agree(ours: Any, theirs: Any, tolerance: float) -> None:
    """Relative to the largest number: sums in another order. PyTorch's tensors are taken too."""
    for mine, other in zip(tf.nest.flatten(ours), tf.nest.flatten(theirs), strict=True):
        mine, other = (
            np.asarray(x.float() if hasattr(x, "float") else tf.cast(x, tf.float32)) for x in (mine, other)
        )
        np.testing.assert_allclose(mine, other, rtol=0, atol=tolerance * np.abs(other).max())


def finish(benchmark: Any, ours: Callable[[], Any], **figures: Any) -> None:
    """Reports the figures, and the time of ours beside them."""
    benchmark.extra_info.update(unit="one call", **figures)
    benchmark.pedantic(ours, rounds=5, warmup_rounds=1)
