from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn
from mmcore.nn.seeds import bits, uniform

SEED = tf.constant([3, 5])


def test_fold_depends_on_the_seed_and_on_the_number():
    seeds = [
        nn.fold(SEED, 0),
        nn.fold(SEED, 1),
        nn.fold(tf.constant([3, 6]), 0),
        nn.fold(tf.constant([4, 5]), 0),
    ]
    assert len({tuple(seed.numpy()) for seed in seeds}) == 4


def test_fold_is_the_same_for_a_number_a_tensor_and_under_xla():
    expected = nn.fold(SEED, 7).numpy()
    np.testing.assert_array_equal(nn.fold(SEED, tf.constant(7, tf.int64)), expected)
    np.testing.assert_array_equal(tf.function(nn.fold, jit_compile=True)(SEED, tf.constant(7)), expected)


def test_split_gives_distinct_seeds_and_the_same_ones_again():
    first, second = nn.split(SEED, 4), nn.split(SEED, 4)
    assert len({tuple(seed.numpy()) for seed in first}) == 4
    np.testing.assert_array_equal(tf.stack(first), tf.stack(second))


def test_fresh_seeds_differ():
    assert tuple(nn.fresh().numpy()) != tuple(nn.fresh().numpy())


def test_folds_and_splits_of_one_seed_are_all_different():
    seeds = [nn.fold(SEED, i) for i in range(20)] + nn.split(SEED, 20)
    assert len({tuple(seed.numpy()) for seed in seeds}) == 40


def test_words_are_the_same_eagerly_in_a_graph_and_under_xla():
    expected = bits(SEED, [5, 7]).numpy()
    for jit in (False, True):
        graph = tf.function(lambda seed: bits(seed, [5, 7]), jit_compile=jit, autograph=False)
        np.testing.assert_array_equal(graph(SEED), expected)


def test_each_bit_is_one_half_of_the_time():
    words = bits(SEED, [100_000]).numpy()
    ones = ((words[:, None] >> np.arange(32, dtype=np.uint32)) & 1).mean(axis=0)
    # The standard deviation of a share of 100,000 is 0.0016; five of them, as 32 are looked at.
    assert np.all(np.abs(ones - 0.5) < 5 * 0.0016)


@pytest.mark.parametrize("other", [[3, 6], [4, 5], [5, 3]])
def test_neighbouring_seeds_give_unrelated_words_at_every_shift(other):
    first = uniform(SEED, [4096]).numpy() - 0.5
    second = uniform(tf.constant(other), [4096]).numpy() - 0.5
    products = np.fft.irfft(np.fft.rfft(first) * np.conj(np.fft.rfft(second)))
    # Each circular correlation has a standard deviation of 1 / sqrt(4096); six, as 4,096 are looked at.
    assert np.max(np.abs(products)) / (4096 / 12) < 6 / 64


def test_words_in_a_row_are_unrelated():
    values = uniform(SEED, [4096]).numpy() - 0.5
    products = np.fft.irfft(np.abs(np.fft.rfft(values)) ** 2)[1:]
    assert np.max(np.abs(products)) / (4096 / 12) < 6 / 64


def test_uniform_fills_its_interval_evenly():
    values = uniform(SEED, [100_000]).numpy()
    assert values.min() >= 0 and values.max() < 1
    counts = np.histogram(values, bins=100, range=(0, 1))[0]
    # Chi square of 99 degrees of freedom: mean 99, deviation 14; five of them.
    assert abs(np.sum((counts - 1000.0) ** 2 / 1000) - 99) < 5 * 14
