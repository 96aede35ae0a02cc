from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import data, fusion, nn
from mmcore.nn.seeds import uniform

DIMS = (6, 10)
CLASSES = [fusion.Concat, fusion.Parallel, fusion.CrossAttention, fusion.Bottleneck]
each = pytest.mark.parametrize("kind", CLASSES)
SEED = tf.constant([3, 5])
# Present: both, the first, the second, neither.
PRESENT = np.array([[True, True], [True, False], [False, True], [False, False]])


def inputs(filler: float = 0.0, dims: tuple[int, ...] = DIMS) -> list[nn.Tokens]:
    """One `Tokens` a modality, with the filler wherever nothing real stands; position 1 is always masked."""
    tokens = []
    for index, dim in enumerate(dims):
        rng = np.random.default_rng(index)
        values = rng.standard_normal((4, 3 + index, dim)).astype(np.float32)
        pooled = rng.standard_normal((4, dim)).astype(np.float32)
        mask = np.repeat(PRESENT[:, index, None], 3 + index, axis=1)
        mask[:, 1] = False
        values[~mask] = filler
        pooled[~PRESENT[:, index]] = filler
        tokens.append(nn.Tokens(tf.constant(values), tf.constant(mask), tf.constant(pooled)))
    return tokens


def build(kind: type, **options: float) -> tf.Module:
    return kind(DIMS, 8, rng=np.random.default_rng(0), **options)


@each
@pytest.mark.parametrize("filler", [100.0, np.nan])
def test_what_stands_where_nothing_is_real_changes_nothing(kind, filler):
    module = build(kind)
    first, second = module(inputs()), module(inputs(filler))
    mask = first.mask.numpy()
    np.testing.assert_array_equal(first.values.numpy()[mask], second.values.numpy()[mask])
    np.testing.assert_array_equal(first.pooled, second.pooled)
    assert np.all(np.isfinite(second.values))


@each
def test_each_present_modality_changes_the_summary(kind):
    module = build(kind)
    before = module(inputs()).pooled.numpy()
    for index in (0, 1):
        changed = inputs()
        part = changed[index]
        changed[index] = part._replace(values=part.values[:, ::-1] * 2, pooled=part.pooled * -1)
        differs = np.any(np.abs(module(changed).pooled.numpy() - before) > 1e-6, axis=1)
        np.testing.assert_array_equal(differs, PRESENT[:, index])


@each
def test_examples_do_not_influence_each_other(kind):
    module, tokens = build(kind), inputs()
    alone = module([nn.Tokens(*(x[:1] for x in part)) for part in tokens])
    np.testing.assert_allclose(module(tokens).pooled[:1], alone.pooled, rtol=1e-5, atol=1e-6)


@each
def test_masks_and_shapes_are_those_of_all_tokens_in_a_row(kind):
    tokens = inputs()
    fused = build(kind)(tokens)
    np.testing.assert_array_equal(fused.mask, np.concatenate([part.mask for part in tokens], axis=1))
    assert fused.values.shape == (4, 7, 8) and fused.pooled.shape == (4, 8)


@each
def test_gradients_are_finite_with_every_kind_of_missing_modality(kind):
    module = build(kind, modality_dropout=0.5)
    with tf.GradientTape() as tape:
        fused = module(inputs(np.nan), training=True, seed=SEED)
        loss = tf.reduce_sum(fused.values**2) + tf.reduce_sum(fused.pooled**2)
    for gradient in tape.gradient(loss, module.trainable_variables):
        assert np.all(np.isfinite(gradient))


