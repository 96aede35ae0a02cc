from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn

X = np.random.default_rng(0).standard_normal((2, 3, 5, 8)).astype(np.float32) * 3 + 2
SCALE, BIAS = np.linspace(0.5, 2, 8), np.linspace(-1, 1, 8)


def ready(layer: tf.Module) -> tf.Module:
    layer.scale.assign(SCALE)
    layer.bias.assign(BIAS)
    return layer


def normal(x: np.ndarray, axes: tuple[int, ...], epsilon: float) -> np.ndarray:
    x = x.astype(np.float64)
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def test_layer_norm_equals_its_formula():
    expected = normal(X, (-1,), 1e-6) * SCALE + BIAS
    np.testing.assert_allclose(ready(nn.LayerNorm(8))(tf.constant(X)), expected, rtol=1e-5, atol=1e-5)


def test_group_norm_equals_its_formula():
    groups = normal(X.reshape(2, 3, 5, 2, 4), (1, 2, 4), 1e-5).reshape(X.shape)
    layer = ready(nn.GroupNorm(8, num_groups=2))
    np.testing.assert_allclose(layer(tf.constant(X)), groups * SCALE + BIAS, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("shape", [(2, 3, 5, 8), (30, 8), (6, 5, 8)])
def test_batch_norm_in_training_uses_the_batch_and_moves_its_averages(dtype, shape):
    layer, x = ready(nn.BatchNorm(8, momentum=0.75)), X.reshape(shape)
    axes = tuple(range(x.ndim - 1))
    y = layer(tf.constant(x, dtype), training=True)
    np.testing.assert_allclose(y, normal(x, axes, 1e-5) * SCALE + BIAS, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean, 0.25 * x.mean(axes), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, 0.75 + 0.25 * x.var(axes) * 30 / 29, rtol=1e-5)


def test_batch_norm_moves_its_averages_equally_under_xla():
    plain, compiled = nn.BatchNorm(8), nn.BatchNorm(8)
    plain(tf.constant(X), training=True)
    tf.function(lambda x: compiled(x, training=True), jit_compile=True, autograph=False)(tf.constant(X))
    np.testing.assert_allclose(compiled.moving_mean, plain.moving_mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(compiled.moving_variance, plain.moving_variance, rtol=1e-5)


def test_batch_norm_outside_training_uses_its_averages_and_keeps_them():
    layer = ready(nn.BatchNorm(8))
    layer.moving_mean.assign(np.arange(8.0))
    layer.moving_variance.assign(np.arange(1.0, 9.0))
    expected = (X - np.arange(8.0)) / np.sqrt(np.arange(1.0, 9.0) + 1e-5) * SCALE + BIAS
    np.testing.assert_allclose(layer(tf.constant(X)), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean, np.arange(8.0))


@pytest.mark.parametrize("build", [nn.LayerNorm, lambda dim: nn.GroupNorm(dim, num_groups=2)])
def test_bfloat16_is_at_most_twice_as_far_off_as_rounding_the_result(build):
    layer = ready(build(8))
    half = tf.cast(X, tf.bfloat16)
    exact = layer(tf.cast(half, tf.float32))
    rounded = tf.cast(tf.cast(exact, tf.bfloat16), tf.float32)
    error = np.abs(tf.cast(layer(half), tf.float32) - exact)
    assert error.max() <= 2 * np.abs(rounded - exact).max()


def test_a_constant_input_stays_finite_in_value_and_gradient():
    for layer in (nn.LayerNorm(8), nn.GroupNorm(8)):
        x = tf.ones([2, 3, 8])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        assert np.all(np.isfinite(y)) and np.all(np.isfinite(tape.gradient(y, x)))


def test_groups_that_do_not_divide_are_an_error():
    with pytest.raises(ValueError, match="divides dim=8, found 3"):
        nn.GroupNorm(8, num_groups=3)


def test_momentum_outside_zero_and_one_is_an_error():
    with pytest.raises(ValueError, match="momentum in"):
        nn.BatchNorm(8, momentum=1.5)


@pytest.mark.parametrize("layer", [nn.LayerNorm(8), nn.GroupNorm(8), nn.BatchNorm(8)])
def test_another_width_is_an_error(layer):
    with pytest.raises(ValueError, match=r"expected \[\.\.\., 8\]"):
        layer(tf.zeros([2, 3, 7]))
