"""Prints the bytes that forward and backward of attention need beyond inputs and results, in a process of its own.

    python benches/attention_memory.py ours|tensorflow LENGTH

Linux only.
"""

from __future__ import annotations

import sys

import baselines
import numpy as np
import tensorflow as tf
from memory import extra_bytes

from mmcore import ops

HEADS, HEAD_DIM = 8, 64


def main(which: str, length: int) -> None:
    attend = ops.attention if which == "ours" else baselines.tensorflow_attention()
    step = tf.function(baselines.with_gradients(attend), autograph=False)
    inputs = tensors(length)
    compiled = step.get_concrete_function(*inputs)
    step(*tensors(16))  # libraries, threads and their first buffers
    print(extra_bytes(lambda: compiled(*inputs)))


def tensors(length: int) -> list[tf.Tensor]:
    rng = np.random.default_rng(0)
    shape = (1, length, HEADS, HEAD_DIM)
    return [tf.constant(rng.normal(size=shape), tf.float32) for _ in range(4)]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