@each
def test_one_modality_alone_works(kind):
    module = kind([6], 8, modality_dropout=0.9)
    fused = module(inputs()[:1], training=True, seed=SEED)
    assert fused.pooled.shape == (4, 8) and np.all(np.isfinite(fused.pooled)) and np.any(fused.pooled[0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(inputs()[:1]).pooled ** 2)
    assert all(gradient is not None for gradient in tape.gradient(loss, module.trainable_variables))


@each
def test_three_modalities_work(kind):
    dims = (6, 10, 6)
    three = [*inputs(), inputs()[0]]
    assert kind(dims, 8)(three).values.shape == (4, 10, 8)


@each
def test_modality_dropout_acts_in_training_alone_and_follows_the_seed(kind):
    module = build(kind, modality_dropout=0.5)
    many = [nn.Tokens(*(tf.tile(x[:1], [32] + [1] * (x.shape.rank - 1)) for x in part)) for part in inputs()]
    plain = module(many).pooled.numpy()
    np.testing.assert_allclose(plain, np.repeat(plain[:1], 32, axis=0), rtol=1e-5, atol=1e-6)
    first, again = (module(many, training=True, seed=SEED).pooled.numpy() for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert len(np.unique(first.round(4), axis=0)) == 3  # both, the first alone, the second alone


def test_dropped_modalities_meet_the_rate_and_never_leave_nothing():
    present = tf.repeat(tf.constant(PRESENT), 5000, axis=0)
    tokens = [
        nn.Tokens(tf.ones([20_000, 1, 2]), present[:, index, None], tf.ones([20_000, 2])) for index in (0, 1)
    ]
    dropped = fusion.drop_modalities(tokens, 0.4, SEED)
    left = np.stack([part.present() for part in dropped], axis=1).reshape(4, 5000, 2)
    np.testing.assert_array_equal(left[1:], np.repeat(PRESENT[1:, None], 5000, axis=1))
    assert np.all(left[0].any(axis=1))
    # Both go with 0.16 and then one comes back: each is there with 0.6 + 0.08; deviation 0.0066, five of
    # them.
    np.testing.assert_allclose(left[0].mean(axis=0), 0.68, atol=5 * 0.0066)
    assert not np.any(dropped[0].pooled.numpy()[~left.reshape(-1, 2)[:, 0]])


def test_gates_of_present_modalities_sum_to_one():
    module = build(fusion.Parallel)
    branches = tf.tanh(tf.reshape(uniform(SEED, [4 * 2 * 8]), [4, 2, 8]))
    shares = module._shares(branches, tf.constant(PRESENT)).numpy()
    np.testing.assert_allclose(
        shares.sum(axis=1), np.repeat([[1.0], [1.0], [1.0], [0.0]], 8, axis=1), rtol=1e-6
    )
    assert not np.any(shares[~PRESENT])


def test_concat_is_a_linear_map_of_the_concatenated_summaries():
    module, tokens = build(fusion.Concat), inputs()
    rows = tf.concat(
        [p.norm(t.pooled) for p, t in zip(module.inputs.projections, tokens, strict=True)], axis=1
    )
    kernel = tf.concat([p.linear.kernel for p in module.inputs.projections], axis=0)
    expected = tf.nn.gelu(tf.matmul(rows, kernel), approximate=True)
    np.testing.assert_allclose(module(tokens).pooled[:1], expected[:1], rtol=1e-5, atol=1e-6)


def test_bottlenecks_carry_news_to_the_next_layer_only():
    tokens = inputs()
    changed = [tokens[0], tokens[1]._replace(values=-tokens[1].values)]
    for num_layers, arrives in ((1, False), (2, True)):
        module = build(fusion.Bottleneck, num_layers=num_layers)
        first, second = (module(part).values[0, 0].numpy() for part in (tokens, changed))
        assert np.any(first != second) == arrives


@each
@pytest.mark.parametrize("dims", [(), (6, 0)])
def test_no_modality_or_no_width_is_an_error(kind, dims):
    with pytest.raises(ValueError, match="width of at least 1"):
        kind(dims, 8)


@each
def test_a_rate_outside_zero_and_one_is_an_error(kind):
    with pytest.raises(ValueError, match="rate in"):
        build(kind, modality_dropout=1.0)


@each
def test_tokens_of_other_widths_are_an_error(kind):
    with pytest.raises(ValueError, match=r"expected modalities of widths \[6, 10\], found \[10, 6\]"):
        build(kind)(inputs()[::-1])


@pytest.mark.parametrize("kind", [fusion.CrossAttention, fusion.Bottleneck])
def test_no_layer_and_heads_that_do_not_divide_are_errors(kind):
    with pytest.raises(ValueError, match="at least one"):
        build(kind, num_layers=0)
    with pytest.raises(ValueError, match="divides dim=8, found 3"):
        build(kind, num_heads=3)


def test_no_bottleneck_is_an_error():
    with pytest.raises(ValueError, match="num_bottlenecks=0"):
        build(fusion.Bottleneck, num_bottlenecks=0)


def packed_text(pooled: tf.Tensor, lengths: list[int]) -> nn.PackedTokens:
    """The second modality in packed rows of 6 positions; an example of length 0 is missing."""
    splits = np.concatenate([[0], np.cumsum(lengths)])
    values = np.random.default_rng(5).standard_normal((splits[-1], DIMS[1])).astype(np.float32)
    rows = data.pack(values, splits, length=6)
    values, segment_ids, places = map(tf.constant, (rows.values, rows.segment_ids, rows.places))
    return nn.PackedTokens(values, segment_ids, places, pooled, nn.segment_index(segment_ids, places, 4))


@pytest.mark.parametrize("kind", [fusion.Concat, fusion.Parallel])
def test_concat_and_parallel_take_packed_tokens_by_their_summaries(kind):
    module = build(kind)
    first, second = inputs(np.nan)
    packed = packed_text(second.pooled, [3, 0, 2, 0])
    found, expected = module([first, packed]), module([first, second])
    np.testing.assert_array_equal(packed.present(), PRESENT[:, 1])
    np.testing.assert_array_equal(found.pooled, expected.pooled)
    assert found.values.shape == (4, 3 + 1, 8)
    np.testing.assert_array_equal(found.mask[:, 3], PRESENT[:, 1])


@each
def test_unpacked_tokens_go_into_every_fusion(kind):
    module = build(kind, modality_dropout=0.3)
    first, second = inputs()
    packed = packed_text(second.pooled, [3, 0, 2, 0])
    result = module([first, packed.unpacked(4)], training=True, seed=SEED)
    assert result.values.shape == (4, 3 + 4, 8) and np.all(np.isfinite(result.pooled))
