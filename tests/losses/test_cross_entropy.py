from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore.losses import cross_entropy

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 3, (4, 5)).astype("float32")
LABELS = np.array([0, 4, 2, 2], "int32")
WEIGHTS = np.array([1.0, 0.5, 0.0, 2.0], "float32")


def reference(logits, labels, smoothing, weights):
    logits = logits.astype("float64")
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    q = np.full(logits.shape, smoothing / logits.shape[-1])
    q[np.arange(len(labels)), labels] += 1.0 - smoothing
    return float((-(q * log_p).sum(-1) * weights).sum() / weights.sum())


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_equals_numpy(smoothing, weights):
    found = cross_entropy(LOGITS, LABELS, label_smoothing=smoothing, weights=weights)
    expected = reference(LOGITS, LABELS, smoothing, np.ones(4) if weights is None else weights)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_padding_rows_of_weight_zero_change_nothing():
    padded = np.concatenate([LOGITS, RNG.normal(0, 9, (3, 5)).astype("float32")])
    labels, weights = np.append(LABELS, [0, 0, 0]).astype("int32"), np.array([1.0] * 4 + [0.0] * 3, "float32")
    np.testing.assert_array_equal(
        cross_entropy(padded, labels, weights=weights), cross_entropy(LOGITS, LABELS)
    )


def test_total_weight_zero_gives_zero_and_zero_gradient():
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = cross_entropy(logits, LABELS, weights=np.zeros(4, "float32"))
    assert loss.numpy() == 0.0
    assert not np.any(tape.gradient(loss, logits).numpy())


def test_gradient_is_weighted_probability_minus_target():
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = cross_entropy(logits, LABELS, label_smoothing=0.2, weights=WEIGHTS)
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)
    q = 0.8 * np.eye(5)[LABELS] + 0.2 / 5
    expected = (p - q) * (WEIGHTS / WEIGHTS.sum())[:, None]
    np.testing.assert_allclose(tape.gradient(loss, logits), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("weights", [None, np.array([1, 1, 1, 0], "float32"), np.zeros(4, "float32")])
def test_bad_logits_are_not_hidden(bad, weights):
    logits = LOGITS.copy()
    logits[3, 1] = bad
    assert np.isnan(cross_entropy(logits, LABELS, label_smoothing=0.1, weights=weights))


def test_bfloat16_logits_are_summed_in_float32():
    logits = tf.cast(LOGITS, tf.bfloat16)
    loss = cross_entropy(logits, LABELS)
    assert loss.dtype == tf.float32
    np.testing.assert_allclose(
        loss, reference(tf.cast(logits, tf.float32).numpy(), LABELS, 0.0, np.ones(4)), 1e-6
    )


def test_large_logits_stay_finite():
    np.testing.assert_allclose(cross_entropy([[1e4, -1e4]], [1]), 2e4)


def test_xla_equals_eager():
    compiled = tf.function(
        lambda logits: cross_entropy(logits, LABELS, label_smoothing=0.1, weights=WEIGHTS), jit_compile=True
    )
    eager = cross_entropy(LOGITS, LABELS, label_smoothing=0.1, weights=WEIGHTS)
    np.testing.assert_allclose(compiled(LOGITS), eager, rtol=1e-6)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, float("nan")])
def test_smoothing_out_of_range(smoothing):
    with pytest.raises(ValueError, match=r"label_smoothing must be in \[0, 1\)"):
        cross_entropy(LOGITS, LABELS, label_smoothing=smoothing)


def test_column_of_labels_or_weights_is_refused():
    with pytest.raises(ValueError, match="labels must have the shape"):
        cross_entropy(LOGITS, LABELS[:, None])
    with pytest.raises(ValueError, match="weights must have the shape"):
        cross_entropy(LOGITS, LABELS, weights=WEIGHTS[:, None])
