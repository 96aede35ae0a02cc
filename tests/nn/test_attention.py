from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn

RNG = np.random.default_rng(0)
Q, K, V = (RNG.standard_normal((2, length, 4, 8)).astype(np.float32) for length in (3, 5, 5))
MASK = np.array([[True, True, False, True, False], [False] * 5])


def reference(q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Query by query in float64; a query that sees no key gets zeros."""
    out = np.zeros(q.shape)
    for b, t, h in np.ndindex(q.shape[:3]):
        keys = np.flatnonzero(mask[b, t])
        if keys.size:
            scores = k[b, keys, h].astype(np.float64) @ q[b, t, h] / np.sqrt(q.shape[-1])
            weights = np.exp(scores - scores.max())
            out[b, t, h] = weights @ v[b, keys, h] / weights.sum()
    return out


def test_it_equals_its_formula_query_by_query():
    found = nn.dot_product_attention(tf.constant(Q), tf.constant(K), tf.constant(V))
    np.testing.assert_allclose(found, reference(Q, K, V, np.ones((2, 3, 5), bool)), rtol=1e-5, atol=1e-6)


def test_a_mask_of_keys_leaves_them_out_and_a_row_without_keys_is_zero():
    found = nn.dot_product_attention(tf.constant(Q), tf.constant(K), tf.constant(V), tf.constant(MASK))
    np.testing.assert_allclose(
        found, reference(Q, K, V, np.repeat(MASK[:, None], 3, 1)), rtol=1e-5, atol=1e-6
    )
    assert not np.any(found[1])


def test_a_mask_for_each_query():
    mask = RNG.random((2, 3, 5)) < 0.4
    mask[0, 1] = False
    found = nn.dot_product_attention(tf.constant(Q), tf.constant(K), tf.constant(V), tf.constant(mask))
    np.testing.assert_allclose(found, reference(Q, K, V, mask), rtol=1e-5, atol=1e-6)


def test_masked_keys_and_values_change_nothing_and_get_no_gradient():
    def run(k: np.ndarray, v: np.ndarray) -> tuple:
        k, v = tf.constant(k), tf.constant(v)
        with tf.GradientTape() as tape:
            tape.watch([k, v])
            y = nn.dot_product_attention(tf.constant(Q), k, v, tf.constant(MASK))
        return y, tape.gradient(y, [k, v])

    y, gradients = run(K, V)
    away = ~MASK[:, :, None, None]
    other, _ = run(np.where(away, 100.0, K).astype(np.float32), np.where(away, -100.0, V).astype(np.float32))
    np.testing.assert_array_equal(y, other)
    for gradient in gradients:
        assert np.all(np.isfinite(gradient)) and not np.any(gradient.numpy()[~MASK])


def test_large_scores_do_not_overflow():
    y = nn.dot_product_attention(
        tf.constant(Q * 1e4), tf.constant(K * 1e4), tf.constant(V), tf.constant(MASK)
    )
    assert np.all(np.isfinite(y))


def test_bfloat16_is_at_most_twice_as_far_off_as_plain_tensorflow():
    half = [tf.cast(x, tf.bfloat16) for x in (Q, K, V)]
    exact = nn.dot_product_attention(*(tf.cast(x, tf.float32) for x in half))
    q, k, v = (tf.transpose(x, [0, 2, 1, 3]) for x in half)
    plain = tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * tf.cast(8**-0.5, tf.bfloat16)), v)
    plain = tf.cast(tf.transpose(plain, [0, 2, 1, 3]), tf.float32)
    ours = tf.cast(nn.dot_product_attention(*half), tf.float32)
    assert np.abs(ours - exact).max() <= 2 * np.abs(plain - exact).max()


def test_heads_are_slices_of_the_width():
    layer = nn.MultiHeadAttention(8, 2, context_dim=6, rng=np.random.default_rng(1))
    for variable in layer.variables:
        variable.assign_add(0.1 * np.random.default_rng(2).standard_normal(variable.shape))
    x, context = RNG.standard_normal((2, 3, 8)), RNG.standard_normal((2, 5, 6))

    def projected(part: nn.Linear, y: np.ndarray) -> np.ndarray:
        return y @ part.kernel.numpy().astype(np.float64) + part.bias.numpy()

    q, k, v = (
        projected(part, y).reshape(2, -1, 2, 4)
        for part, y in ((layer.query, x), (layer.key, context), (layer.value, context))
    )
    mixed = reference(q, k, v, np.repeat(MASK[:, None], 3, 1)).reshape(2, 3, 8)
    found = layer(tf.constant(x, tf.float32), tf.constant(context, tf.float32), mask=tf.constant(MASK))
    np.testing.assert_allclose(found, projected(layer.output, mixed), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mask", [tf.ones([2, 5]), tf.ones([5], tf.bool)])
def test_another_mask_is_an_error(mask):
    with pytest.raises(ValueError, match="expected a bool mask"):
        nn.dot_product_attention(tf.constant(Q), tf.constant(K), tf.constant(V), mask)


def test_heads_that_do_not_divide_are_an_error():
    with pytest.raises(ValueError, match="divides dim=8, found 3"):
        nn.MultiHeadAttention(8, 3)
