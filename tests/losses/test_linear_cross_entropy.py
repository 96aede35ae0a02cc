from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore.losses import cross_entropy, linear_cross_entropy

RNG = np.random.default_rng(0)
X = tf.constant(RNG.normal(size=(3, 4, 6)), tf.float32)
KERNEL, BIAS = (tf.constant(RNG.normal(size=size), tf.float32) for size in [(6, 11), (11,)])
LABELS = tf.constant(RNG.integers(0, 11, (3, 4)), tf.int32)
SEGMENTS = tf.constant([[1, 1, 2, 0], [1, 0, 0, 0], [1, 2, 3, 3]])
WEIGHTS = tf.constant(RNG.random((3, 4)), tf.float32)
OPTIONS = {
    "plain": {},
    "smoothed": {"label_smoothing": 0.1},
    "weighted": {"weights": WEIGHTS},
    "packed": {"segment_ids": SEGMENTS, "label_smoothing": 0.3, "weights": WEIGHTS},
}


def loss_and_gradients(loss, inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = 3.0 * loss(*inputs)
    return [y, *tape.gradient(y, inputs)]


def plain(options):
    def loss(x, kernel, *bias):
        return cross_entropy(tf.matmul(x, kernel) + (bias[0] if bias else 0.0), LABELS, **options)

    return loss


def chunked(options, rows, transposed=False):
    def loss(x, kernel, *bias):
        kernel = tf.transpose(kernel) if transposed else kernel
        return linear_cross_entropy(
            x,
            kernel,
            LABELS,
            bias=bias[0] if bias else None,
            chunk_rows=rows,
            transpose_kernel=transposed,
            **options,
        )

    return loss


def assert_close(found, expected, tolerance=1e-5):
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(np.float64(a), np.float64(b), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("rows", [1, 5, 6, 12, 512])
@pytest.mark.parametrize("has_bias", [True, False])
def test_loss_and_gradients_are_those_of_all_logits_at_once(options, rows, has_bias):
    inputs = [X, KERNEL, *([BIAS] * has_bias)]
    expected = loss_and_gradients(plain(options), inputs)
    assert_close(loss_and_gradients(chunked(options, rows), inputs), expected)
    assert_close(loss_and_gradients(chunked(options, rows, transposed=True), inputs), expected)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("where", ["tape inside", "tape outside"])
def test_in_functions(jit_compile, where):
    inputs, options = [X, KERNEL, BIAS], OPTIONS["packed"]
    expected = loss_and_gradients(plain(options), inputs)
    if where == "tape inside":
        function = tf.function(
            lambda *given: loss_and_gradients(chunked(options, 5), list(given)), jit_compile=jit_compile
        )
        assert_close(function(*inputs), expected)
    else:
        loss = tf.function(chunked(options, 5), jit_compile=jit_compile)
        assert_close(loss_and_gradients(loss, inputs), expected)


def test_unknown_numbers_of_examples():
    @tf.function(input_signature=[tf.TensorSpec([None, None, 6]), tf.TensorSpec([None, None], tf.int32)])
    def both(x, labels):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = linear_cross_entropy(x, KERNEL, labels, chunk_rows=5)
        return y, tape.gradient(y, x)

    expected = loss_and_gradients(plain({}), [X, KERNEL])
    loss, dx = both(X, LABELS)
    assert_close([3.0 * loss, 3.0 * dx], expected[:2])
    loss, dx = both(X[:0], LABELS[:0])
    assert float(loss) == 0.0 and dx.shape == [0, 4, 6]


def test_bfloat16_is_as_exact_as_all_logits_at_once():
    x, kernel = tf.cast(X, tf.bfloat16), tf.cast(KERNEL, tf.bfloat16)
    exact = loss_and_gradients(plain({}), [tf.cast(x, tf.float32), tf.cast(kernel, tf.float32)])
    found = loss_and_gradients(chunked({}, 5), [x, kernel])
    rival = loss_and_gradients(plain({}), [x, kernel])
    for ours, theirs, truth in zip(found, rival, exact, strict=True):
        assert ours.dtype == theirs.dtype
        errors = [np.sqrt(np.mean((np.float64(a) - np.float64(truth)) ** 2)) for a in (ours, theirs)]
        assert errors[0] <= 2 * errors[1] + 1e-6


def test_no_weight_at_all_gives_zero():
    loss, dx, dkernel = loss_and_gradients(chunked({"weights": tf.zeros([3, 4])}, 5), [X, KERNEL])
    assert float(loss) == 0.0 and not np.any(dx) and not np.any(dkernel)


def test_nan_is_not_hidden():
    assert np.isnan(linear_cross_entropy(X * np.nan, KERNEL, LABELS, chunk_rows=5))


def test_without_a_gradient_in_sight_none_is_computed():
    function = tf.function(chunked({}, 512)).get_concrete_function(X, KERNEL)
    products = [op for op in function.graph.get_operations() if "MatMul" in op.type]
    assert len(products) == 1


def test_second_derivatives_are_refused():
    with tf.GradientTape() as outer:
        outer.watch(X)
        with tf.GradientTape() as inner:
            inner.watch(X)
            y = linear_cross_entropy(X, KERNEL, LABELS)
        dx = inner.gradient(y, X)
    with pytest.raises(NotImplementedError, match="no second derivatives; use cross_entropy"):
        outer.gradient(dx, X)


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"x": tf.cast(X, tf.float64)}, TypeError, "found float64 and float32; cast them"),
        ({"kernel": tf.cast(KERNEL, tf.bfloat16)}, TypeError, "found float32 and bfloat16"),
        ({"kernel": KERNEL[:5]}, ValueError, r"kernel \[dim, num_classes\], known when traced, found"),
        ({"kernel": KERNEL[0]}, ValueError, r"kernel \[dim, num_classes\]"),
        ({"transpose_kernel": True}, ValueError, r"kernel \[num_classes, dim\]"),
        ({"bias": BIAS[:3]}, ValueError, r"bias \[11\], found \(3,\)"),
        ({"labels": LABELS[:2]}, ValueError, "labels must have the shape of logits without"),
        ({"weights": WEIGHTS[:, :1]}, ValueError, "weights must have the shape"),
        ({"label_smoothing": 1.0}, ValueError, r"label_smoothing must be in \[0, 1\)"),
        ({"chunk_rows": 0}, ValueError, "chunk_rows of at least 1, found 0"),
    ],
)
def test_what_is_wrong_is_said(change, error, message):
    with pytest.raises(error, match=message):
        linear_cross_entropy(**{"x": X, "kernel": KERNEL, "labels": LABELS, **change})
