"""Fused ops beside what XLA makes of the plain formulas: norms, a large vocabulary's loss, an optimizer's update.

Unit: one call. Ceilings: for norms and updates the bandwidth of memory, of which the bytes that must move are counted;
for the loss the three matrix products, timed alone in the same run.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import baselines
import numpy as np
import pytest
from graphs import agree, concrete, finish
from pairing import paired_ratio, seconds

tf = pytest.importorskip("tensorflow", reason="needs TensorFlow (extra: cpu)")

# Rows and width: a ViT-B batch of 8, a text Transformer's, the default towers of `mmcore train`.
ROWS = [(1576, 768), (2048, 512), (4096, 128), (512, 64)]
# Examples, width and classes: a packed batch of captions over CLIP's vocabulary, and a longer one.
LOSSES = [(512, 512, 49408), (2048, 512, 32000)]
# A text Transformer of 12 blocks, 512 wide: 38 million variables.
UPDATED = [(512, 2048)] * 24 + [(512, 512)] * 48 + [(512,)] * 100


def label(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("gradients", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("sizes", ROWS, ids=label)
def test_layer_norm(benchmark, sizes, gradients, dtype):
    from mmcore import ops

    rng = np.random.default_rng(0)
    x, dy = (rng.normal(size=sizes).astype("float32") for _ in range(2))
    scale, bias = (rng.normal(size=sizes[1]).astype("float32") for _ in range(2))
    inputs = [tf.cast(x, dtype), tf.constant(scale), tf.constant(bias), tf.cast(dy, dtype)]
    inputs = inputs if gradients else inputs[:3]

    def ours(*given: Any) -> Any:
        return ops.layer_norm(*given)

    def plain(*given: Any) -> Any:
        return ops.layer_norm(*given, impl="tensorflow")

    bodies = [baselines.with_gradients(f) if gradients else f for f in (ours, plain)]
    mine, graph = (concrete(body, inputs, jit_compile=False) for body in bodies)
    mine_in_xla, xla = (concrete(body, inputs, jit_compile=True) for body in bodies)
    rivals = {"tensorflow": graph, "xla": xla}
    # PyTorch rounds gradients of scale and bias to bfloat16 while it sums them: not the same work.
    alike = not (gradients and dtype == "bfloat16")
    if alike and (
        torch_rival := baselines.pytorch_layer_norm(x, scale, bias, dy, dtype, gradients=gradients)
    ):
        rivals["pytorch"] = torch_rival
    for call in (*rivals.values(), mine_in_xla):
        agree(mine(), call(), 1e-4 if dtype == "float32" else 3e-2)
    ratios = {
        name: paired_ratio(mine, rival, pairs=15, settle=0.25 if name == "pytorch" else 0.0)
        for name, rival in rivals.items()
    }
    in_xla = paired_ratio(mine_in_xla, xla, pairs=25)
    size = 4 if dtype == "float32" else 2
    moved = size * sizes[0] * sizes[1] * (5 if gradients else 2)
    finish(
        benchmark,
        mine,
        **{f"times_{name}": ratio.median for name, ratio in ratios.items()},
        in_xla_times_xla=in_xla.median,
        in_xla_low=in_xla.low,
        in_xla_high=in_xla.high,
        gigabytes_per_second=moved / best_of(mine) / 1e9,
    )


@pytest.mark.parametrize("sizes", LOSSES, ids=label)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_linear_cross_entropy(benchmark, sizes, jit_compile):
    """Loss and gradients against all logits at once, and against the three products alone; and the memory of both."""
    from mmcore import losses

    rows, width, classes = sizes
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(size=(rows, width)), tf.float32)
    kernel = tf.constant(rng.normal(size=(width, classes)) * 0.05, tf.float32)
    labels = tf.constant(rng.integers(0, classes, rows), tf.int32)
    mine, plain = (
        concrete(value_and_gradients(loss, labels), [x, kernel], jit_compile=jit_compile)
        for loss in (losses.linear_cross_entropy, baselines.linear_then_cross_entropy)
    )

    def three_products(x: Any, kernel: Any) -> Any:
        logits = tf.matmul(x, kernel)
        return tf.matmul(logits, kernel, transpose_b=True), tf.matmul(x, logits, transpose_a=True)

    products = concrete(three_products, [x, kernel], jit_compile=jit_compile)
    agree(mine(), plain(), 1e-4)
    against = paired_ratio(mine, plain, pairs=7)
    script = Path(__file__).with_name("loss_memory.py")
    memory = {
        which: int(output([script, which, *sizes, int(jit_compile)])) for which in ("ours", "tensorflow")
    }
    finish(
        benchmark,
        mine,
        times_plain=against.median,
        low=against.low,
        high=against.high,
        share_of_products=paired_ratio(mine, products, pairs=7).median,
        ours_mib=memory["ours"] / 2**20,
        plain_mib=memory["tensorflow"] / 2**20,
    )


def test_update(benchmark):
    """AdamW with clipping and a guard against NaN under XLA, against the same as separate passes with a branch."""
    from mmcore import optim

    rng = np.random.default_rng(0)
    gradients = {f"v{i}.kernel": tf.constant(rng.normal(size=s), tf.float32) for i, s in enumerate(UPDATED)}
    made = []
    for _ in range(3):
        variables = {path: tf.Variable(tf.ones_like(g)) for path, g in gradients.items()}
        optimizer = optim.AdamW(1e-3)
        optimizer.build(variables)
        made.append((optimizer, variables))

    def ours(gradients: Any) -> Any:
        clipped, norm = optim.clip_by_global_norm(gradients, 1.0)
        made[0][0].apply(clipped, 5, where=tf.math.is_finite(norm))
        return norm

    def separate(gradients: Any) -> Any:
        norm = tf.linalg.global_norm(list(gradients.values()))
        factor = tf.where(norm <= 1.0, 1.0, 1.0 / norm)
        clipped = {path: g * factor for path, g in gradients.items()}

        def apply() -> Any:
            made[1][0].apply(clipped, 5)
            return norm

        return tf.cond(tf.math.is_finite(norm), apply, lambda: norm)

    def bare(gradients: Any) -> Any:
        made[2][0].apply(gradients, 5)
        return tf.zeros([])

    calls = [tf.function(f, jit_compile=True) for f in (ours, separate, bare)]
    mine, theirs, least = (lambda f=f: f(gradients).numpy() for f in calls)
    mine(), theirs()
    for path, variable in made[0][1].items():
        np.testing.assert_allclose(variable, made[1][1][path], rtol=1e-5)
    against, alone = paired_ratio(mine, theirs), paired_ratio(mine, least)
    moved = 32.0 * sum(
        np.prod(s) for s in UPDATED
    )  # Gradients twice, and three values each read and written.
    finish(
        benchmark,
        mine,
        times_separate=against.median,
        low=against.low,
        high=against.high,
        share_of_bare_update=alone.median,
        gigabytes_per_second=moved / best_of(mine) / 1e9,
    )


def value_and_gradients(loss: Callable[..., Any], labels: Any) -> Callable[..., Any]:
    def run(x: Any, kernel: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = loss(x, kernel, labels)
        return [y, *tape.gradient(y, [x, kernel])]

    return run


def best_of(function: Callable[[], Any]) -> float:
    return min(seconds(function) for _ in range(15))


def output(arguments: list[Any]) -> str:
    finished = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return finished.stdout
