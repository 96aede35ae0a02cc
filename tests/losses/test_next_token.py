from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import losses

SEGMENTS = np.array([[1, 1, 1, 2, 2, 0], [1, 2, 3, 3, 0, 0], [0] * 6], np.int32)
IDS = np.arange(18, dtype=np.int32).reshape(3, 6) + 1


def test_the_label_is_the_next_id_of_the_same_segment():
    labels, weights = losses.next_token(IDS, SEGMENTS)
    assert labels.dtype == tf.int32 and weights.dtype == tf.float32
    for row, at in np.ndindex(3, 6):
        follows = at < 5 and SEGMENTS[row, at] > 0 and SEGMENTS[row, at] == SEGMENTS[row, at + 1]
        assert weights[row, at].numpy() == follows
        assert labels[row, at].numpy() == (IDS[row, at + 1] if follows else 0)


def test_what_is_of_no_segment_has_no_loss_whatever_its_label():
    rng = np.random.default_rng(0)
    logits, labels = rng.standard_normal((3, 6, 5)).astype(np.float32), rng.integers(0, 5, (3, 6))
    inside = SEGMENTS > 0
    wrong = np.where(inside, labels, -7)
    for weights in (None, rng.random((3, 6)).astype(np.float32)):
        expected = losses.cross_entropy(
            tf.constant(logits[inside]),
            tf.constant(labels[inside]),
            weights=None if weights is None else tf.constant(weights[inside]),
        )
        found = losses.cross_entropy(
            tf.constant(logits), tf.constant(wrong), weights=weights, segment_ids=tf.constant(SEGMENTS)
        )
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    nothing = losses.cross_entropy(tf.constant(logits), tf.constant(wrong), segment_ids=np.zeros((3, 6), int))
    assert nothing.numpy() == 0.0


def test_shapes_that_do_not_fit_are_errors():
    with pytest.raises(ValueError, match=r"expected ids and segment_ids \[rows, length\]"):
        losses.next_token(IDS, SEGMENTS[:, :4])
    with pytest.raises(ValueError, match="segment_ids must have the shape of logits"):
        losses.cross_entropy(tf.zeros([3, 6, 5]), IDS, segment_ids=SEGMENTS[:, :4])
