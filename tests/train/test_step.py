from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from mmcore import nn, optim, train


class PlainDescent:
    """An optimizer of one's own: not a tf.Module, no state, no learning_rate."""

    def build(self, variables):
        self.variables = variables

    def apply(self, gradients, step):
        for path, gradient in gradients.items():
            self.variables[path].assign_sub(0.1 * gradient)


def squares(model, batch):
    return tf.reduce_mean(tf.square(model(batch[0]) - batch[1])), {}


BATCH = (np.array([[1.0, 2.0], [3.0, -1.0]], "float32"), np.array([[1.0], [0.0]], "float32"))


def test_one_step_with_ones_own_module_and_optimizer():
    model = nn.Linear(2, 1, rng=np.random.default_rng(0))
    kernel, (x, y) = model.kernel.numpy(), BATCH
    state = train.TrainState(model, PlainDescent())
    metrics = train.make_train_step(squares, jit_compile=False, clip_norm=None)(state, BATCH)
    error = x @ kernel - y
    gradient = x.T @ error
    np.testing.assert_allclose(model.kernel, kernel - 0.1 * gradient, rtol=1e-5)
    np.testing.assert_allclose(metrics["loss"], np.mean(error**2), rtol=1e-6)
    np.testing.assert_allclose(
        metrics["grad_norm"], np.sqrt((gradient**2).sum() + error.sum() ** 2), rtol=1e-5
    )
    assert set(metrics) == {"loss", "grad_norm", "nonfinite"} and int(state.step) == 1


def test_clipping_bounds_the_update_and_reports_the_norm_before():
    norms = {}
    for clip_norm in (None, 1e-3):
        state = train.TrainState(nn.Linear(2, 1, rng=np.random.default_rng(0)), optim.SGD(1.0))
        before = {path: variable.numpy() for path, variable in state.weights.items()}
        metrics = train.make_train_step(squares, jit_compile=False, clip_norm=clip_norm)(state, BATCH)
        moved = np.sqrt(sum(((v - before[path]).numpy() ** 2).sum() for path, v in state.weights.items()))
        norms[clip_norm] = float(metrics["grad_norm"])
        assert moved == pytest.approx(1e-3 if clip_norm else norms[None], rel=1e-3)
    assert norms[None] == pytest.approx(norms[1e-3])


def test_xla_equals_graph_over_several_steps(kit):
    steps = kit.step, train.make_train_step(kit.loss_fn, jit_compile=True)
    states = kit.state(), kit.state()
    for batch in kit.batches(4):
        found = [step(state, batch) for step, state in zip(steps, states, strict=True)]
        for name, value in found[0].items():
            assert found[1][name].dtype == tf.float32 and found[1][name].shape == ()
            np.testing.assert_allclose(found[1][name], value, rtol=1e-4, atol=1e-6, err_msg=name)
    saved = [state.state_dict() for state in states]
    for path, value in saved[0].items():
        np.testing.assert_allclose(saved[1][path], value, rtol=1e-4, atol=1e-5, err_msg=path)


class Convolving(tf.Module):
    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        self.conv, self.head = nn.Conv2D(3, 4, 3, rng=rng), nn.Linear(4, 1, rng=rng)

    def __call__(self, x):
        return self.head(tf.reduce_mean(self.conv(x), axis=[1, 2]))


class Watched(optim.AdamW):
    def apply(self, gradients, step):
        self.compiled = in_xla()
        super().apply(gradients, step)


