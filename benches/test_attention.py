"""Attention in a graph, against plain TensorFlow (as a graph and under XLA) and PyTorch's fused kernel where installed.

Unit: one call on q, k, v [B, T, H, K] as a projection gives them; whoever wants the heads first transposes (what
TensorFlow costs on tensors that lie so already is reported beside). GFLOP/s count two products forward and six
with gradients, also where seven are computed. Ceiling: a product of two large matrices, measured in the same run.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import baselines
import numpy as np
import pytest
from graphs import agree, concrete, finish
from pairing import paired_ratio, seconds

tf = pytest.importorskip("tensorflow", reason="needs TensorFlow (extra: cpu)")

# [B, H, T, K]
FORWARD = [(8, 12, 197, 64), (32, 8, 77, 64), (2, 12, 1024, 64), (1, 8, 4096, 64)]
BACKWARD = [(32, 8, 77, 64), (8, 12, 197, 64), (2, 12, 1024, 64)]
BFLOAT16 = [(8, 12, 197, 64), (2, 12, 1024, 64)]
PARTLY_SEEN = (2, 12, 1024, 64)
MEMORY_LENGTH = 4096
CALLS = 200
# Of the largest number; in bfloat16 scores are rounded.
TOLERANCE = {"float32": 1e-4, "bfloat16": 5e-2}
AT = np.arange(PARTLY_SEEN[2])
SEGMENTS = np.broadcast_to(AT // 256, (PARTLY_SEEN[0], AT.size)).astype("int32")
# How keys are hidden, and the same as a mask of [queries, keys].
HIDDEN = {
    "causal": ({"is_causal": True}, AT[:, None] >= AT),
    "window": ({"window": 128}, np.abs(AT[:, None] - AT) < 128),
    "segments": ({"segment_ids": SEGMENTS}, SEGMENTS[0][:, None] == SEGMENTS[0]),
}


def label(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


@pytest.mark.parametrize("shape", FORWARD, ids=label)
def test_forward(benchmark, shape):
    compare(benchmark, shape, "float32", gradients=False)


@pytest.mark.parametrize("shape", BACKWARD, ids=label)
def test_forward_and_backward(benchmark, shape):
    compare(benchmark, shape, "float32", gradients=True)


@pytest.mark.parametrize("shape", BFLOAT16, ids=label)
def test_bfloat16_forward(benchmark, shape):
    compare(benchmark, shape, "bfloat16", gradients=False)


@pytest.mark.parametrize("gradients", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("hidden", list(HIDDEN))
def test_some_keys_against_our_own_with_all(benchmark, hidden, gradients):
    from mmcore import ops

    inputs = tensors(arrays(PARTLY_SEEN), "float32", gradients)
    options, seen = HIDDEN[hidden]
    whole = compiled(ops.attention, inputs, gradients)
    some = compiled(lambda q, k, v: ops.attention(q, k, v, **options), inputs, gradients)
    plain = compiled(lambda q, k, v: ops.attention(q, k, v, mask=tf.constant(seen[None])), inputs, gradients)
    agree(some(), plain(), TOLERANCE["float32"])
    ratio, masked = paired_ratio(some, whole), paired_ratio(some, plain)
    figures = {
        "times_all_keys": ratio.median,
        "low": ratio.low,
        "high": ratio.high,
        "times_mask": masked.median,
    }
    finish(benchmark, some, **figures, ceiling=seen.size / seen.sum())


def test_the_same_under_xla(benchmark):
    """What a call costs inside a function that XLA compiles, against the same in a plain graph."""
    from mmcore import ops

    inputs = tensors(arrays(FORWARD[0]), "float32", False)
    graph, jitted = (
        compiled(ops.attention, inputs, False),
        compiled(ops.attention, inputs, False, jit_compile=True),
    )
    agree(jitted(), graph(), TOLERANCE["float32"])
    ratio = paired_ratio(jitted, graph)
    finish(benchmark, jitted, times_graph=ratio.median, low=ratio.low, high=ratio.high)


@pytest.mark.parametrize("where", ["graph", "xla", "eager"])
@pytest.mark.parametrize("gradients", [False, True], ids=["forward", "both"])
def test_overhead_of_a_call(benchmark, where, gradients):
    """Microseconds of one call on single numbers: `CALLS` calls in a row less one call."""
    from mmcore import ops

    x = tf.random.normal([1, 1, 1, 1])

    def chain(count: int) -> Callable[[], Any]:
        def repeated(q: Any, k: Any, v: Any) -> Any:
            for _ in range(count):
                q = ops.attention(q, k, v)
            return q

        if where != "eager":
            return compiled(repeated, [x] * (4 if gradients else 3), gradients, jit_compile=where == "xla")
        run = baselines.with_gradients(repeated) if gradients else repeated
        return lambda: run(*[x] * (4 if gradients else 3))

    one, many = chain(1), chain(CALLS)
    one(), many()
    costs = sorted(1e6 * (seconds(many) - seconds(one)) / (CALLS - 1) for _ in range(15))
    finish(benchmark, one, us_per_call=costs[len(costs) // 2], low=costs[3], high=costs[-4])


def test_memory_of_forward_and_backward(benchmark):
    """Peak bytes beyond inputs and results, in processes of their own."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("needs Linux, which tells the peak of memory")
    ours, theirs = (extra_bytes(which) for which in ("ours", "tensorflow"))
    share = ours / theirs
    finish(benchmark, lambda: None, ours_mib=ours / 2**20, tensorflow_mib=theirs / 2**20, share=share)


