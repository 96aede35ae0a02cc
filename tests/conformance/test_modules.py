"""One table of every public module, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from mmcore import data, encoders, fusion, models, nn

SEED = tf.constant([7, 11])
# Results are sums of at most some hundred terms that add in another order: 256 units in the last place.
CLOSE = 256 * np.finfo(np.float32).eps


@dataclass
class Case:
    """`build(rng, dtype)` makes the module, `inputs(batch, dtype)` its arguments, `options` its keywords."""

    build: Callable[[np.random.Generator, tf.DType], tf.Module]
    inputs: Callable[[int, tf.DType], tuple]
    random: bool = False  # takes training and seed
    training: bool = False  # takes training alone


def floats(*shape: int) -> Callable[[int, tf.DType], tuple]:
    def make(batch: int, dtype: tf.DType) -> tuple:
        rng = np.random.default_rng(1)
        return (tf.cast(rng.standard_normal((batch, *shape)).astype(np.float32), dtype),)

    return make


def masks(batch: int, length: int) -> tf.Tensor:
    """The first row is whole, the others lack their end."""
    return tf.constant([[t < max(1, length - row) for t in range(length)] for row in range(batch)])


def masked(*shape: int) -> Callable[[int, tf.DType], tuple]:
    return lambda batch, dtype: (*floats(*shape)(batch, dtype), masks(batch, shape[0]))


def images(batch: int, dtype: tf.DType) -> tuple:
    return (*floats(8, 8, 3)(batch, dtype), tf.constant([row != 1 or batch < 3 for row in range(batch)]))


def texts(batch: int, dtype: tf.DType) -> tuple:
    ids = np.random.default_rng(2).integers(0, 11, (batch, 5))
    return tf.constant(ids, tf.int32), masks(batch, 5)


def packed(rows: int, lengths: tuple[int, ...], values: np.ndarray) -> dict[str, tf.Tensor]:
    """The keywords that packed rows are passed by, of sequences of these lengths."""
    splits = np.concatenate([[0], np.cumsum(lengths)])
    found = data.pack(values[: splits[-1]], splits, length=7, rows=rows)._asdict()
    return {name: tf.constant(array) for name, array in found.items()}


def packed_texts(batch: int, dtype: tf.DType) -> tuple:
    parts = packed(batch, (5, 0, 1, 3, 5, 2), np.random.default_rng(2).integers(0, 11, 16).astype(np.int32))
    return parts.pop("values"), parts


def packed_patches(batch: int, dtype: tf.DType) -> tuple:
    lengths = (4, 2, 0, 1, 4)
    pixels = np.random.default_rng(2).standard_normal((11, 48)).astype(np.float32)
    grid = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0, 0], [1, 0], [0, 0], [0, 0], [0, 1], [1, 0], [1, 1]])
    parts = packed(batch, lengths, pixels)
    parts["positions"] = packed(batch, lengths, grid.astype(np.int32))["values"]
    return tf.cast(parts.pop("values"), dtype), parts


def padded_patches(batch: int, dtype: tf.DType) -> tuple:
    grid = np.array([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]], np.int32)
    positions = tf.constant(np.repeat(grid[None], batch, axis=0))
    return (*masked(6, 48)(batch, dtype), {"positions": positions})


def several(batch: int, dtype: tf.DType) -> tuple:
    """Two modalities; the second is missing in the last example."""
    rng = np.random.default_rng(3)
    tokens = []
    for length, dim in ((3, 6), (5, 10)):
        mask = masks(batch, length)
        if dim == 10:
            mask &= tf.constant([[row != batch - 1] for row in range(batch)])
        values = tf.cast(rng.standard_normal((batch, length, dim)).astype(np.float32), dtype)
        tokens.append(nn.Tokens(values, mask, nn.masked_mean(values, mask)))
    return (tokens,)


def several_packed(batch: int, dtype: tf.DType) -> tuple:
    """The same two modalities, the second one packed."""
    first, second = several(batch, dtype)[0]
    lengths = tuple(int(count) for count in tf.reduce_sum(tf.cast(second.mask, tf.int32), axis=1))
    parts = packed(batch, lengths, tf.cast(second.values[second.mask], tf.float32).numpy())
    segment_ids, places = parts["segment_ids"], parts["places"]
    index = nn.segment_index(segment_ids, places, 5)
    values = tf.cast(parts["values"], dtype)
    return ([first, nn.PackedTokens(values, segment_ids, places, second.pooled, index)],)


def classifier(rng: np.random.Generator, dtype: tf.DType) -> models.MultimodalClassifier:
    parts = {
        "image": encoders.CNN(encoders.CNNConfig((8,), (1,), norm="group"), rng=rng),
        "text": encoders.TextRNN(11, 6, dropout_rate=0.2, rng=rng, dtype=dtype),
    }
    fuse = fusion.Concat([8, 6], 8, modality_dropout=0.2, rng=rng)
    return models.MultimodalClassifier(parts, fuse, 3, dropout_rate=0.2, rng=rng)


def cnn(bottleneck: bool, norm: str, small_stem: bool) -> Case:
    config = encoders.CNNConfig(
        (8, 16), (1, 1), bottleneck=bottleneck, small_stem=small_stem, norm=norm, drop_path_rate=0.2
    )
    return Case(lambda rng, dtype: encoders.CNN(config, rng=rng), images, random=True)


def fused(cls: type, inputs: Callable[[int, tf.DType], tuple] = several, **options: Any) -> Case:
    return Case(lambda r, _: cls([6, 10], 8, modality_dropout=0.3, rng=r, **options), inputs, random=True)


CASES = {
    "Linear": Case(lambda r, _: nn.Linear(8, 5, rng=r), floats(3, 8)),
    "Embedding": Case(lambda r, _: nn.Embedding(11, 8, rng=r), lambda b, d: texts(b, d)[:1]),
    "Positions": Case(lambda r, _: nn.Positions(3, 8, rng=r), floats(3, 8)),
    "Conv2D": Case(lambda r, _: nn.Conv2D(3, 5, 3, stride=2, rng=r), floats(7, 6, 3)),
    "LayerNorm": Case(lambda r, _: nn.LayerNorm(8), floats(3, 8)),
    "RMSNorm": Case(lambda r, _: nn.RMSNorm(8), floats(3, 8)),
    "GroupNorm": Case(lambda r, _: nn.GroupNorm(8, num_groups=2), floats(3, 5, 8)),
    "BatchNorm": Case(lambda r, _: nn.BatchNorm(8), floats(3, 5, 8), training=True),
    "Dropout": Case(lambda r, _: nn.Dropout(0.3), floats(3, 8), random=True),
    "StochasticDepth": Case(lambda r, _: nn.StochasticDepth(0.3), floats(3, 8), random=True),
    "MultiHeadAttention": Case(
        lambda r, _: nn.MultiHeadAttention(8, 2, context_dim=6, rng=r),
        lambda b, d: (*floats(3, 8)(b, d), *floats(5, 6)(b, d)),
    ),
    "MLP": Case(lambda r, _: nn.MLP(8, 12, dropout_rate=0.2, rng=r), floats(3, 8), random=True),
    "TransformerBlock": Case(
        lambda r, _: nn.TransformerBlock(8, 2, dropout_rate=0.2, drop_path_rate=0.2, rng=r),
        masked(3, 8),
        random=True,
    ),
    "GRU": Case(lambda r, _: nn.GRU(6, 8, rng=r), masked(5, 6)),
    "LSTM": Case(lambda r, _: nn.LSTM(6, 8, rng=r), masked(5, 6)),
    "Bidirectional": Case(
        lambda r, _: nn.Bidirectional(nn.GRU(6, 4, rng=r), nn.GRU(6, 4, rng=r)), masked(5, 6)
    ),
    "AttentionPooling": Case(lambda r, _: nn.AttentionPooling(8, rng=r), masked(3, 8)),
    "CNN": cnn(False, "batch", True),
    "CNN of bottlenecks": cnn(True, "group", False),
    "ResidualBlock": Case(
        lambda r, _: encoders.ResidualBlock(6, 8, stride=2, norm="group", drop_path_rate=0.2, rng=r),
        lambda b, d: floats(5, 4, 6)(b, d),
        random=True,
    ),
    "ViT": Case(
        lambda r, _: encoders.ViT(encoders.ViTConfig(8, 4, 8, 1, 2, 12, 0.2, 0.2), rng=r), images, random=True
    ),
    "TextTransformer": Case(
        lambda r, d: encoders.TextTransformer(
            11, 8, max_length=5, num_layers=1, num_heads=2, dropout_rate=0.2, rng=r, dtype=d
        ),
        texts,
        random=True,
    ),
    "TextTransformer of packed rows": Case(
        lambda r, d: encoders.TextTransformer(
            11,
            8,
            max_length=5,
            num_layers=1,
            num_heads=2,
            dropout_rate=0.2,
            drop_path_rate=0.2,
            rng=r,
            dtype=d,
        ),
        packed_texts,
        random=True,
    ),
    "TextTransformer with remat": Case(
        lambda r, d: encoders.TextTransformer(
            11, 8, max_length=5, num_layers=1, num_heads=2, dropout_rate=0.2, remat=True, rng=r, dtype=d
        ),
        packed_texts,
        random=True,
    ),
    "ViT of packed rows": Case(
        lambda r, _: encoders.ViT(encoders.ViTConfig(8, 4, 8, 1, 2, 12, 0.2, 0.2, remat=True), rng=r),
        packed_patches,
        random=True,
    ),
    "ViT of patches": Case(
        lambda r, _: encoders.ViT(encoders.ViTConfig(8, 4, 8, 1, 2, 12, 0.2), rng=r),
        padded_patches,
        random=True,
    ),
    "TextRNN": Case(
        lambda r, d: encoders.TextRNN(11, 8, cell=nn.LSTM, dropout_rate=0.2, rng=r, dtype=d),
        texts,
        random=True,
    ),
    "Projection": Case(lambda r, _: fusion.Projection(6, 8, rng=r), lambda b, d: (several(b, d)[0][0],)),
    "CrossAttentionBlock": Case(
        lambda r, _: fusion.CrossAttentionBlock(8, 2, dropout_rate=0.2, rng=r),
        lambda b, d: (*floats(3, 8)(b, d), *floats(5, 8)(b, d)),
        random=True,
    ),
    "Concat": fused(fusion.Concat),
    "Parallel": fused(fusion.Parallel),
    "CrossAttention": fused(fusion.CrossAttention, num_heads=2, dropout_rate=0.2),
    "Bottleneck": fused(fusion.Bottleneck, num_layers=1, num_heads=2, dropout_rate=0.2),
    "CrossAttention of packed tokens": fused(fusion.CrossAttention, several_packed, num_heads=2),
    "Bottleneck of packed tokens": fused(fusion.Bottleneck, several_packed, num_layers=1, num_heads=2),
    "MultimodalClassifier": Case(
        classifier, lambda b, d: ({"image": images(b, d), "text": texts(b, d)},), random=True
    ),
}
each = pytest.mark.parametrize("name", CASES)


def built(name: str, dtype: tf.DType = tf.float32, seed: int = 0) -> tf.Module:
    """The module with every trainable variable moved off its initial value: zeros and ones hide mistakes."""
    module = CASES[name].build(np.random.default_rng(seed), dtype)
    rng = np.random.default_rng(seed + 1)
    for variable in nn.trainable_by_path(module).values():
        variable.assign_add(0.1 * rng.standard_normal(variable.shape).astype(np.float32))
    return module


def keywords(name: str) -> dict[str, Any]:
    case = CASES[name]
    return {"training": True, "seed": SEED} if case.random else {"training": True} if case.training else {}


def called(name: str, module: tf.Module, inputs: tuple, **options: Any) -> list[tf.Tensor]:
    """The floating-point results."""
    if isinstance(inputs[-1], dict) and "positions" in inputs[-1]:
        inputs, options = inputs[:-1], {**inputs[-1], **options}
    return [y for y in tf.nest.flatten(module(*inputs, **options)) if y.dtype.is_floating]


def loss_of(results: list[tf.Tensor]) -> tf.Tensor:
    """A sum in which every number has a weight of its own."""
    total = tf.zeros([], results[0].dtype)
    for y in results:
        flat = tf.reshape(y, [-1])
        total += tf.reduce_sum(
            flat * tf.cast(tf.cos(tf.range(tf.size(flat), dtype=tf.float32) + 1.0), y.dtype)
        )
    return total


def results_and_gradients(name: str, module: tf.Module) -> Callable[[tuple], tuple]:
    variables = list(nn.trainable_by_path(module).values())

    def run(inputs: tuple) -> tuple:
        with tf.GradientTape() as tape:
            results = called(name, module, inputs, **keywords(name))
            loss = loss_of(results)
        return results, [
            None if g is None else tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)
        ]

    return run


def assert_close(found: Any, expected: Any) -> None:
    for a, b in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=CLOSE * max(1.0, float(tf.reduce_max(tf.abs(b)))))


def test_the_table_holds_every_public_module():
    public = {
        name
        for package in (nn, encoders, fusion, models)
        for name in package.__all__
        if isinstance(cls := getattr(package, name), type) and issubclass(cls, tf.Module)
    }
    assert {type(built(name)).__name__ for name in CASES} == public


@each
def test_graph_equals_eager_with_one_trace_for_two_batch_sizes(name):
    module, inputs = built(name), {batch: CASES[name].inputs(batch, tf.float32) for batch in (2, 3)}
    specs = tf.nest.map_structure(lambda x: tf.TensorSpec([None, *x.shape[1:]], x.dtype), inputs[2])
    traces = []

    @tf.function(input_signature=[specs], autograph=False)
    def graph(inputs):
        traces.append(name)
        return called(name, module, inputs)

    for batch in (2, 3):
        assert_close(graph(inputs[batch]), called(name, module, inputs[batch]))
    assert len(traces) == 1


@each
def test_xla_equals_eager_in_training_with_finite_gradients_and_no_dead_variable(name):
    module, inputs = built(name), CASES[name].inputs(3, tf.float32)
    run = results_and_gradients(name, module)
    results, gradients = run(inputs)
    for path, gradient in zip(nn.trainable_by_path(module), gradients, strict=True):
        assert gradient is not None, path
        assert np.all(np.isfinite(gradient)) and np.any(gradient != 0), path
    assert_close(tf.function(run, jit_compile=True, autograph=False)(inputs), (results, gradients))


@each
def test_weights_saved_by_path_restore_the_results(name):
    first, second = built(name, seed=0), built(name, seed=5)
    target = nn.variables_by_path(second)
    assert {id(v) for v in target.values()} == {id(v) for v in second.variables}
    inputs = CASES[name].inputs(2, tf.float32)
    for path, variable in nn.variables_by_path(first).items():
        target[path].assign(variable)
    for a, b in zip(called(name, first, inputs), called(name, second, inputs), strict=True):
        np.testing.assert_array_equal(a, b)


@each
def test_same_generator_gives_the_same_weights(name):
    first, second = (CASES[name].build(np.random.default_rng(3), tf.float32) for _ in range(2))
    for (path, a), (other, b) in zip(
        nn.variables_by_path(first).items(), nn.variables_by_path(second).items(), strict=True
    ):
        assert path == other
        np.testing.assert_array_equal(a, b)


@each
def test_bfloat16_in_is_bfloat16_out_with_float32_variables(name):
    module, inputs = built(name, tf.bfloat16), CASES[name].inputs(2, tf.bfloat16)
    assert {v.dtype for v in module.variables} <= {tf.float32}
    options = {"dtype": tf.bfloat16} if name == "Embedding" else keywords(name)
    for y in called(name, module, inputs, **options):
        assert y.dtype == tf.bfloat16
        assert np.all(np.isfinite(tf.cast(y, tf.float32)))


@each
def test_gradients_equal_central_differences_in_float64(name):
    module, inputs = built(name, tf.float64), CASES[name].inputs(3, tf.float64)
    options = {"dtype": tf.float64} if name == "Embedding" else keywords(name)
    variables = list(nn.trainable_by_path(module).values())
    with tf.GradientTape() as tape:
        loss = loss_of(called(name, module, inputs, **options))
    gradients = [np.asarray(tf.convert_to_tensor(g), np.float64) for g in tape.gradient(loss, variables)]
    starts, rng = [v.numpy() for v in variables], np.random.default_rng(9)
    ways = [1e-6 * rng.standard_normal(v.shape) for v in variables]
    losses, expected = [], 0.0
    ends = [
        [(s + sign * way).astype(np.float32) for s, way in zip(starts, ways, strict=True)] for sign in (1, -1)
    ]
    for values in ends:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        losses.append(float(loss_of(called(name, module, inputs, **options))))
    # What was really added is known exactly: the variables are float32, the computation is float64.
    for gradient, up, down in zip(gradients, *ends, strict=True):
        expected += float(np.sum(gradient * (up.astype(np.float64) - down)))
    size = sum(float(np.linalg.norm(g)) * 2e-6 for g in gradients)
    # The step squared is nothing; what is left are kinks (relu, maximum) that a step of 1e-6 crosses.
    assert abs(losses[0] - losses[1] - expected) <= 1e-4 * size
