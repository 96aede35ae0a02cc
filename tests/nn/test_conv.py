from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn


def reference(x: np.ndarray, kernel: np.ndarray, stride: int, padding: str) -> np.ndarray:
    """Each output a sum over a window, one by one."""
    batch, height, width, _ = x.shape
    size, _, _, out_dim = kernel.shape
    top = left = 0
    out_h, out_w = (height - size) // stride + 1, (width - size) // stride + 1
    if padding == "SAME":
        out_h, out_w = -(-height // stride), -(-width // stride)
        extra_h = max((out_h - 1) * stride + size - height, 0)
        extra_w = max((out_w - 1) * stride + size - width, 0)
        top, left = extra_h // 2, extra_w // 2
        x = np.pad(x, [(0, 0), (top, extra_h - top), (left, extra_w - left), (0, 0)])
    y = np.zeros((batch, out_h, out_w, out_dim))
    for i in range(out_h):
        for j in range(out_w):
            window = x[:, i * stride : i * stride + size, j * stride : j * stride + size]
            y[:, i, j] = np.einsum("bhwc,hwcd->bd", window, kernel)
    return y


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [1, 3])
def test_it_equals_sums_over_windows(size, stride, padding):
    layer = nn.Conv2D(3, 4, size, stride=stride, padding=padding)
    layer.bias.assign([1.0, 2.0, 3.0, 4.0])
    x = np.random.default_rng(0).standard_normal((2, 6, 5, 3)).astype(np.float32)
    expected = np.add(reference(x.astype(np.float64), layer.kernel.numpy(), stride, padding), [1, 2, 3, 4])
    np.testing.assert_allclose(layer(tf.constant(x)), expected, rtol=1e-5, atol=1e-5)


def test_size_below_one_is_an_error():
    with pytest.raises(ValueError, match="stride=0"):
        nn.Conv2D(3, 4, 3, stride=0)


def test_another_padding_is_an_error():
    with pytest.raises(ValueError, match="found 'same'"):
        nn.Conv2D(3, 4, 3, padding="same")


@pytest.mark.parametrize("shape", [(2, 6, 5, 4), (6, 5, 3)])
def test_another_shape_is_an_error(shape):
    with pytest.raises(ValueError, match=r"expected \[B, height, width, 3\]"):
        nn.Conv2D(3, 4, 3)(tf.zeros(shape))
