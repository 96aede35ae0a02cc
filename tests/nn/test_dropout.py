from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn

SEED = tf.constant([3, 5])


def test_the_rate_is_met_and_the_rest_is_scaled():
    y = nn.Dropout(0.2)(tf.ones([200, 500]), training=True, seed=SEED).numpy()
    # The standard deviation of a share of 100,000 at 0.2 is 0.0013; five of them.
    assert abs(np.mean(y == 0) - 0.2) < 5 * 0.0013
    np.testing.assert_allclose(y[y != 0], 1.25, rtol=1e-6)


def test_stochastic_depth_drops_whole_examples():
    y = nn.StochasticDepth(0.5)(tf.ones([1000, 3, 2]), training=True, seed=SEED).numpy()
    rows = y.reshape(1000, 6)
    assert np.all((rows == 0).all(axis=1) | (rows == 2).all(axis=1))
    # The standard deviation of a share of 1,000 at 0.5 is 0.016; five of them.
    assert abs(np.mean(rows[:, 0] == 0) - 0.5) < 5 * 0.016


@pytest.mark.parametrize("build", [nn.Dropout, nn.StochasticDepth])
def test_same_seed_same_result_and_no_seed_another_each_time(build):
    layer, x = build(0.5), tf.ones([64, 3])
    first, second = (layer(x, training=True, seed=SEED) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    first, second = (layer(x, training=True) for _ in range(2))
    assert np.any(first != second)


@pytest.mark.parametrize("build", [nn.Dropout, nn.StochasticDepth])
def test_nothing_happens_outside_training_or_at_rate_zero(build):
    x = tf.ones([2, 3])
    assert build(0.5)(x) is x
    assert build(0.0)(x, training=True) is x


@pytest.mark.parametrize("build", [nn.Dropout, nn.StochasticDepth])
@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_outside_zero_and_one_is_an_error(build, rate):
    with pytest.raises(ValueError, match=r"rate in \[0, 1\), found"):
        build(rate)
