from __future__ import annotations

import numpy as np
import pytest

from mmcore.nn import init

SHAPE = (3, 3, 40, 60)  # fan_in 360, fan_out 540


@pytest.mark.parametrize(
    ("draw", "variance"),
    [(init.lecun_normal, 1 / 360), (init.he_normal, 2 / 360), (init.glorot_uniform, 2 / 900)],
)
def test_variance_is_that_of_the_source(draw, variance):
    values = draw(np.random.default_rng(0), SHAPE)
    # 21,600 draws: the standard error of the variance is at most sqrt(2 / 21600) = 1 %; five of them.
    assert values.dtype == np.float32
    assert abs(values.var() / variance - 1) < 0.05
    assert abs(values.mean()) < 5 * np.sqrt(variance / values.size)


def test_truncated_normal_ends_at_two_deviations():
    values = init.truncated_normal(0.5)(np.random.default_rng(0), (100, 100))
    assert 0.9 < np.abs(values).max() <= 1.0


@pytest.mark.parametrize("shape", [(4, 6), (6, 4)])
def test_orthogonal_has_orthonormal_short_side(shape):
    q = init.orthogonal(np.random.default_rng(0), shape).astype(np.float64)
    gram = q @ q.T if shape[0] < shape[1] else q.T @ q
    np.testing.assert_allclose(gram, np.eye(4), atol=1e-6)


def test_same_generator_state_gives_the_same_values():
    first, second = (init.he_normal(np.random.default_rng(7), (5, 6)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