@pytest.mark.parametrize(("gpus", "model", "expected"), [([], False, True), (["GPU:0"], True, True)])
def test_auto_leaves_convolutions_on_cpu_to_tensorflow(monkeypatch, gpus, model, expected):
    """Without a GPU only clipping and update are compiled; with the values of the plain step either way."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: gpus)
    x = np.random.default_rng(1).normal(size=(2, 5, 5, 3)).astype("float32")
    found, states = [], []
    for jit_compile in (False, "auto"):

        def loss_fn(model, batch):
            found.append(in_xla())
            return squares(model, batch)

        states.append(train.TrainState(Convolving(), Watched(0.1), ema_decay=0.9))
        step = train.make_train_step(loss_fn, jit_compile=jit_compile)
        for _ in range(3):
            step(states[-1], (x, BATCH[1]))
    assert found == [False, model]
    assert [state.optimizer.compiled for state in states] == [False, expected]
    plain, auto = (state.state_dict() for state in states)
    for path, value in plain.items():
        np.testing.assert_allclose(auto[path], value, rtol=1e-4, atol=1e-6, err_msg=path)


def test_auto_compiles_all_of_a_model_without_convolutions():
    found = []

    def spy(model, x):
        found.append(in_xla())
        return model(x)

    state = train.TrainState(nn.Linear(2, 1), optim.SGD(0.1))
    train.make_train_step(lambda model, batch: (tf.reduce_sum(spy(model, batch)), {}))(state, BATCH[0])
    evaluate = train.make_eval_step(spy)
    evaluate(state.model, BATCH[0])
    evaluate(Convolving(), tf.ones([1, 4, 4, 3]))
    assert found == [True, True, False]


def in_xla() -> bool:
    """Whether the function being traced is one that XLA compiles."""
    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def test_learning_rate_is_that_of_the_update_made(kit):
    state = kit.state()
    rates = [float(kit.step(state, batch)["learning_rate"]) for batch in kit.batches(3)]
    np.testing.assert_allclose(rates, [state.optimizer.learning_rate(step) for step in range(3)])


def test_seed_differs_by_step_and_by_state_and_repeats(kit):
    def loss_fn(model, batch, seed):
        return squares(model, batch)[0], {
            "a": tf.cast(seed[0], tf.float32),
            "b": tf.cast(seed[1], tf.float32),
        }

    def seeds(seed):
        state = train.TrainState(nn.Linear(2, 1), optim.SGD(0.0), seed=seed)
        return [tuple(float(m[k]) for k in "ab") for m in (step(state, BATCH) for _ in range(3))]

    step = train.make_train_step(loss_fn, jit_compile=False)
    first, again, other, high = seeds(1), seeds(1), seeds(2), seeds(1 + 2**40)
    assert first == again
    assert len({*first, *other, *high}) == 9


def test_one_trace_for_all_batches_of_one_shape():
    traces = []

    def loss_fn(model, batch):
        traces.append(1)
        return squares(model, batch)

    state = train.TrainState(nn.Linear(2, 1), optim.SGD(0.1))
    step = train.make_train_step(loss_fn, jit_compile=False)
    for scale in (1.0, 2.0, 3.0):
        step(state, (np.float32(scale) * BATCH[0], BATCH[1]))
    assert len(traces) == 1


def test_gradient_of_nan_shows_in_the_same_step(kit):
    state = train.TrainState(nn.Linear(2, 1), optim.SGD(0.1))
    bad = (np.array([[np.nan, 1.0], [0.0, 1.0]], "float32"), BATCH[1])
    metrics = train.make_train_step(squares, jit_compile=False)(state, bad)
    assert np.isnan(metrics["loss"]) and np.isnan(metrics["grad_norm"])


def run_once(loss_fn, model=None):
    state = train.TrainState(model or nn.Linear(2, 1), optim.SGD(0.1))
    train.make_train_step(loss_fn, jit_compile=False)(state, BATCH)


def test_variables_without_gradient_are_named():
    class Two(tf.Module):
        def __init__(self):
            super().__init__()
            self.used, self.spare = nn.Linear(2, 1), [nn.Linear(2, 1)]

        def __call__(self, x):
            return self.used(x)

    with pytest.raises(
        ValueError, match=r"2 trainable variables: spare\.0\.kernel, spare\.0\.bias; use them"
    ):
        run_once(squares, Two())


def test_variables_made_late_are_named():
    class Lazy(tf.Module):
        def __init__(self):
            super().__init__()
            self.first, self.late = tf.Variable([[1.0], [1.0]]), None

        def __call__(self, x):
            if self.late is None:
                self.late = tf.Variable(1.0)
            return x @ self.first * self.late

    with pytest.raises(ValueError, match=r"made variables after the TrainState was built: \['late'\]"):
        run_once(squares, Lazy())


def test_errors():
    with pytest.raises(ValueError, match="clip_norm must be positive or None"):
        train.make_train_step(squares, clip_norm=0.0)
    for make in (train.make_train_step, train.make_eval_step):
        with pytest.raises(ValueError, match="jit_compile must be True, False or \"auto\", found 'on'"):
            make(squares, jit_compile="on")
    with pytest.raises(ValueError, match=r"a float scalar as the loss, found float32 of shape \(2, 1\)"):
        run_once(lambda model, batch: (model(batch[0]), {}))
    with pytest.raises(ValueError, match=r"rename the loss function's metrics \['loss'\]"):
        run_once(lambda model, batch: (squares(model, batch)[0], {"loss": tf.constant(1.0)}))


def test_eval_step_takes_arrays_and_any_nest(kit):
    model, batch = kit.Model(), kit.batches(1)[0]
    evaluate = train.make_eval_step(lambda model, batch: {"logits": model(batch["ids"])})
    np.testing.assert_allclose(evaluate(model, batch)["logits"], model(batch["ids"]), rtol=1e-5, atol=1e-6)
    model.table.assign(model.table + 1.0)
    np.testing.assert_allclose(evaluate(model, batch)["logits"], model(batch["ids"]), rtol=1e-5, atol=1e-6)
