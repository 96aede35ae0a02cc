"""NaN and infinities: seen in the same step, and nothing that training changes is touched, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn, optim, train
from mmcore.errors import NonfiniteError

X = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")
Y = np.random.default_rng(1).normal(size=(3, 1)).astype("float32")
PLAIN = {"x": X, "y": Y, "inside": np.float32(1), "loss": np.float32(0), "root": np.float32(1)}
BAD = {
    "NaN in the input": {"x": np.where(X[1, 0] == X, np.float32("nan"), X)},
    "infinity in the input": {"x": np.where(X[2, 1] == X, np.float32("inf"), X)},
    "infinity in an activation": {"inside": np.float32("inf")},
    "NaN as the loss alone": {"loss": np.float32("nan")},
    "infinity as the loss alone": {"loss": np.float32("-inf")},
    "one gradient alone": {"root": np.float32(0)},
}


class Model(tf.Module):
    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        self.first, self.last = nn.Linear(2, 4, rng=rng), nn.Linear(4, 1, rng=rng)
        self.norm = nn.BatchNorm(4)
        self.extra = tf.Variable(0.0)
        self.count = tf.Variable(0, dtype=tf.int64, trainable=False)


def loss_fn(model, batch):
    model.count.assign_add(1)
    hidden = model.norm(model.first(batch["x"]) * batch["inside"], training=True)
    # Of the root at 0 the gradient is infinite, and the root itself is 0.
    root = tf.sqrt(tf.abs(batch["root"]) + model.extra)
    return tf.reduce_mean((model.last(hidden) - batch["y"]) ** 2) + root + batch["loss"], {}


def make_state() -> train.TrainState:
    return train.TrainState(Model(), optim.AdamW(0.01), ema_decay=0.9)


def changed(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> set[str]:
    return {path for path, value in before.items() if value.tobytes() != after[path].tobytes()}


@pytest.fixture(scope="module", params=[True, False], ids=["xla", "graph"])
def steps(request):
    """Steps by policy, a state, and how the state was at first: one state, since each one compiles anew."""
    made = {
        p: train.make_train_step(loss_fn, jit_compile=request.param, nonfinite=p) for p in ("skip", "raise")
    }
    state = make_state()
    return made, state, state.state_dict()


@pytest.mark.parametrize("case", BAD)
def test_nothing_but_the_step_changes(steps, case):
    steps, state, first = steps
    state.load_state_dict(first)
    for _ in range(2):
        assert float(steps["skip"](state, PLAIN)["nonfinite"]) == 0.0
    state.model.extra.assign(0.0)
    before = state.state_dict()
    metrics = steps["skip"](state, {**PLAIN, **BAD[case]})
    assert float(metrics["nonfinite"]) == 1.0
    assert not np.isfinite(float(metrics["loss"]) + float(metrics["grad_norm"]))
    kept = {path: value for path, value in before.items() if not path.startswith("ema.")}
    assert changed(kept, state.state_dict()) == {"step"}
    assert all(np.isfinite(value).all() for value in state.state_dict().values())
    assert float(steps["skip"](state, PLAIN)["nonfinite"]) == 0.0
    assert {"model.first.kernel", "model.norm.moving_mean", "model.count"} <= changed(
        before, state.state_dict()
    )


@pytest.mark.parametrize("case", BAD)
def test_raising_leaves_the_weights_and_a_checkpoint_brings_all_back(steps, case, tmp_path):
    steps, state, first = steps
    state.load_state_dict(first)
    checkpointer = train.Checkpointer(tmp_path)
    steps["raise"](state, PLAIN)
    state.model.extra.assign(0.0)
    checkpointer.save(state)
    before = state.state_dict()
    with pytest.raises(NonfiniteError, match=r"of step 2 is not finite; the weights are as before"):
        steps["raise"](state, {**PLAIN, **BAD[case]})
    weights = {path: value for path, value in before.items() if path.startswith(("model.", "optimizer."))}
    assert not changed(weights, state.state_dict())
    checkpointer.restore(state)
    assert not changed(before, state.state_dict())
    steps["raise"](state, PLAIN)


def test_without_the_guard_the_weights_are_lost():
    state = make_state()
    metrics = train.make_train_step(loss_fn, jit_compile=False, nonfinite=None)(
        state, {**PLAIN, **BAD["NaN in the input"]}
    )
    assert "nonfinite" not in metrics
    assert np.isnan(state.model.first.kernel).any()


def test_update_compiled_alone_is_guarded_too():
    class Convolving(tf.Module):
        def __init__(self):
            super().__init__()
            rng = np.random.default_rng(0)
            self.conv, self.norm, self.head = (
                nn.Conv2D(3, 4, 3, rng=rng),
                nn.BatchNorm(4),
                nn.Linear(4, 1, rng=rng),
            )

    def loss(model, batch):
        x = model.norm(model.conv(batch), training=True)
        return tf.reduce_mean(model.head(tf.reduce_mean(x, axis=[1, 2])) ** 2), {}

    state = train.TrainState(Convolving(), optim.SGD(0.1, momentum=0.9))
    step = train.make_train_step(loss)
    batch = np.ones((2, 5, 5, 3), "float32")
    step(state, batch)
    before = state.state_dict()
    batch[1, 2, 2, 0] = np.inf
    assert float(step(state, batch)["nonfinite"]) == 1.0
    assert changed(before, state.state_dict()) == {"step"}


def test_unknown_policy_is_an_error():
    with pytest.raises(ValueError, match='nonfinite must be "skip", "raise" or None'):
        train.make_train_step(loss_fn, nonfinite="ignore")


class Foreign:
    """An optimizer that knows nothing of `where`."""

    def build(self, variables):
        self.variables = variables

    def apply(self, gradients, step):
        for path, gradient in gradients.items():
            self.variables[path].assign_sub(0.1 * gradient)


def test_an_optimizer_of_others_is_guarded_too():
    state = train.TrainState(Model(), Foreign())
    step = train.make_train_step(loss_fn)
    step(state, PLAIN)
    before = state.state_dict()
    assert float(step(state, {**PLAIN, **BAD["NaN in the input"]})["nonfinite"]) == 1.0
    assert changed(before, state.state_dict()) == {"step"}
    step(state, PLAIN)
    assert "model.first.kernel" in changed(before, state.state_dict())
