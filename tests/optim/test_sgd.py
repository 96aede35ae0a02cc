from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore.optim import SGD, cosine_schedule


def reference(arrays, gradients, rate, momentum, nesterov, weight_decay):
    weights = {path: value.astype("float64") for path, value in arrays.items()}
    for path, w in weights.items():
        u = np.zeros_like(w)
        for step, gradient in enumerate(gradients):
            g = gradient[path] + (weight_decay * w if path.endswith("kernel") else 0.0)
            u = momentum * u + g
            w = w - rate(step) * (g + momentum * u if nesterov else u)
        weights[path] = w
    return weights


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
@pytest.mark.parametrize("weight_decay", [0.0, 0.2])
def test_equals_numpy_twin(arrays, variables, gradients, momentum, nesterov, weight_decay):
    schedule = cosine_schedule(0.1, 2, 5)
    optimizer = SGD(schedule, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)
    optimizer.build(variables)
    for step, gradient in enumerate(gradients):
        optimizer.apply(gradient, step)
    expected = reference(arrays, gradients, lambda s: float(schedule(s)), momentum, nesterov, weight_decay)
    for path, variable in variables.items():
        np.testing.assert_allclose(variable, expected[path], rtol=1e-5, atol=1e-6, err_msg=path)


def test_state_dict_round_trip(variables, gradients):
    optimizer = SGD(0.1, momentum=0.9)
    optimizer.build(variables)
    optimizer.apply(gradients[0], 0)
    saved = optimizer.state_dict()
    assert set(saved) == {f"momentum.{path}" for path in variables}
    other = SGD(0.1, momentum=0.9)
    other.build(variables)
    other.load_state_dict(saved)
    for path, value in other.state_dict().items():
        np.testing.assert_array_equal(value, saved[path])


def test_without_momentum_there_is_no_state(variables):
    optimizer = SGD(0.1)
    optimizer.build(variables)
    assert optimizer.state_dict() == {}


def test_errors():
    with pytest.raises(ValueError, match=r"momentum in \[0, 1\)"):
        SGD(0.1, momentum=1.0)
    with pytest.raises(ValueError, match="weight_decay >= 0"):
        SGD(0.1, weight_decay=-1.0)
    with pytest.raises(ValueError, match="nesterov needs a momentum"):
        SGD(0.1, nesterov=True)
    with pytest.raises(ValueError, match="call build"):
        SGD(0.1).apply({"kernel": tf.zeros([1])}, 0)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_where_false_nothing_changes_and_where_true_is_the_plain_update(
    arrays, variables, gradients, momentum
):
    twins = {path: tf.Variable(value) for path, value in arrays.items()}
    plain, guarded = (SGD(0.1, momentum=momentum, weight_decay=0.1) for _ in range(2))
    plain.build(variables)
    guarded.build(twins)
    bad = {path: tf.fill(value.shape, np.nan) for path, value in arrays.items()}
    for step, gradient in enumerate(gradients):
        plain.apply(gradient, step)
        guarded.apply(bad, step, where=tf.constant(False))
        guarded.apply(gradient, step, where=tf.constant(True))
    for path, variable in variables.items():
        np.testing.assert_array_equal(twins[path], variable)
