from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import data, encoders, fusion, losses, models, nn
from mmcore.data.packing import splits_of
from mmcore.typing import PackedRows

LENGTHS = np.array([5, 0, 3, 4, 1, 5, 2])
SPLITS = splits_of(LENGTHS)
IDS = np.random.default_rng(0).integers(0, 11, SPLITS[-1]).astype(np.int32)
MASK = np.arange(5) < LENGTHS[:, None]
PADDED = np.zeros(MASK.shape, np.int32)
PADDED[MASK] = IDS
WEIGHTS = np.random.default_rng(1).standard_normal((*MASK.shape, 8)).astype(np.float32)


def packed_texts(length: int, rows: int | None = None) -> PackedRows:
    return PackedRows(*map(tf.constant, data.pack(IDS, SPLITS, length=length, rows=rows)))


def keywords(rows: PackedRows) -> dict:
    return {"segment_ids": rows.segment_ids, "positions": rows.positions, "places": rows.places}


def text_encoder(**options) -> encoders.TextTransformer:
    rng = np.random.default_rng(0)
    return encoders.TextTransformer(11, 8, max_length=5, num_layers=2, num_heads=2, rng=rng, **options)


def loss_of(tokens: nn.Tokens) -> tf.Tensor:
    """Of every real token and every summary, each number with a weight of its own."""
    values = tf.where(tokens.mask[:, :, None], tokens.values * WEIGHTS, 0.0)
    return tf.reduce_sum(values) + tf.reduce_sum(tf.sin(tokens.pooled) * WEIGHTS[:, 0])


