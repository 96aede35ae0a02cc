"""Prints the bytes that a loss over many classes and its gradients need beyond inputs and results.

    python benches/loss_memory.py ours|tensorflow ROWS WIDTH CLASSES JIT

Linux only.
"""

from __future__ import annotations

import sys
from typing import Any

import baselines
import numpy as np
import tensorflow as tf
from memory import extra_bytes

from mmcore import losses


def main(which: str, rows: int, width: int, classes: int, jit_compile: int) -> None:
    loss = losses.linear_cross_entropy if which == "ours" else baselines.linear_then_cross_entropy

    @tf.function(jit_compile=bool(jit_compile), autograph=False)
    def step(x: Any, kernel: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = loss(x, kernel, labels)
        return [y, *tape.gradient(y, [x, kernel])]

    step(*tensors(rows, width, 16))  # libraries, threads and their first buffers
    inputs = tensors(rows, width, classes)
    compiled = step.get_concrete_function(*inputs)
    print(extra_bytes(lambda: compiled(*inputs)))


def tensors(rows: int, width: int, classes: int) -> list[tf.Tensor]:
    rng = np.random.default_rng(0)
    x, kernel = (tf.constant(rng.normal(size=size), tf.float32) for size in [(rows, width), (width, classes)])
    return [x, kernel, tf.constant(rng.integers(0, classes, rows), tf.int32)]


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
