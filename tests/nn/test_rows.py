from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn

INDEX = np.array([[4, 0, -1], [-1, -1, -1], [2, 3, 6]], np.int32)
VALUES = np.random.default_rng(0).standard_normal((1, 7, 4)).astype(np.float32)


def rows() -> nn.Rows:
    return nn.Rows.of(tf.constant(INDEX), 7)


def test_vectors_go_to_their_places_and_back():
    spread = rows().spread(tf.constant(VALUES)).numpy()
    for b, t in np.ndindex(INDEX.shape):
        np.testing.assert_array_equal(spread[b, t], VALUES[0, INDEX[b, t]] if INDEX[b, t] >= 0 else 0)
    back = rows().collect(tf.constant(spread)).numpy()
    placed = np.isin(np.arange(7), INDEX)
    np.testing.assert_array_equal(back[0, placed], VALUES[0, placed])
    assert not np.any(back[0, ~placed])


@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradients_of_both_ways_are_those_of_a_plain_gather(jit_compile):
    weights = tf.constant(np.random.default_rng(1).standard_normal((3, 3, 4)), tf.float32)
    mask = tf.constant(INDEX[:, :, None] >= 0)

    def ours(x):
        spread = rows().spread(x)
        return tf.reduce_sum(tf.sin(spread) * weights) + tf.reduce_sum(rows().collect(spread**2) ** 2)

    def plain(x):
        spread = tf.where(mask, tf.gather(x[0], tf.maximum(tf.constant(INDEX), 0)), 0.0)
        return tf.reduce_sum(tf.sin(spread) * weights) + tf.reduce_sum(spread**4)

    @tf.function(jit_compile=jit_compile, autograph=False)
    def gradients(x):
        found = []
        for function in (ours, plain):
            with tf.GradientTape() as outer:
                outer.watch(x)
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    loss = function(x)
                first = tape.gradient(loss, x)
                total = tf.reduce_sum(first**2)
            found.append((tf.convert_to_tensor(first), tf.convert_to_tensor(outer.gradient(total, x))))
        return found

    for a, b in zip(*gradients(tf.constant(VALUES)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_lists_one_after_the_other_have_their_rows_side_by_side():
    other = nn.Rows.of(tf.constant([[1], [0], [-1]]), 2)
    both = nn.Rows.side_by_side([rows(), other])
    values = tf.concat([VALUES, tf.constant([[[8.0] * 4, [9.0] * 4]])], axis=1)
    spread = both.spread(values).numpy()
    np.testing.assert_array_equal(spread[:, :3], rows().spread(tf.constant(VALUES)))
    np.testing.assert_array_equal(spread[:, 3, 0], [9, 8, 0])
    np.testing.assert_array_equal(both.collect(tf.constant(spread))[0, 7:, 0], [8, 9])


def test_no_examples_and_no_vectors_work():
    nothing = nn.Rows.of(tf.zeros([0, 3], tf.int32), 7)
    assert nothing.spread(tf.constant(VALUES)).shape == (0, 3, 4)
    assert not np.any(nothing.collect(tf.zeros([0, 3, 4])))
    empty = nn.Rows.of(tf.fill([2, 3], -1), 0)
    assert not np.any(empty.spread(tf.zeros([1, 0, 4])))
    assert empty.collect(tf.zeros([2, 3, 4])).shape == (1, 0, 4)


def test_a_block_over_rows_is_the_block_over_each_example():
    block = nn.TransformerBlock(4, 2, rng=np.random.default_rng(0))
    mask = tf.constant(INDEX >= 0)
    found = rows().spread(block(tf.constant(VALUES), mask, rows=rows())).numpy()
    expected = block(rows().spread(tf.constant(VALUES)), mask).numpy()
    np.testing.assert_allclose(found[INDEX >= 0], expected[INDEX >= 0], rtol=1e-5, atol=1e-6)


def test_rows_without_a_mask_or_with_drop_path_are_errors():
    x = tf.constant(VALUES)
    with pytest.raises(ValueError, match="expected a mask with rows, found none"):
        nn.MultiHeadAttention(4, 2)(x, rows=(rows(), rows()))
    with pytest.raises(ValueError, match=r"expected drop_path_rate=0 with rows, found 0\.1"):
        nn.TransformerBlock(4, 2, drop_path_rate=0.1)(x, tf.constant(INDEX >= 0), rows=rows())
