"""Layers, forward and backward, against the equal Keras 3 layers with the same weights. Unit: one batch.

Ceilings: the matrix products of the layer, which are the same on both sides; what can be won is what stands
around them: layouts, norms, random numbers, the loop over time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import baselines
import numpy as np
import pytest
import tensorflow as tf
from pairing import paired_ratio

from mmcore import encoders, nn

BATCH, LENGTH, DIM = 32, 32, 128
SEED = tf.constant([1, 2])
RNG = np.random.default_rng(0)
TOKENS = (RNG.normal(size=(BATCH, LENGTH, DIM)).astype("float32"), RNG.random((BATCH, LENGTH)) < 0.8)
IMAGES = (RNG.normal(size=(BATCH, 16, 16, 64)).astype("float32"),)

on_each_device = pytest.mark.parametrize("device", ["CPU", "GPU"])
compiled_or_not = pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])


@on_each_device
@compiled_or_not
@pytest.mark.parametrize("dropout_rate", [0.0, 0.1])
def test_transformer_block(benchmark, device, jit_compile, dropout_rate):
    block = nn.TransformerBlock(DIM, 4, dropout_rate=dropout_rate, rng=np.random.default_rng(1))
    rival = baselines.keras_transformer_block(weights(block), 4, dropout_rate)
    compare(
        benchmark,
        step(lambda x, mask: block(x, mask, training=True, seed=SEED), block, device, jit_compile),
        step(lambda x, mask: rival([x, mask], training=True), rival, device, jit_compile),
        TOKENS,
        equal=dropout_rate == 0.0,
    )


@on_each_device
@compiled_or_not
def test_residual_block(benchmark, device, jit_compile):
    block = encoders.ResidualBlock(64, 128, stride=2, rng=np.random.default_rng(1))
    block.norms[-1].scale.assign(tf.ones([128]))
    rival = baselines.keras_residual_block(weights(block), 2)
    compare(
        benchmark,
        step(lambda x: block(x, training=True, seed=SEED), block, device, jit_compile),
        step(lambda x: rival(x, training=True), rival, device, jit_compile),
        IMAGES,
    )


@on_each_device
@compiled_or_not
def test_gru(benchmark, device, jit_compile):
    cell = nn.GRU(DIM, DIM, rng=np.random.default_rng(1))
    rival = baselines.keras_gru(weights(cell))
    compare(
        benchmark,
        step(lambda x, mask: cell(x, mask), cell, device, jit_compile),
        step(lambda x, mask: rival([x, mask]), rival, device, jit_compile),
        TOKENS,
    )


def weights(module: tf.Module) -> dict[str, np.ndarray]:
    return {path: variable.numpy() for path, variable in nn.variables_by_path(module).items()}


def step(call: Callable[..., tf.Tensor], module: Any, device: str, jit_compile: bool) -> Callable[..., Any]:
    """A compiled function of x and what else `call` takes: the result and the gradient of x.

    The gradients of all variables are computed too, and their sums returned, so that none is left out.
    """
    if not tf.config.list_physical_devices(device):
        pytest.skip(f"needs a {device}; TensorFlow sees none")
    variables = [getattr(variable, "value", variable) for variable in module.trainable_variables]
    if isinstance(module, tf.Module):
        variables = list(nn.trainable_by_path(module).values())

    @tf.function(jit_compile=jit_compile, autograph=False)
    def run(x: tf.Tensor, *rest: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = call(x, *rest)
            loss = tf.reduce_sum(y * y)
        first, *others = tape.gradient(loss, [x, *variables])
        return y, first, tf.add_n([tf.reduce_sum(gradient) for gradient in others])

    def timed(*inputs: tf.Tensor) -> Any:
        with tf.device(device):
            results = run(*inputs)
        results[-1].numpy()  # waits
        return results

    return timed


def compare(
    benchmark: Any,
    ours: Callable[..., Any],
    rival: Callable[..., Any],
    arrays: Sequence[np.ndarray],
    *,
    equal: bool = True,
) -> None:
    """Checks that results and gradients of x agree (where nothing is random), then times both in turns."""
    inputs = [tf.constant(array) for array in arrays]
    # Not the sums of the variables' gradients: Keras' GRU has biases that ours leaves out as redundant.
    for found, expected in zip(ours(*inputs)[:2], rival(*inputs)[:2], strict=True):
        if equal:
            # Sums of up to some thousand terms in another order, relative to the largest.
            scale = float(tf.reduce_max(tf.abs(expected)))
            np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=1e-4)
    ratio = paired_ratio(lambda: ours(*inputs), lambda: rival(*inputs))
    benchmark.extra_info.update(ratio=ratio.median, low=ratio.low, high=ratio.high)
    benchmark.pedantic(ours, args=inputs, rounds=9, warmup_rounds=1)
    if benchmark.stats:
        benchmark.extra_info["examples_per_s"] = BATCH / benchmark.stats.stats.median
