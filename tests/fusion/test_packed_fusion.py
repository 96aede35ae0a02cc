from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import data, fusion, nn
from mmcore.data.packing import splits_of

DIMS = (6, 10, 7)
# Real tokens of each of five examples, as a function of the modality: some lack one or two, the last all.
LENGTHS = np.array([[3, 2, 1], [4, 0, 5], [0, 5, 0], [1, 1, 2], [0, 0, 0]])
MOST = 5
SEED = tf.constant([3, 5])
KINDS = [fusion.CrossAttention, fusion.Bottleneck]
each = pytest.mark.parametrize("kind", KINDS)
MODES = {"eager": None, "graph": False, "xla": True}


def padded(index: int) -> nn.Tokens:
    rng = np.random.default_rng(index)
    mask = np.arange(MOST) < LENGTHS[:, index, None]
    values = rng.standard_normal((*mask.shape, DIMS[index])) * mask[:, :, None]
    pooled = rng.standard_normal((len(mask), DIMS[index])) * mask[:, :1]
    return nn.Tokens(tf.constant(values, tf.float32), tf.constant(mask), tf.constant(pooled, tf.float32))


def packed(index: int, length: int, filler: float = 0.0, most: int = MOST) -> nn.PackedTokens:
    """The same modality in packed rows, with the filler at padding."""
    tokens = padded(index)
    rows = data.pack(tokens.values[tokens.mask].numpy(), splits_of(LENGTHS[:, index]), length=length, rows=4)
    values = np.where(rows.segment_ids[:, :, None] > 0, rows.values, np.float32(filler))
    values, segment_ids, places = map(tf.constant, (values, rows.segment_ids, rows.places))
    return nn.PackedTokens(
        values, segment_ids, places, tokens.pooled, nn.segment_index(segment_ids, places, most)
    )


def build(kind: type, num: int, **options: float) -> tf.Module:
    options = {"num_layers": 2, "num_heads": 2, **options}
    return kind(DIMS[:num], 8, rng=np.random.default_rng(0), **options)


def loss_of(tokens: nn.Tokens) -> tf.Tensor:
    """Of every real token and every summary, each number with a weight of its own."""
    rng = np.random.default_rng(7)
    weights = tf.constant(rng.standard_normal(tokens.values.shape), tf.float32)
    values = tf.where(tokens.mask[:, :, None], tf.sin(tokens.values) * weights, 0.0)
    return tf.reduce_sum(values) + tf.reduce_sum(tf.sin(tokens.pooled) * weights[:, 0])


def run(module: tf.Module, tokens: list, mode: str, **options) -> tuple:
    """The fused tokens, and the gradients of every variable, the summaries and the values."""

    def step(tokens):
        sources = [part.pooled for part in tokens] + [part.values for part in tokens]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            fused = module(tokens, **options)
            loss = loss_of(fused)
        variables = module.trainable_variables
        gradients = tape.gradient(loss, [*variables, *sources])
        return fused, gradients[: len(variables) + len(tokens)], gradients[len(variables) + len(tokens) :]

    jit_compile = MODES[mode]
    return (
        step(tokens)
        if jit_compile is None
        else tf.function(step, jit_compile=jit_compile, autograph=False)(tokens)
    )


def assert_equals_padded(module: tf.Module, tokens: list, mode: str, **options) -> nn.Tokens:
    found, gradients, of_values = run(module, tokens, mode, **options)
    plain = [padded(index) for index in range(len(tokens))]
    expected, others, of_padded = run(module, plain, "eager", **options)
    mask = expected.mask.numpy()
    np.testing.assert_array_equal(found.mask, mask)
    np.testing.assert_allclose(
        found.values.numpy()[mask], expected.values.numpy()[mask], rtol=1e-4, atol=1e-5
    )
    assert np.all(np.isfinite(found.values))
    np.testing.assert_allclose(found.pooled, expected.pooled, rtol=1e-4, atol=1e-5)
    for a, b in zip(gradients, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)
    for part, a, b in zip(tokens, of_values, of_padded, strict=True):
        a = part._replace(values=a).unpacked(MOST).values if isinstance(part, nn.PackedTokens) else a
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)
    return found


@each
@pytest.mark.parametrize(
    ("which", "mode"), [((0,), "eager"), ((0, 1), "eager"), ((1,), "graph"), ((1,), "xla")]
)
def test_packed_modalities_give_what_padded_ones_give(kind, which, mode):
    tokens = [packed(index, 6) if index in which else padded(index) for index in (0, 1)]
    fused = assert_equals_padded(build(kind, 2), tokens, mode)
    assert not np.any(fused.pooled[-1]) and np.all(np.any(fused.pooled[:-1], axis=1))


@each
@pytest.mark.parametrize(("num", "which"), [(1, (0,)), (3, (2,)), (3, (0, 1, 2))])
def test_one_and_three_modalities_give_what_padded_ones_give(kind, num, which):
    tokens = [packed(index, 5 + index) if index in which else padded(index) for index in range(num)]
    assert_equals_padded(build(kind, num), tokens, "eager")


@each
def test_the_same_seed_drops_the_same_modalities(kind):
    module = build(kind, 2, modality_dropout=0.6)
    options = {"training": True, "seed": SEED}
    fused = assert_equals_padded(module, [packed(0, 7), packed(1, 6)], "eager", **options)
    whole = LENGTHS[:, :2].sum(axis=1)
    assert np.any(fused.mask.numpy().sum(axis=1) < whole)


@each
def test_what_stands_at_padding_and_in_dropped_segments_changes_nothing(kind):
    module = build(kind, 2, modality_dropout=0.6)
    options = {"training": True, "seed": SEED}
    first = run(module, [padded(0), packed(1, 6)], "eager", **options)
    second = run(module, [padded(0), packed(1, 6, np.nan)], "eager", **options)
    for a, b in zip(tf.nest.flatten(first), tf.nest.flatten(second), strict=True):
        np.testing.assert_array_equal(a, b)


@each
def test_rows_without_a_sequence_give_what_missing_modalities_give(kind):
    module, first = build(kind, 2), padded(0)
    ids, places = tf.zeros([0, 6], tf.int32), tf.constant([[-1, 0]] * 5)
    nothing = nn.PackedTokens(
        tf.zeros([0, 6, 10]), ids, places, tf.zeros([5, 10]), nn.segment_index(ids, places, 3)
    )
    found = module([first, nothing])
    expected = module([first, nn.Tokens(tf.zeros([5, 3, 10]), tf.zeros([5, 3], tf.bool), tf.zeros([5, 10]))])
    np.testing.assert_allclose(found.pooled, expected.pooled, rtol=1e-5, atol=1e-6)


@each
def test_tokens_beyond_the_most_of_an_example_are_left_out_as_in_unpacked_rows(kind):
    module, first, second = build(kind, 2), padded(0), packed(1, 6, most=3)
    found, expected = module([first, second]), module([first, second.unpacked()])
    assert found.values.shape == (5, MOST + 3, 8)
    np.testing.assert_allclose(found.pooled, expected.pooled, rtol=1e-5, atol=1e-6)


@each
def test_dropout_in_training_is_finite_and_follows_the_seed(kind):
    module = build(kind, 2, dropout_rate=0.3)
    tokens = [padded(0), packed(1, 6)]
    first, again = (module(tokens, training=True, seed=SEED).pooled for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.all(np.isfinite(first)) and np.any(first != module(tokens).pooled)