def run(encoder, *args, jit_compile: bool, **options) -> tuple:
    @tf.function(jit_compile=jit_compile, autograph=False)
    def step():
        with tf.GradientTape() as tape:
            tokens = encoder(*args, **options)
            tokens = tokens.unpacked(5) if isinstance(tokens, nn.PackedTokens) else tokens
            loss = loss_of(tokens)
        gradients = tape.gradient(loss, encoder.trainable_variables)
        return tokens, [tf.convert_to_tensor(gradient) for gradient in gradients]

    return step()


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(("length", "rows"), [(5, None), (8, None), (20, 3), (7, 9)])
def test_packed_texts_have_the_tokens_summaries_and_gradients_of_padded_ones(jit_compile, length, rows):
    encoder, packed = text_encoder(), packed_texts(length, rows)
    found, gradients = run(encoder, packed.values, **keywords(packed), jit_compile=jit_compile)
    expected, others = run(encoder, tf.constant(PADDED), tf.constant(MASK), jit_compile=jit_compile)
    np.testing.assert_array_equal(found.mask, MASK)
    np.testing.assert_allclose(
        found.values.numpy()[MASK], expected.values.numpy()[MASK], rtol=1e-5, atol=1e-5
    )
    np.testing.assert_allclose(found.pooled, expected.pooled, rtol=1e-5, atol=1e-5)
    assert not np.any(found.pooled[1])
    for a, b in zip(gradients, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_neighbours_and_padding_in_a_row_change_nothing():
    encoder, packed = text_encoder(), packed_texts(20)
    own = (packed.segment_ids == packed.places[3, 1]) & (
        tf.range(len(packed.values))[:, None] == packed.places[3, 0]
    )
    other = tf.where(own, packed.values, 10 - packed.values)
    first, second = (encoder(x, **keywords(packed)) for x in (packed.values, other))
    np.testing.assert_array_equal(first.values[own], second.values[own])
    np.testing.assert_array_equal(first.pooled[3], second.pooled[3])
    assert np.any(first.pooled[0] != second.pooled[0])


def test_rows_without_a_sequence_have_finite_gradients():
    encoder = text_encoder(dropout_rate=0.2, drop_path_rate=0.2)
    rows = PackedRows(*map(tf.constant, data.pack(IDS[:0], [0, 0, 0], length=6, rows=2)))
    with tf.GradientTape() as tape:
        tokens = encoder(rows.values, **keywords(rows), training=True, seed=tf.constant([1, 2]))
        loss = tf.reduce_sum(tokens.values**2) + tf.reduce_sum(tokens.pooled**2)
    assert tokens.pooled.shape == (2, 8) and not np.any(tokens.pooled)
    for gradient in tape.gradient(loss, encoder.trainable_variables):
        assert np.all(np.isfinite(tf.convert_to_tensor(gradient)))


def test_left_over_sequences_are_not_present():
    tokens = text_encoder()(packed_texts(5, 2).values, **keywords(packed_texts(5, 2)))
    left_over = packed_texts(5, 2).left_over().numpy()
    assert left_over.any() and not np.any(tokens.pooled.numpy()[left_over])
    np.testing.assert_array_equal(tokens.present(), ~left_over & (LENGTHS > 0))


def vit(**options) -> encoders.ViT:
    return encoders.ViT(encoders.ViTConfig(12, 4, 8, 2, 2, **options), rng=np.random.default_rng(0))


def packed_images(length: int) -> tuple[tf.Tensor, dict]:
    rng = np.random.default_rng(3)
    splits = splits_of([2, 1])
    rows = PackedRows(*map(tf.constant, data.pack(rng.standard_normal((3, 48)), splits, length=length)))
    positions = data.pack(np.array([[0, 0], [0, 1], [0, 0]], np.int32), splits, length=length).values
    return tf.cast(rows.values, tf.float32), keywords(rows._replace(positions=tf.constant(positions)))


@pytest.mark.parametrize("encoder", [text_encoder, vit])
def test_parts_of_packed_rows_alone_are_errors(encoder):
    x, options = (
        (packed_texts(8).values, keywords(packed_texts(8))) if encoder is text_encoder else packed_images(9)
    )
    module = encoder()
    for name in options:
        some = {key: value for key, value in options.items() if key != name}
        with pytest.raises(ValueError, match=f"together, found none for {name}"):
            module(x, **some)
    with pytest.raises(ValueError, match="expected no mask with packed rows"):
        module(x, tf.ones([1]), **options)


def classifier(kind: type) -> models.MultimodalClassifier:
    rng = np.random.default_rng(0)
    parts = {"image": vit(), "text": text_encoder()}
    return models.MultimodalClassifier(parts, kind([8, 8], 8, rng=rng), 3, rng=rng)


@pytest.mark.parametrize("kind", [fusion.Concat, fusion.Parallel, fusion.CrossAttention, fusion.Bottleneck])
def test_a_classifier_of_packed_rows_gives_the_logits_of_padded_ones(kind):
    model = classifier(kind)
    images = tf.constant(np.random.default_rng(4).standard_normal((7, 12, 12, 3)), tf.float32)
    padded = model({"image": images, "text": (tf.constant(PADDED), tf.constant(MASK))})
    packed = model({"image": images, "text": data.pack(IDS, SPLITS, length=9)})
    np.testing.assert_allclose(packed, padded, rtol=1e-5, atol=1e-5)


def test_an_encoder_that_takes_no_packed_rows_is_an_error():
    model = models.MultimodalClassifier({"text": encoders.TextRNN(11, 8)}, None, 3)
    with pytest.raises(ValueError, match="found packed rows, which TextRNN does not take"):
        model({"text": packed_texts(9)})


def test_the_loss_of_a_language_model_is_that_of_padded_rows():
    encoder, packed = text_encoder(), packed_texts(9, 4)
    head = nn.Linear(8, 11, rng=np.random.default_rng(0))

    def loss(tokens, ids, segment_ids):
        labels, weights = losses.next_token(ids, segment_ids)
        return losses.cross_entropy(head(tokens.values), labels, weights=weights)

    found = loss(encoder(packed.values, **keywords(packed)), packed.values, packed.segment_ids)
    padded, mask = tf.constant(PADDED), tf.constant(MASK)
    expected = loss(encoder(padded, mask), padded, tf.cast(mask, tf.int32))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
