"""The compiled train step against Keras 3 `fit(jit_compile=True)`: same model, weights, batch and optimizer.

Keras runs with its best `steps_per_execution`; ours with its default jit_compile="auto", which leaves convolutions
on a CPU to TensorFlow's own kernels (wholly under XLA it was level with Keras without dropout: 0.97).

Unit: seconds for `STEPS` steps. Ceiling: the arithmetic of the model, which is the same on both sides; what
can be won is the cost of a call, of the update of many variables, and of random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from baselines import KerasClassifier
from pairing import paired_ratio

from mmcore import losses, nn, optim, train

STEPS = 32


@dataclass(frozen=True)
class Sizes:
    """A small image and text classifier; enough variables for the update to matter."""

    batch_size: int = 32
    image_size: int = 32
    widths: tuple[int, ...] = (16, 32, 64)
    length: int = 24
    vocab_size: int = 2048
    dim: int = 64
    num_heads: int = 4
    num_classes: int = 10
    learning_rate: float = 1e-3
    weight_decay: float = 0.05


SIZES = Sizes()


class Classifier(tf.Module):
    """The model of `baselines.KerasClassifier` in this package's layers."""

    def __init__(self, sizes: Sizes, dropout_rate: float, rng: np.random.Generator):
        super().__init__()
        channels = (3, *sizes.widths)
        self.convs = [
            nn.Conv2D(a, b, 3, stride=2 if index else 1, rng=rng)
            for index, (a, b) in enumerate(pairwise(channels))
        ]
        self.embedding = nn.Embedding(sizes.vocab_size, sizes.dim, rng=rng)
        self.block = nn.TransformerBlock(sizes.dim, sizes.num_heads, dropout_rate=dropout_rate, rng=rng)
        self.dropout = nn.Dropout(dropout_rate)
        self.head = nn.Linear(sizes.widths[-1] + sizes.dim, sizes.num_classes, rng=rng)

    def __call__(self, batch, *, seed):
        seeds = nn.split(seed, 2)
        x = batch["image"]
        for conv in self.convs:
            x = tf.nn.relu(conv(x))
        y = self.block(self.embedding(batch["text"]), training=True, seed=seeds[0])
        joined = tf.concat([tf.reduce_mean(x, axis=[1, 2]), tf.reduce_mean(y, axis=1)], axis=-1)
        return self.head(self.dropout(joined, training=True, seed=seeds[1]))


def loss_fn(model, batch, seed):
    return losses.cross_entropy(model(batch, seed=seed), batch["label"]), {}


def make_state(dropout_rate: float) -> train.TrainState:
    model = Classifier(SIZES, dropout_rate, np.random.default_rng(0))
    return train.TrainState(model, optim.AdamW(SIZES.learning_rate, weight_decay=SIZES.weight_decay))


def make_batch() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    shape = (SIZES.batch_size, SIZES.image_size, SIZES.image_size, 3)
    return {
        "image": rng.normal(size=shape).astype("float32"),
        "text": rng.integers(0, SIZES.vocab_size, (SIZES.batch_size, SIZES.length)).astype("int32"),
        "label": rng.integers(0, SIZES.num_classes, SIZES.batch_size).astype("int32"),
    }


def check_agreement(batch: dict[str, np.ndarray]) -> None:
    """Without dropout the losses of three steps agree: forward pass, gradients, clipping and update.

    The later ones to less digits: Keras adds epsilon before the correction of the moments, and Adam turns
    rounding of gradients close to zero into steps of full size.
    """
    state = make_state(0.0)
    weights = {path: variable.numpy() for path, variable in state.weights.items()}
    rival = KerasClassifier(SIZES, weights, dropout_rate=0.0, steps_per_execution=1)
    step = train.make_train_step(loss_fn, clip_norm=1.0)
    ours = [float(step(state, batch)["loss"]) for _ in range(3)]
    theirs = [rival.fit(batch, 1)[1] for _ in range(3)]
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def best_rival(batch: dict[str, np.ndarray], weights, dropout_rate: float) -> tuple[KerasClassifier, int]:
    """The fastest of three settings of `steps_per_execution`."""
    times = {}
    for count in (1, 8, 32):
        rival = KerasClassifier(SIZES, weights, dropout_rate=dropout_rate, steps_per_execution=count)
        rival.fit(batch, STEPS)
        times[count] = (min(rival.fit(batch, STEPS)[0] for _ in range(2)), rival)
    best = min(times, key=lambda count: times[count][0])
    return times[best][1], best


@pytest.mark.parametrize("dropout_rate", [0.0, 0.1])
def test_train_step_against_keras_fit(benchmark, dropout_rate):
    batch = make_batch()
    if dropout_rate == 0.0:
        check_agreement(batch)
    state = make_state(dropout_rate)
    weights = {path: variable.numpy() for path, variable in state.weights.items()}
    rival, count = best_rival(batch, weights, dropout_rate)
    step = train.make_train_step(loss_fn, clip_norm=1.0)

    # In memory on both sides: Keras makes tensors of its arrays once, before the epoch that is timed.
    tensors = {name: tf.constant(array) for name, array in batch.items()}

    def ours():
        for _ in train.fit(state, step, [tensors] * STEPS, log_every=STEPS):
            pass

    ratio = paired_ratio(ours, lambda: rival.fit(batch, STEPS)[0], pairs=15)
    benchmark.extra_info.update(times_keras_fit=ratio.median, low=ratio.low, high=ratio.high)
    benchmark.extra_info.update(steps=STEPS, examples=STEPS * SIZES.batch_size, steps_per_execution=count)
    benchmark.pedantic(ours, rounds=3)
