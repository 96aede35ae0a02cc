from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmcore import nn

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
