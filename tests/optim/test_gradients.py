from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore.optim import clip_by_global_norm, global_norm

GRADIENTS = {"a": tf.constant([[3.0, 0.0]]), "b": tf.constant([0.0, -4.0, 12.0])}


def test_global_norm_is_over_all_tensors():
    assert float(global_norm(GRADIENTS.values())) == 13.0


def test_clipping_scales_to_the_bound():
    clipped, norm = clip_by_global_norm(GRADIENTS, 6.5)
    assert float(norm) == 13.0
    for path, gradient in GRADIENTS.items():
        np.testing.assert_allclose(clipped[path], gradient / 2, rtol=1e-6)


def test_small_gradients_stay_bit_for_bit():
    clipped, _ = clip_by_global_norm(GRADIENTS, 13.0)
    for path, gradient in GRADIENTS.items():
        np.testing.assert_array_equal(clipped[path], gradient)


def test_zero_gradients_stay_zero():
    clipped, norm = clip_by_global_norm({"a": tf.zeros(3)}, 1.0)
    assert float(norm) == 0.0 and not clipped["a"].numpy().any()


def test_nan_reaches_every_gradient():
    clipped, norm = clip_by_global_norm({**GRADIENTS, "c": tf.constant([np.nan])}, 1.0)
    assert np.isnan(norm) and all(np.isnan(gradient).all() for gradient in clipped.values())


def test_infinity_shows_in_the_norm():
    clipped, norm = clip_by_global_norm({"a": tf.constant([np.inf, 1.0])}, 1.0)
    assert np.isinf(norm) and np.isnan(clipped["a"][0])


def test_bfloat16_is_summed_in_float32():
    ones = tf.ones([4096], tf.bfloat16)
    clipped, norm = clip_by_global_norm({"a": ones}, 1.0)
    assert float(norm) == 64.0 and clipped["a"].dtype == tf.bfloat16


@pytest.mark.parametrize("bound", [0.0, -1.0, float("nan")])
def test_bound_must_be_positive(bound):
    with pytest.raises(ValueError, match="clip_norm must be positive"):
        clip_by_global_norm(GRADIENTS, bound)
