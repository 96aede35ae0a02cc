from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn, optim, train


class SlotOptimizer(tf.Module):
    """An optimizer of one's own with its state in variables; it also holds those of the model."""

    def __init__(self):
        super().__init__()
        self.targets, self.velocity = {}, {}

    def build(self, variables):
        self.targets = dict(variables)
        self.velocity = {path: tf.Variable(tf.zeros_like(v)) for path, v in variables.items()}

    def apply(self, gradients, step):
        for path, gradient in gradients.items():
            self.velocity[path].assign(0.9 * self.velocity[path] + gradient)
            self.targets[path].assign_sub(0.1 * self.velocity[path])


def test_state_dict_names_everything(kit):
    saved = kit.state().state_dict()
    assert {"step", "seed", "model.table", "model.layers.0.kernel", "model.moving_mean"} <= set(saved)
    assert {"optimizer.mean.table", "optimizer.variance.layers.1.bias", "ema.average.moving_mean"} <= set(
        saved
    )
    assert "optimizer.mean.moving_mean" not in saved


def test_loading_goes_on_bit_for_bit(kit):
    state, other = kit.state(seed=3), kit.state(seed=4)
    batches = kit.batches(5)
    for batch in batches[:3]:
        kit.step(state, batch)
    other.load_state_dict(state.state_dict())
    for batch in batches[3:]:
        kit.step(state, batch)
        kit.step(other, batch)
    assert kit.digest(other) == kit.digest(state)


def test_optimizer_of_ones_own_is_saved_through_its_variables():
    def loss_fn(model, batch):
        return tf.reduce_sum(model(batch)), {}

    def make():
        return train.TrainState(nn.Linear(2, 3, rng=np.random.default_rng(0)), SlotOptimizer())

    state, other = make(), make()
    train.make_train_step(loss_fn, jit_compile=False)(state, tf.ones([4, 2]))
    saved = state.state_dict()
    assert {path for path in saved if path.startswith("optimizer.")} == {
        "optimizer.velocity.kernel",
        "optimizer.velocity.bias",
    }
    assert saved["optimizer.velocity.kernel"].any()
    other.load_state_dict(saved)
    for path, value in other.state_dict().items():
        np.testing.assert_array_equal(value, saved[path])


def test_averaged_has_the_average_and_gives_the_weights_back(kit):
    state, history = kit.state(ema_decay=0.5), []
    for batch in kit.batches(3):
        kit.step(state, batch)
        history.append(state.state_dict())
    with state.averaged() as model:
        for path, variable in nn.variables_by_path(model).items():
            past = [saved[f"model.{path}"].astype("float64") for saved in history]
            expected = (past[0] + 2 * past[1] + 4 * past[2]) / 7
            np.testing.assert_allclose(variable, expected, rtol=1e-5, atol=1e-6, err_msg=path)
    for path, value in state.state_dict().items():
        np.testing.assert_array_equal(value, history[-1][path])


def test_averaged_gives_the_weights_back_after_an_error_and_before_any_step(kit):
    state = kit.state()
    before = kit.digest(state)
    with pytest.raises(KeyError), state.averaged() as model:
        model.table.assign(model.table * 2.0)
        raise KeyError
    assert kit.digest(state) == before


def test_averaged_errors(kit):
    with pytest.raises(ValueError, match="ema_decay"), kit.state(ema_decay=None).averaged():
        pass
    state = kit.state()
    with state.averaged():
        with pytest.raises(ValueError, match="cannot be nested"), state.averaged():
            pass
        with pytest.raises(ValueError, match=r"leave averaged\(\) before saving"):
            state.state_dict()


def test_loading_another_models_state_names_paths_and_changes_nothing(kit):
    state = kit.state()
    before, saved = kit.digest(state), state.state_dict()
    del saved["model.table"]
    saved["model.extra"], saved["step"] = np.zeros(1, "float32"), np.asarray(9)
    saved["optimizer.mean.layers.0.kernel"] = np.zeros((5, 8), "float32")
    with pytest.raises(ValueError, match="does not fit") as error:
        state.load_state_dict(saved)
    for part in ("1 missing: model.table", "1 unexpected: model.extra", "expected [4, 8], found [5, 8]"):
        assert part in str(error.value)
    assert kit.digest(state) == before


def test_errors():
    with pytest.raises(ValueError, match="no trainable variables"):
        train.TrainState(tf.Module(), optim.SGD(0.1))
    with pytest.raises(ValueError, match="decay must be in"):
        train.TrainState(nn.Linear(2, 3), optim.SGD(0.1), ema_decay=1.0)
