from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from mmcore import encoders, nn

# Peak memory of one step, by the kernel's count. A step on less data has loaded and filled the compiler before.
PROBE = """
import sys
import numpy as np, tensorflow as tf
from mmcore import nn
remat, jit = sys.argv[1] == "remat", sys.argv[2] == "xla"
blocks = [nn.TransformerBlock(64, 4, rng=np.random.default_rng(0)) for _ in range(8)]
variables = [v for block in blocks for v in block.trainable_variables]

@tf.function(jit_compile=jit, autograph=False)
def step(x):
    with tf.GradientTape() as tape:
        for block in blocks:
            x = (nn.remat(block) if remat else block)(x)
        loss = tf.reduce_mean(x ** 2)
    return [tf.reduce_sum(g) for g in tape.gradient(loss, variables)]

def peak():
    [line] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024

x = tf.random.stateless_normal([256, 64, 64], [1, 2])
sum(step(x[:2, :16])).numpy()
before = peak()
sum(step(x)).numpy()
print(peak() - before)
"""


def growth(*arguments: str) -> float:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return float(result.stdout)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("compiler", ["graph", "xla"])
def test_it_cuts_the_peak_of_memory(compiler):
    # A step keeps some 800 MB in its 8 blocks; with remat one block's share. XLA of TensorFlow 2.18 keeps more.
    old = compiler == "xla" and tf.__version__.startswith("2.18.")
    assert growth("remat", compiler) < (0.7 if old else 0.5) * growth("plain", compiler)


def loss_and_gradients(block, x, mask, seed, jit_compile=None):
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = block(x, mask, training=True, seed=seed)
            loss = tf.reduce_sum(y * tf.cos(tf.reshape(tf.range(tf.size(y), dtype=tf.float32), y.shape)))
        return [y, *tape.gradient(loss, [x, *variables])]

    variables = BLOCK.trainable_variables
    return run(x) if jit_compile is None else tf.function(run, jit_compile=jit_compile, autograph=False)(x)


BLOCK = nn.TransformerBlock(8, 2, dropout_rate=0.3, drop_path_rate=0.3, rng=np.random.default_rng(0))
X = tf.constant(np.random.default_rng(1).standard_normal((3, 5, 8)), tf.float32)
MASK = tf.constant([[True] * 5, [True, False] * 2 + [False], [True] * 3 + [False] * 2])


@pytest.mark.parametrize("jit_compile", [None, False, True])
def test_result_and_gradient_are_those_of_the_block_with_the_same_noise(jit_compile):
    seed = tf.constant([3, 5])
    expected = loss_and_gradients(BLOCK, X, MASK, seed, jit_compile)
    found = loss_and_gradients(nn.remat(BLOCK), X, MASK, seed, jit_compile)
    other = loss_and_gradients(nn.remat(BLOCK), X, MASK, seed + 1, jit_compile)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    assert np.any(np.abs(other[1] - expected[1]) > 1e-2)


def test_the_function_runs_twice_only_where_there_is_a_gradient():
    calls = []

    def function(x):
        calls.append(1)
        return x * x

    with tf.GradientTape() as tape:
        tape.watch(X)
        y = nn.remat(function)(X)
    assert len(calls) == 1
    np.testing.assert_allclose(tape.gradient(y, X), 2 * X)
    assert len(calls) == 2


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_tape_that_watches_some_variables_gets_their_gradients(jit_compile):
    watched = BLOCK.trainable_variables[:3]

    def gradients(block):
        @tf.function(jit_compile=jit_compile, autograph=False)
        def run():
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(watched)
                loss = tf.reduce_sum(tf.sin(block(X, MASK)))
            return tape.gradient(loss, watched)

        return run()

    for a, b in zip(gradients(nn.remat(BLOCK)), gradients(BLOCK), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_arguments_of_other_kinds_pass_through():
    def function(x, numbers, *, factor, pair):
        return x * factor * pair["a"] + tf.cast(numbers, x.dtype)

    x, a = tf.constant([2.0, 3.0]), tf.constant(5.0)
    with tf.GradientTape() as tape:
        tape.watch([x, a])
        y = nn.remat(function)(x, tf.constant([1, 2]), factor=7, pair={"a": a, "b": None})
    np.testing.assert_array_equal(y, [71.0, 107.0])
    dx, da = tape.gradient(y, [x, a])
    np.testing.assert_array_equal(dx, [35.0, 35.0])
    np.testing.assert_array_equal(da, 35.0)


def test_a_gradient_of_nan_stays_one_and_an_unused_argument_gets_zero():
    x, unused = tf.constant([1.0, 2.0]), tf.constant([1.0])
    with tf.GradientTape() as tape:
        tape.watch([x, unused])
        y = nn.remat(lambda x, _: 3.0 * x)(x, unused)
    dx, zero = tape.gradient(y, [x, unused], output_gradients=tf.constant([np.nan, 1.0]))
    assert np.isnan(dx[0]) and zero.numpy() == [0.0]


def test_without_a_float_tensor_it_is_an_error():
    with pytest.raises(ValueError, match="expected a float tensor among the arguments"):
        nn.remat(lambda x: x)(tf.constant([1]))


def text_gradients(remat: bool, jit_compile: bool) -> list:
    encoder = encoders.TextTransformer(
        11, 8, max_length=5, num_heads=2, dropout_rate=0.2, remat=remat, rng=np.random.default_rng(0)
    )
    return encoder_gradients(encoder, tf.constant([[5, 6, 7, 1, 2], [3, 4, 0, 0, 0]]), MASK[:2], jit_compile)


def image_gradients(remat: bool, jit_compile: bool) -> list:
    config = encoders.ViTConfig(8, 4, 8, 2, 2, dropout_rate=0.2, remat=remat)
    encoder = encoders.ViT(config, rng=np.random.default_rng(0))
    x = tf.constant(np.random.default_rng(1).standard_normal((2, 8, 8, 3)), tf.float32)
    return encoder_gradients(encoder, x, None, jit_compile)


def encoder_gradients(encoder, x, mask, jit_compile):
    @tf.function(jit_compile=jit_compile, autograph=False)
    def run():
        with tf.GradientTape() as tape:
            tokens = encoder(x, mask, training=True, seed=tf.constant([3, 5]))
            loss = tf.reduce_sum(tf.sin(tokens.values)) + tf.reduce_sum(tokens.pooled**2)
        return [tf.convert_to_tensor(g) for g in tape.gradient(loss, encoder.trainable_variables)]

    return run()


@pytest.mark.parametrize("gradients", [text_gradients, image_gradients])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_encoders_have_the_same_gradients_with_it(gradients, jit_compile):
    for a, b in zip(gradients(True, jit_compile), gradients(False, jit_compile), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