def extra_bytes(which: str) -> int:
    script = Path(__file__).with_name("attention_memory.py")
    command = [sys.executable, str(script), which, str(MEMORY_LENGTH)]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr[-2000:]
    return int(finished.stdout)


def compare(benchmark: Any, shape: tuple[int, int, int, int], dtype: str, *, gradients: bool) -> None:
    """Checks that all results agree, then times ours in turns with each rival, and with the ceiling."""
    from mmcore import ops

    numbers = arrays(shape)
    inputs = tensors(numbers, dtype, gradients)
    ours = compiled(ops.attention, inputs, gradients)
    plain = baselines.tensorflow_attention()
    rivals = {
        "tensorflow": compiled(plain, inputs, gradients),
        "xla": compiled(plain, inputs, gradients, jit_compile=True),
    }
    try:
        rivals["pytorch"] = baselines.pytorch_attention(numbers, dtype, gradients=gradients)
    except pytest.skip.Exception:
        benchmark.extra_info["pytorch"] = "not installed"
    for rival in rivals.values():
        agree(ours(), rival(), TOLERANCE[dtype])
    ratios = {
        name: paired_ratio(ours, rival, pairs=15, settle=0.25 if name == "pytorch" else 0.0)
        for name, rival in rivals.items()
    }
    figures: dict[str, Any] = {f"times_{name}": ratio.median for name, ratio in ratios.items()}
    best = min(ratios.values())
    figures |= {"times_best_rival": best.median, "low": best.low, "high": best.high}
    turned = [tf.transpose(x, [0, 2, 1, 3]) for x in inputs]
    heads_first = compiled(baselines.tensorflow_attention(heads_first=True), turned, gradients)
    figures["times_tensorflow_heads_first"] = paired_ratio(ours, heads_first).median
    figures |= rates(ours, shape, dtype, products=6 if gradients else 2)
    finish(benchmark, ours, **figures)


def rates(
    ours: Callable[[], Any], shape: tuple[int, int, int, int], dtype: str, products: int
) -> dict[str, float]:
    """GFLOP/s of ours, and its share of a product of large matrices measured in turns with it."""
    batch, heads, length, head_dim = shape
    operations = products * 2.0 * batch * heads * length * length * head_dim
    size = 2048
    a = tf.cast(tf.random.normal([size, size]), dtype)
    product = tf.function(tf.matmul).get_concrete_function(a, a)
    mine, theirs = [], []
    ours(), product(a, a)
    for _ in range(9):
        mine.append(operations / timed(ours))
        theirs.append(2.0 * size**3 / timed(lambda: product(a, a)))
    rate, ceiling = np.median(mine) / 1e9, np.median(theirs) / 1e9
    return {
        "gflops": float(rate),
        "ceiling_gflops": float(ceiling),
        "share_of_ceiling": float(np.median(np.divide(mine, theirs))),
    }


def timed(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def arrays(shape: tuple[int, int, int, int]) -> list[np.ndarray]:
    """q, k, v and the gradient from above, [B, T, H, K]."""
    batch, heads, length, head_dim = shape
    rng = np.random.default_rng(0)
    return [rng.normal(size=(batch, length, heads, head_dim)).astype("float32") for _ in range(4)]


def tensors(numbers: list[np.ndarray], dtype: str, gradients: bool) -> list[Any]:
    return [tf.cast(tf.constant(x), dtype) for x in numbers[: 4 if gradients else 3]]


def compiled(
    attend: Callable[..., Any], inputs: list[Any], gradients: bool, *, jit_compile: bool = False
) -> Callable[[], Any]:
    body = baselines.with_gradients(attend) if gradients else attend
    return concrete(body, inputs, jit_compile=jit_compile)
