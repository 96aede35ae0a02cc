"""A small model of one's own with a table, dropout and a moving statistic, its loss and batches."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from mmcore import losses, metrics, nn, optim, train


class Model(tf.Module):
    def __init__(self, seed: int = 0):
        super().__init__()
        rng = np.random.default_rng(seed)
        self.table = tf.Variable(rng.normal(size=(7, 4)).astype("float32"))
        self.layers = [nn.Linear(4, 8, rng=rng), nn.Linear(8, 3, rng=rng)]
        self.dropout = nn.Dropout(0.25)
        self.moving_mean = tf.Variable(tf.zeros([4]), trainable=False)

    def __call__(self, ids: tf.Tensor, *, training: bool = False, seed: tf.Tensor | None = None) -> tf.Tensor:
        x = tf.reduce_mean(tf.gather(self.table, ids), axis=1)
        if training:
            self.moving_mean.assign(0.9 * self.moving_mean + 0.1 * tf.reduce_mean(x, axis=0))
        hidden = tf.nn.relu(self.layers[0](x - self.moving_mean))
        return self.layers[1](self.dropout(hidden, training=training, seed=seed))


def loss_fn(model, batch, seed):
    logits = model(batch["ids"], training=True, seed=seed)
    loss = losses.cross_entropy(logits, batch["label"], weights=batch["weight"])
    return loss, {"accuracy": metrics.batch_accuracy(logits, batch["label"], weights=batch["weight"])}


def make_state(seed: int = 3, ema_decay: float | None = 0.9) -> train.TrainState:
    optimizer = optim.AdamW(optim.cosine_schedule(0.05, 2, 12))
    return train.TrainState(Model(), optimizer, seed=seed, ema_decay=ema_decay)


def make_batches(count: int = 6, seed: int = 0) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "ids": rng.integers(0, 7, (2, 5)).astype("int32"),
            "label": rng.integers(0, 3, 2).astype("int32"),
            "weight": np.ones(2, "float32"),
        }
        for _ in range(count)
    ]


def digest(state: train.TrainState) -> str:
    """SHA-256 over everything that training changes."""
    total = hashlib.sha256()
    for path, value in state.state_dict().items():
        total.update(path.encode() + value.tobytes())
    return total.hexdigest()


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """The pieces above, with one step function for all tests: each state compiles it once."""
    step = train.make_train_step(loss_fn, jit_compile=False)
    return SimpleNamespace(
        Model=Model, loss_fn=loss_fn, state=make_state, batches=make_batches, digest=digest, step=step
    )
