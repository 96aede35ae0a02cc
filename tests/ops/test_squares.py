from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import mmcore
from mmcore import _load, ops

IMPLS = ("native", "tensorflow")


@pytest.mark.parametrize("impl", IMPLS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**20), sizes=st.lists(st.integers(0, 300), min_size=1, max_size=5))
def test_it_equals_numpy(impl, seed, sizes):
    rng = np.random.default_rng(seed)
    arrays = [np.float32(rng.normal(size=size) * rng.lognormal()) for size in sizes]
    expected = sum(np.sum(np.square(np.float64(x))) for x in arrays)
    np.testing.assert_allclose(ops.sum_of_squares(arrays, impl=impl), expected, rtol=1e-5)


def test_large_arrays_lose_no_digits_and_threads_change_nothing():
    x = np.random.default_rng(0).normal(size=(3_000_001,)).astype("float32") + 1
    exact = np.sum(np.square(np.float64(x)))
    before = _load.native().num_threads()
    try:
        found = []
        for threads in (1, 2, 16):
            mmcore.set_num_threads(threads)
            found.append(float(ops.sum_of_squares([x, x[:7]], impl="native")))
    finally:
        mmcore.set_num_threads(before)
    assert len(set(found)) == 1
    np.testing.assert_allclose(found[0], exact + np.sum(np.square(np.float64(x[:7]))), rtol=3e-7)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("where", ["graph", "xla", "graph in xla"])
def test_everywhere_the_same(where, known):
    x, y = tf.constant([[1.0, 2.0]]), tf.constant([3.0], tf.bfloat16)
    signature = [tf.TensorSpec(x.shape if known else None), tf.TensorSpec([1], tf.bfloat16)]
    inner = tf.function(
        lambda *given: ops.sum_of_squares(given), input_signature=signature, jit_compile=where == "xla"
    )
    found = tf.function(lambda *given: inner(*given), jit_compile=where == "graph in xla")(x, y)
    assert found.shape == [] and float(found) == 14.0


def test_nan_and_infinity_come_through():
    assert np.isnan(ops.sum_of_squares([tf.constant([1.0, np.nan]), tf.ones([100])]))
    assert np.isposinf(ops.sum_of_squares([tf.constant([1.0, -np.inf])]))


@pytest.mark.parametrize("jit_compile", [None, False, True])
def test_the_gradient_is_twice_the_input(jit_compile):
    def gradients(x, y):
        with tf.GradientTape() as tape:
            tape.watch([x, y])
            z = tf.sin(ops.sum_of_squares([x, y]))
        return tape.gradient(z, [x, y])

    x, y = tf.constant([[0.5, 0.25]]), tf.constant(0.5)
    function = gradients if jit_compile is None else tf.function(gradients, jit_compile=jit_compile)
    for found, at in zip(function(x, y), (x, y), strict=True):
        np.testing.assert_allclose(found, 2 * at * np.cos(0.5625), rtol=1e-6)


def test_no_tensor_is_an_error():
    with pytest.raises(ValueError, match="at least one tensor"):
        ops.sum_of_squares([])
    with pytest.raises(ValueError, match="found 'cuda'"):
        ops.sum_of_squares([tf.ones([1])], impl="cuda")
