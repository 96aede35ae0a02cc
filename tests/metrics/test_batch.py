from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore.metrics import accuracy, batch_accuracy

LOGITS = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
LABELS = np.array([0, 1, 2, 0, 1, 2], "int32")


def test_equals_numpy_accuracy():
    assert float(batch_accuracy(LOGITS, LABELS)) == pytest.approx(accuracy(LOGITS.argmax(-1), LABELS))


def test_weights():
    weights = np.array([1, 0, 2, 0, 1, 3], "float32")
    expected = (weights * (LOGITS.argmax(-1) == LABELS)).sum() / weights.sum()
    assert float(batch_accuracy(LOGITS, LABELS, weights=weights)) == pytest.approx(expected)
    assert float(batch_accuracy(LOGITS, LABELS, weights=np.zeros(6, "float32"))) == 0.0


def test_nan_row_is_wrong():
    logits = np.array([[np.nan, 0.0], [np.nan, np.nan], [1.0, 0.0]], "float32")
    assert float(batch_accuracy(logits, [0, 0, 0])) == pytest.approx(1 / 3)


def test_int64_labels_and_xla():
    compiled = tf.function(batch_accuracy, jit_compile=True)
    labels = tf.constant(LABELS, tf.int64)
    assert float(compiled(LOGITS, labels)) == float(batch_accuracy(LOGITS, LABELS))


def test_wrong_shapes():
    with pytest.raises(ValueError, match="labels must have shape"):
        batch_accuracy(LOGITS, LABELS[:, None])
    with pytest.raises(ValueError, match="weights must have shape"):
        batch_accuracy(LOGITS, LABELS, weights=np.ones((6, 1), "float32"))
