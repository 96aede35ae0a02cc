from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import ops

LENGTHS = tf.constant([3, 9, 6])
RNG = np.random.default_rng(0)
K_CACHE, V_CACHE = (tf.constant(RNG.normal(size=[3, 9, 2, 5]), tf.float32) for _ in range(2))


def queries(count: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(1).normal(size=[3, count, 4, 5]), tf.float32)


@pytest.mark.parametrize("impl", ["native", "tensorflow"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("options", [{}, {"window": 2, "scale": 0.3, "soft_cap": 2.0}])
def test_each_row_attends_as_if_it_were_alone(impl, count, options):
    q = queries(count)
    found = ops.decode_attention(q, K_CACHE, V_CACHE, LENGTHS, impl=impl, **options)
    for row, length in enumerate(LENGTHS.numpy()):
        alone = ops.attention(
            q[row : row + 1],
            K_CACHE[row : row + 1, :length],
            V_CACHE[row : row + 1, :length],
            is_causal=True,
            **options,
        )
        np.testing.assert_allclose(found[row : row + 1], alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_tokens_one_by_one_give_what_all_at_once_give(jit_compile):
    q = tf.constant(RNG.normal(size=[3, 9, 4, 5]), tf.float32)
    expected = ops.attention(q, K_CACHE, V_CACHE, is_causal=True)

    @tf.function(jit_compile=jit_compile)
    def step(caches, q, k, v, lengths):
        caches = [ops.update_cache(cache, new, lengths) for cache, new in zip(caches, (k, v), strict=True)]
        return caches, ops.decode_attention(q, *caches, lengths)

    caches = [tf.zeros_like(K_CACHE), tf.zeros_like(V_CACHE)]
    for t in range(9):
        new = (x[:, t : t + 1] for x in (q, K_CACHE, V_CACHE))
        caches, out = step(caches, *new, tf.fill([3], t + 1))
        np.testing.assert_allclose(out[:, 0], expected[:, t], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(caches[0], K_CACHE)
    np.testing.assert_array_equal(caches[1], V_CACHE)


def test_rows_of_different_lengths_are_updated_in_their_own_places():
    cache, new = tf.zeros([2, 5, 1, 1]), tf.constant([[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]])
    found = ops.update_cache(cache, new, tf.constant([2, 5]))
    np.testing.assert_array_equal(found[:, :, 0, 0], [[1, 2, 0, 0, 0], [0, 0, 0, 3, 4]])


def test_a_token_before_the_first_sees_nothing():
    out = ops.decode_attention(queries(3), K_CACHE, V_CACHE, tf.constant([2, 1, 0]))
    assert (out.numpy()[0, :1] == 0).all() and (out.numpy()[1, :2] == 0).all() and (out.numpy()[2] == 0).all()
    assert (out.numpy()[0, 1:] != 0).all() and (out.numpy()[1, 2:] != 0).all()


def test_unknown_batch_and_length():
    specs = [tf.TensorSpec([None, None, *x.shape[2:]]) for x in (queries(1), K_CACHE, V_CACHE)]
    function = tf.function(ops.decode_attention, input_signature=[*specs, tf.TensorSpec([None], tf.int32)])
    found = function(queries(2), K_CACHE, V_CACHE, LENGTHS)
    np.testing.assert_array_equal(found, ops.decode_attention(queries(2), K_CACHE, V_CACHE, LENGTHS))


def test_what_is_wrong_is_refused():
    q = queries(1)
    with pytest.raises(TypeError, match="lengths of dtype int32, found int64"):
        ops.decode_attention(q, K_CACHE, V_CACHE, tf.cast(LENGTHS, tf.int64))
    with pytest.raises(ValueError, match=r"expected lengths \[B=3\], found \(2,\)"):
        ops.decode_attention(q, K_CACHE, V_CACHE, LENGTHS[:2])
    with pytest.raises(ValueError, match="window of at least 1"):
        ops.decode_attention(q, K_CACHE, V_CACHE, LENGTHS, window=0)
    with pytest.raises(TypeError, match="lengths of dtype int32"):
        ops.update_cache(K_CACHE, q[:, :, :2], [1.0, 2.0, 3.0])
    with pytest.raises(tf.errors.InvalidArgumentError):
        ops.update_cache(K_CACHE, q[:, :, :2], tf.constant([1, 2, 10]))
