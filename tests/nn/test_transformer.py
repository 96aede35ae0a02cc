from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn

X = np.random.default_rng(0).standard_normal((2, 3, 8)).astype(np.float32)
MASK = np.array([[True, True, False], [False, False, False]])


def test_block_is_two_residual_branches():
    block = nn.TransformerBlock(8, 2)
    x = tf.constant(X)
    y = x + block.attention(block.attention_norm(x), mask=tf.constant(MASK))
    expected = y + block.mlp(block.mlp_norm(y))
    np.testing.assert_allclose(block(x, tf.constant(MASK)), expected, rtol=1e-5, atol=1e-6)


def test_mlp_equals_its_formula():
    mlp = nn.MLP(8, 12, out_dim=5)
    hidden = X.astype(np.float64) @ mlp.up.kernel.numpy()
    hidden *= 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)))
    np.testing.assert_allclose(mlp(tf.constant(X)), hidden @ mlp.down.kernel.numpy(), rtol=1e-4, atol=1e-5)


def test_masked_positions_influence_no_other():
    block = nn.TransformerBlock(8, 2)
    other = np.where(MASK[:, :, None], X, 50.0).astype(np.float32)
    first, second = (block(tf.constant(x), tf.constant(MASK)).numpy() for x in (X, other))
    np.testing.assert_array_equal(first[MASK], second[MASK])


def test_rows_without_a_token_stay_finite_in_value_and_gradient():
    block, x = nn.TransformerBlock(8, 2), tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = block(x, tf.constant(MASK))
    assert np.all(np.isfinite(y)) and np.all(np.isfinite(tape.gradient(y, x)))


def test_training_draws_from_the_seed():
    block, x = nn.TransformerBlock(8, 2, dropout_rate=0.5), tf.constant(X)
    first, again, other = (
        block(x, training=True, seed=tf.constant(seed)) for seed in ([1, 2], [1, 2], [1, 3])
    )
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


@pytest.mark.parametrize("options", [{"dropout_rate": 1.0}, {"drop_path_rate": -0.1}])
def test_a_rate_outside_zero_and_one_is_an_error(options):
    with pytest.raises(ValueError, match="rate in"):
        nn.TransformerBlock(8, 2, **options)


def test_heads_that_do_not_divide_are_an_error():
    with pytest.raises(ValueError, match="divides dim=8, found 3"):
        nn.TransformerBlock(8, 3)
