from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import encoders, nn

IDS = np.random.default_rng(0).integers(0, 11, (3, 5)).astype(np.int32)
MASK = np.array([[True] * 5, [True, True, False, False, False], [False] * 5])
BUILDS = {
    "transformer": lambda: encoders.TextTransformer(11, 8, max_length=5, num_layers=2, num_heads=2),
    "gru": lambda: encoders.TextRNN(11, 8, embedding_dim=6, num_layers=2),
    "lstm": lambda: encoders.TextRNN(11, 8, cell=nn.LSTM),
}
each = pytest.mark.parametrize("name", BUILDS)


@each
def test_ids_at_masked_positions_change_no_real_token_and_no_summary(name):
    encoder = BUILDS[name]()
    other = np.where(MASK, IDS, 10 - IDS)
    first, second = (encoder(tf.constant(ids), tf.constant(MASK)) for ids in (IDS, other))
    np.testing.assert_array_equal(first.values.numpy()[MASK], second.values.numpy()[MASK])
    np.testing.assert_array_equal(first.pooled, second.pooled)


@each
def test_padding_changes_nothing(name):
    encoder = BUILDS[name]()
    padded = encoder(tf.constant(IDS), tf.constant(MASK))
    alone = encoder(tf.constant(IDS[1:2, :2]))
    np.testing.assert_allclose(padded.values[1:2, :2], alone.values, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(padded.pooled[1:2], alone.pooled, rtol=1e-5, atol=1e-5)


@each
def test_a_missing_text_has_a_zero_summary_and_finite_gradients(name):
    encoder = BUILDS[name]()
    with tf.GradientTape() as tape:
        tokens = encoder(tf.constant(IDS), tf.constant(MASK), training=True)
        loss = tf.reduce_sum(tokens.values**2) + tf.reduce_sum(tokens.pooled**2)
    assert tokens.values.shape == (3, 5, encoder.dim) and tokens.values.dtype == tf.float32
    assert not np.any(tokens.pooled[2]) and np.any(tokens.pooled[1])
    for gradient in tape.gradient(loss, encoder.trainable_variables):
        assert np.all(np.isfinite(tf.convert_to_tensor(gradient)))


def test_order_matters():
    for name in BUILDS:
        encoder = BUILDS[name]()
        assert np.any(
            np.abs(encoder(tf.constant(IDS)).pooled - encoder(tf.constant(IDS[:, ::-1])).pooled) > 1e-6
        )


@pytest.mark.parametrize(("dim", "num_layers"), [(7, 1), (8, 0)])
def test_an_odd_width_or_no_layer_is_an_error(dim, num_layers):
    with pytest.raises(ValueError, match="an even dim and at least one layer"):
        encoders.TextRNN(11, dim, num_layers=num_layers)


def test_a_text_longer_than_max_length_is_an_error():
    with pytest.raises(ValueError, match="at most max_length=5"):
        BUILDS["transformer"]()(tf.zeros([2, 6], tf.int32))


def test_heads_that_do_not_divide_are_an_error():
    with pytest.raises(ValueError, match="divides dim=8, found 3"):
        encoders.TextTransformer(11, 8, num_heads=3)
