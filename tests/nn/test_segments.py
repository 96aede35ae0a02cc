from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn

IDS = np.array([[1, 1, 2, 3, 3, 3, 0], [1, 2, 2, 2, 0, 0, 0], [0] * 7], np.int32)
VALUES = np.random.default_rng(0).standard_normal((3, 7, 5)).astype(np.float32)


def test_a_query_sees_its_own_segment_alone():
    mask = nn.segment_mask(tf.constant(IDS)).numpy()
    for row, t, s in np.ndindex(mask.shape):
        assert mask[row, t, s] == (IDS[row, t] > 0 and IDS[row, t] == IDS[row, s])


@pytest.mark.parametrize("num_segments", [2, 3, 7])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_mean_of_each_segment(num_segments, jit_compile):
    expected = np.zeros((3, num_segments, 5))
    for row, segment in np.ndindex(3, num_segments):
        own = IDS[row] == segment + 1
        if own.any():
            expected[row, segment] = VALUES[row, own].astype(np.float64).mean(0)
    run = tf.function(nn.segment_mean, jit_compile=jit_compile, autograph=False)
    np.testing.assert_allclose(
        run(tf.constant(VALUES), tf.constant(IDS), num_segments), expected, rtol=1e-5, atol=1e-6
    )


def test_the_mean_of_bfloat16_is_summed_wide_and_has_the_gradient_of_a_mean():
    ones = tf.ones([1, 4000, 1], tf.bfloat16)
    with tf.GradientTape() as tape:
        tape.watch(ones)
        mean = nn.segment_mean(ones, tf.ones([1, 4000], tf.int32), 1)
    assert mean.dtype == tf.bfloat16 and mean.numpy() == 1.0
    np.testing.assert_allclose(tf.cast(tape.gradient(mean, ones), tf.float32), 1 / 4000, rtol=1e-2)


def test_garbage_at_padding_changes_nothing():
    other = np.where(IDS[:, :, None] > 0, VALUES, np.nan)
    first, second = (nn.segment_mean(tf.constant(x), tf.constant(IDS), 3) for x in (VALUES, other))
    np.testing.assert_array_equal(first, second)


def test_what_belongs_to_each_sequence():
    values = tf.reshape(tf.range(24), [2, 3, 4])
    places = tf.constant([[1, 3], [-1, 0], [0, 1], [-1, -1]])
    found = nn.gather_segments(values, places).numpy()
    np.testing.assert_array_equal(found, [values[1, 2], [0] * 4, values[0, 0], [0] * 4])
    assert nn.gather_segments(tf.zeros([0, 3, 4]), places[1:2]).shape == (1, 4)


def test_packed_tokens_unpack_and_cut():
    places = tf.constant([[0, 3], [-1, 0], [1, 2], [0, 1], [-1, -1]])
    index = nn.segment_index(tf.constant(IDS), places, 4)
    tokens = nn.PackedTokens(tf.constant(VALUES), tf.constant(IDS), places, tf.ones([5, 5]), index)
    for length in (2, 4, 9):
        rows = tokens.unpacked(length)
        for example, (row, segment) in enumerate(places.numpy()):
            own = VALUES[row][IDS[row] == segment][:length] if segment > 0 else VALUES[0][:0]
            np.testing.assert_array_equal(rows.values[example, : len(own)], own)
            assert rows.mask[example].numpy().tolist() == [t < len(own) for t in range(length)]
            assert not np.any(rows.values[example, len(own) :])
    np.testing.assert_array_equal(tokens.unpacked().values, tokens.unpacked(4).values)
    assert tokens.present().numpy().tolist() == [True, False, True, True, False]
    np.testing.assert_array_equal(tokens.mask, IDS > 0)
    summaries = tokens.summaries()
    assert summaries.values.shape == (5, 1, 5) and summaries.mask[:, 0].numpy().tolist() == [1, 0, 1, 1, 0]


def test_attention_within_segments_is_attention_of_each_alone():
    x = tf.constant(VALUES.reshape(3, 7, 1, 5))
    found = nn.dot_product_attention(x, x, x, segment_ids=tf.constant(IDS)).numpy()
    for row, segment in np.ndindex(3, 4):
        own = IDS[row] == segment
        if segment and own.any():
            alone = tf.constant(x.numpy()[row : row + 1, own])
            np.testing.assert_allclose(
                found[row : row + 1, own], nn.dot_product_attention(alone, alone, alone), rtol=1e-5, atol=1e-6
            )
    assert not np.any(found[IDS == 0])


def test_a_mask_and_segments_both_hold():
    x = tf.constant(VALUES.reshape(3, 7, 1, 5))
    mask = np.random.default_rng(1).random((3, 7, 7)) < 0.6
    both = tf.constant(mask & nn.segment_mask(tf.constant(IDS)).numpy())
    expected = nn.dot_product_attention(x, x, x, both)
    ids = tf.constant(IDS)
    np.testing.assert_array_equal(
        nn.dot_product_attention(x, x, x, tf.constant(mask), segment_ids=ids), expected
    )
    keys = tf.constant(mask[:, 0])
    found = nn.dot_product_attention(x, x, x, keys, segment_ids=ids)
    both = tf.constant(mask[:, :1] & nn.segment_mask(ids).numpy())
    np.testing.assert_array_equal(found, nn.dot_product_attention(x, x, x, both))


def test_stochastic_depth_drops_whole_segments():
    rows, length = 200, 6
    ids = np.repeat(np.array([[1, 1, 2, 2, 2, 0]], np.int32), rows, axis=0)
    x = tf.ones([rows, length, 3])
    y = nn.StochasticDepth(0.25)(x, segment_ids=tf.constant(ids), training=True, seed=tf.constant([1, 2]))
    first, second = y[:, :2].numpy().reshape(rows, -1), y[:, 2:5].numpy().reshape(rows, -1)
    for part in (first, second):
        assert np.all(part == part[:, :1])
        np.testing.assert_allclose(part[:, 0].max(), 1 / 0.75)
        assert 0.6 < np.mean(part[:, 0] > 0) < 0.9
    assert np.any(first[:, 0] != second[:, 0])


def test_positions_are_those_that_are_given():
    positions = nn.Positions(4, 5)
    numbers = np.array([[0, 1, 0, 0, 1, 2, 3]] * 3)
    found = positions(tf.constant(VALUES), tf.constant(numbers))
    np.testing.assert_allclose(found, VALUES + positions.table.numpy()[numbers], rtol=1e-6)


def test_wrong_segment_ids_are_errors():
    x = tf.zeros([3, 7, 1, 5])
    for ids in (tf.zeros([3, 7]), tf.zeros([7], tf.int32)):
        with pytest.raises(ValueError, match=r"expected integer segment_ids \[rows, length\], found"):
            nn.dot_product_attention(x, x, x, segment_ids=ids)
        with pytest.raises(ValueError, match="expected integer segment_ids"):
            nn.segment_mean(x[:, :, 0], ids, 2)
        with pytest.raises(ValueError, match="expected integer segment_ids"):
            nn.segment_index(ids, tf.constant([[0, 1]]), 2)
    with pytest.raises(ValueError, match="segment_ids without a context"):
        nn.MultiHeadAttention(5, 1)(x[:, :, 0], x[:, :, 0], segment_ids=tf.constant(IDS))
