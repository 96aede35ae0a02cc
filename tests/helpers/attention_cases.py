"""Problems of attention for the tests: by chance, all options in all combinations."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from attention_oracle import Case
from hypothesis import strategies as st

from mmcore import ops

LENGTHS = [1, 2, 3, 5, 8, 13, 17, 33]


def make(
    seed: int,
    *,
    batch: int = 2,
    queries: int = 5,
    keys: int = 7,
    kv_heads: int = 2,
    group: int = 2,
    head_dim: int = 3,
    names: tuple[str, ...] = (),
    dtype: str = "float32",
) -> Case:
    """A case with the options that are named; numbers are rounded to the dtype."""
    rng = np.random.default_rng(seed)
    heads = kv_heads * group

    def normal(*shape: int) -> np.ndarray:
        return tf.cast(tf.cast(rng.normal(size=shape).astype("float32"), dtype), tf.float32).numpy()

    def some(size: int) -> int:
        return size if rng.random() < 0.5 else 1

    options: dict = {}
    for name in names:
        if name == "mask":
            shapes = [(batch, keys), (batch, queries, keys), (batch, some(heads), queries, keys)]
            options["mask"] = rng.random(shapes[rng.integers(3)]) < 0.7
        elif name == "segment_ids":
            pair = tuple(rng.integers(0, 3, (batch, length)).astype("int32") for length in (queries, keys))
            options["segment_ids"] = pair[0] if queries == keys and rng.random() < 0.5 else pair
        elif name == "bias":
            options["bias"] = rng.normal(size=(some(batch), some(heads), some(queries), keys)).astype(
                "float32"
            )
        elif name == "window":
            options["window"] = int(rng.integers(1, keys + 2))
        elif name == "dropout_rate":
            options |= {"dropout_rate": 0.3, "seed": rng.integers(-(2**31), 2**31, 2).astype("int32")}
        else:
            options[name] = {"is_causal": True, "scale": 0.7, "soft_cap": 1.5}[name]
    shape, kv_shape = (batch, queries, heads, head_dim), (batch, keys, kv_heads, head_dim)
    return Case(normal(*shape), normal(*kv_shape), normal(*kv_shape), normal(*shape), options, dtype)


NAMES = ("mask", "segment_ids", "bias", "window", "dropout_rate", "is_causal", "scale", "soft_cap")


def many(seed: int, **sizes: int) -> Case:
    """A case of so large a batch that the errors of each tensor have a mean worth the name."""
    numbers = min(sizes["queries"], sizes["keys"]) * sizes["kv_heads"] * sizes["head_dim"]
    sizes["batch"] *= 1 + 128 // numbers
    return make(seed, **sizes)


cases = st.builds(
    many,
    st.integers(0, 2**31),
    batch=st.integers(1, 3),
    queries=st.sampled_from(LENGTHS),
    keys=st.sampled_from(LENGTHS),
    kv_heads=st.integers(1, 2),
    group=st.integers(1, 3),
    head_dim=st.sampled_from([1, 3, 8, 16, 17, 33]),
    names=st.lists(st.sampled_from(NAMES), unique=True).map(tuple),
    dtype=st.sampled_from(["float32", "float32", "bfloat16"]),
)


def run(case: Case, impl: str) -> list[tf.Tensor]:
    """The result and the gradients of q, k, v and the bias."""
    return call(impl, case.keywords(), *case.tensors(), *case.bias())


def call(impl: str, keywords: dict, q, k, v, dout, *bias) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch([q, k, v, *bias])
        out = ops.attention(q, k, v, bias=bias[0] if bias else None, impl=impl, **keywords)
    return [out, *tape.gradient(out, [q, k, v, *bias], output_gradients=dout)]


def arrays(tensors: list[tf.Tensor]) -> list[np.ndarray]:
    return [np.asarray(tf.cast(x, tf.float32), np.float64) for x in tensors]
