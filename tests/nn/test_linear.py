from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn


def test_it_is_a_matrix_product_over_the_last_axis_of_any_rank():
    layer = nn.Linear(4, 5)
    layer.bias.assign(np.arange(5.0))
    for shape in ((4,), (2, 4), (2, 3, 4), (2, 3, 6, 4)):
        x = np.random.default_rng(0).standard_normal((1, *shape)).astype(np.float32)
        expected = x @ layer.kernel.numpy() + np.arange(5.0)
        np.testing.assert_allclose(layer(tf.constant(x)), expected, rtol=1e-5, atol=1e-6)


def test_without_bias_there_is_one_variable():
    assert list(nn.variables_by_path(nn.Linear(4, 5, bias=False))) == ["kernel"]


@pytest.mark.parametrize("dims", [(0, 3), (3, 0)])
def test_width_below_one_is_an_error(dims):
    with pytest.raises(ValueError, match="at least 1"):
        nn.Linear(*dims)


def test_another_width_is_an_error():
    with pytest.raises(ValueError, match=r"expected \[\.\.\., 4\], found \(2, 3\)"):
        nn.Linear(4, 5)(tf.zeros([2, 3]))
