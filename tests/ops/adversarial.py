"""Calls the raw ops with hostile tensors and attributes; prints how each call ended, as JSON.

    python tests/ops/adversarial.py SEED COUNT

Run by test_adversarial.py in a process of its own, because what it looks for would end the process.
"""

from __future__ import annotations

import collections
import json
import struct
import sys

import numpy as np
import tensorflow as tf

from mmcore import _load
from mmcore.text import Tokenizer

# Sizes above 2^46 are more than an address space: none of them is ever really allocated.
INTEGERS = [-(2**63), -(2**31), -1, 0, 1, 2, 7, 1000, 2**46, 2**61, 2**62 + 1, 2**63 - 1]
SIDES = [-(2**63), -1, 0, 1, 3, 9, 2**24, 2**24 + 1, 2**62, 2**63 - 1]
DIMENSIONS = [0, 1, 2, 3, 5]
HUGE = [2**20, 2**31, 2**40, 2**62]
DTYPES = [tf.uint8, tf.string, tf.float32, tf.int32, tf.int64, tf.bool, tf.bfloat16, tf.complex64, tf.qint8]
STRINGS = [
    b"",
    b"a",
    b"x" * 22,
    b"x" * 23,
    b"red square " * 99,
    b"\xff\xfe",
    b"\0",
    "漢🙂".encode(),
    b"<s></s>",
]


def shape(rng: np.random.Generator, huge: bool) -> list[int]:
    """Ranks 0 to 9, a third of them an image or a batch; where an axis is empty others may be huge."""
    if rng.random() < 1 / 3:
        return [*map(int, rng.integers(1, 9, rng.integers(2, 4))), 3]
    dims = [int(rng.choice(DIMENSIONS)) for _ in range(rng.integers(0, 10))]
    while np.prod(dims, dtype=float) > 20_000:
        dims[int(np.argmax(dims))] = 1
    if huge and 0 in dims:
        dims = [int(rng.choice(HUGE)) if d > 1 and rng.random() < 0.5 else d for d in dims]
    return dims


def tensor(rng: np.random.Generator, dtype: tf.DType, dims: list[int]) -> tf.Tensor:
    size = 0 if 0 in dims else int(np.prod(dims, dtype=int))
    if dtype == tf.string:
        flat = tf.constant([STRINGS[i] for i in rng.integers(0, len(STRINGS), size)], tf.string, [size])
    else:
        flat = tf.cast(rng.integers(0, 256, size), dtype) if dtype != tf.qint8 else tf.zeros([size], dtype)
    return tf.reshape(flat, dims)


def any_tensor(rng: np.random.Generator, wanted: tf.DType) -> tf.Tensor:
    # In a graph TensorFlow's own optimiser ends the process on shapes of more than 2^63 elements.
    dtype = wanted if rng.random() < 0.75 else DTYPES[rng.integers(0, len(DTYPES))]
    return tensor(rng, dtype, shape(rng, huge=tf.executing_eagerly()))


def any_spec(rng: np.random.Generator, spec: bytes) -> tf.Tensor:
    """Mostly right, else cut, with changed bytes, or no specification at all."""
    kind = rng.random()
    if kind < 0.6:
        return tf.constant(spec)
    if kind < 0.7:
        return any_tensor(rng, tf.string)
    if kind < 0.8:
        return tf.constant(spec[: rng.integers(0, len(spec))])
    changed = bytearray(spec)
    for at in rng.integers(0, min(len(spec), 400), rng.integers(1, 6)):
        changed[at] = rng.choice([0, 1, 127, 255])
    return tf.constant(bytes(changed))


def call_tokenize(rng: np.random.Generator, spec: bytes) -> tf.Tensor:
    return (
        _load.kernels()
        .mmcore_tokenize(
            spec=any_spec(rng, spec),
            strings=any_tensor(rng, tf.string),
            max_length=int(rng.choice(INTEGERS)),
            add_special=bool(rng.integers(2)),
            truncate=bool(rng.integers(2)),
            special=str(rng.choice(["parse", "text", "error", "", "no"], p=[0.4, 0.2, 0.2, 0.1, 0.1])),
        )
        .ids
    )


def call_resize_normalize(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    numbers = [0.5] * 6
    if rng.random() < 0.2:
        numbers = rng.choice([0.0, 1.0, -1.0, 1e-320, 1e308, np.nan, np.inf], 6)
    mean_std = struct.pack("=6d", *numbers)[: 48 if rng.random() < 0.9 else int(rng.integers(0, 48))]
    size = int(rng.choice(SIDES)) if rng.random() < 0.5 else 4
    return _load.kernels().mmcore_resize_normalize(
        images=any_tensor(rng, tf.uint8),
        size=size,
        shorter=size if rng.random() < 0.7 else int(rng.choice(SIDES)),
        crop=str(rng.choice(["center", "none", "other"], p=[0.5, 0.4, 0.1])),
        resize=str(rng.choice(["bicubic", "bilinear", "\0"], p=[0.5, 0.4, 0.1])),
        mean_std=mean_std,
        dtype=[tf.float32, tf.uint8, tf.string][rng.choice(3, p=[0.6, 0.3, 0.1])],
    )


def in_graph(call, rng: np.random.Generator, spec: bytes) -> tf.Tensor:
    """The same call inside a graph: the shape functions run too."""
    return tf.function(lambda: call(rng, spec))()


def main(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    spec = Tokenizer.train([s for s in STRINGS if s.isascii()], vocab_size=280).spec
    outcomes: collections.Counter[str] = collections.Counter()
    for i in range(count):
        for call in (call_tokenize, call_resize_normalize):
            print(call.__name__, seed, i, file=sys.stderr, flush=True)
            try:
                (call(rng, spec) if rng.random() < 0.8 else in_graph(call, rng, spec)).numpy()
                outcomes[f"{call.__name__} done"] += 1
            except (tf.errors.OpError, TypeError, ValueError) as error:
                outcomes[f"{call.__name__} {type(error).__name__}"] += 1
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
