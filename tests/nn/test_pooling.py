from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn

VALUES = np.random.default_rng(0).standard_normal((3, 4, 5)).astype(np.float32) - 3
MASK = np.array([[True] * 4, [False, True, True, False], [False] * 4])


@pytest.mark.parametrize(("pool", "expected"), [(nn.masked_mean, np.mean), (nn.masked_max, np.max)])
def test_it_is_the_pool_of_the_real_rows(pool, expected):
    found = pool(tf.constant(VALUES), tf.constant(MASK))
    np.testing.assert_allclose(found[0], expected(VALUES[0], axis=0), rtol=1e-5)
    np.testing.assert_allclose(found[1], expected(VALUES[1, 1:3], axis=0), rtol=1e-5)
    np.testing.assert_array_equal(found[2], np.zeros(5))


def test_attention_pooling_equals_its_formula():
    layer = nn.AttentionPooling(5)
    found = layer(tf.constant(VALUES), tf.constant(MASK))
    for b in (0, 1):
        rows = VALUES[b, MASK[b]].astype(np.float64)
        hidden = np.tanh(rows @ layer.hidden.kernel.numpy() + layer.hidden.bias.numpy())
        scores = hidden @ layer.score.kernel.numpy()
        weights = np.exp(scores - scores.max())
        np.testing.assert_allclose(found[b], (weights / weights.sum() * rows).sum(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(found[2], np.zeros(5))


@pytest.mark.parametrize("pool", [nn.masked_mean, nn.masked_max, nn.AttentionPooling(5)])
def test_masked_rows_even_infinite_ones_change_nothing_and_gradients_are_finite(pool):
    other = np.where(MASK[:, :, None], VALUES, np.inf).astype(np.float32)
    if isinstance(pool, nn.AttentionPooling):
        other = np.where(MASK[:, :, None], VALUES, 1e6).astype(np.float32)
    x = tf.constant(VALUES)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = pool(x, tf.constant(MASK))
    np.testing.assert_array_equal(pool(tf.constant(other), tf.constant(MASK)), y)
    gradient = tape.gradient(y, x).numpy()
    assert np.all(np.isfinite(gradient)) and not np.any(gradient[~MASK])


def test_a_long_mean_in_bfloat16_does_not_lose_terms():
    values = tf.ones([1, 1000, 2], tf.bfloat16)
    np.testing.assert_array_equal(
        tf.cast(nn.masked_mean(values, tf.ones([1, 1000], tf.bool)), tf.float32), [[1, 1]]
    )
