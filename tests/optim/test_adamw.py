from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore.optim import AdamW, cosine_schedule


def reference(arrays, gradients, rate, weight_decay, beta1, beta2, epsilon):
    """Algorithm 2 of the paper in float64, one variable at a time."""
    weights = {path: value.astype("float64") for path, value in arrays.items()}
    for path, w in weights.items():
        m, v = np.zeros_like(w), np.zeros_like(w)
        for step, gradient in enumerate(gradients):
            g = gradient[path].astype("float64")
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g * g
            direction = m / (1 - beta1 ** (step + 1)) / (np.sqrt(v / (1 - beta2 ** (step + 1))) + epsilon)
            decay = weight_decay * w if path.endswith("kernel") else 0.0
            w = w - rate(step) * (direction + decay)
        weights[path] = w
    return weights


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_equals_numpy_twin(arrays, variables, gradients, weight_decay):
    schedule = cosine_schedule(0.1, 2, 5)
    optimizer = AdamW(schedule, weight_decay=weight_decay, beta1=0.8, beta2=0.95, epsilon=1e-3)
    optimizer.build(variables)
    for step, gradient in enumerate(gradients):
        optimizer.apply(gradient, step)
    expected = reference(arrays, gradients, lambda s: float(schedule(s)), weight_decay, 0.8, 0.95, 1e-3)
    for path, variable in variables.items():
        np.testing.assert_allclose(variable, expected[path], rtol=2e-5, atol=1e-6, err_msg=path)


def test_xla_equals_eager(arrays, variables, gradients):
    twins = {path: tf.Variable(value) for path, value in arrays.items()}
    eager, compiled = AdamW(0.1, weight_decay=0.1), AdamW(0.1, weight_decay=0.1)
    eager.build(variables)
    compiled.build(twins)
    apply = tf.function(compiled.apply, jit_compile=True)
    for step, gradient in enumerate(gradients):
        eager.apply(gradient, step)
        apply({path: tf.constant(g) for path, g in gradient.items()}, tf.constant(step, tf.int64))
    for path, variable in variables.items():
        np.testing.assert_allclose(twins[path], variable, rtol=1e-5, atol=1e-6)


def test_state_dict_is_by_path_whatever_the_packing(variables, gradients, monkeypatch):
    optimizer = AdamW(0.1)
    optimizer.build(variables)
    optimizer.apply(gradients[0], 0)
    saved = optimizer.state_dict()
    assert set(saved) == {f"{slot}.{path}" for slot in ("mean", "variance") for path in variables}
    for path, gradient in gradients[0].items():
        np.testing.assert_allclose(saved[f"mean.{path}"], np.float32(0.1) * gradient, rtol=1e-5)
    monkeypatch.setattr("mmcore.optim.slots.PACK_BELOW", 1)
    other = AdamW(0.1)
    other.build(dict(reversed(variables.items())))
    other.load_state_dict(saved)
    for path, value in other.state_dict().items():
        np.testing.assert_array_equal(value, saved[path])


def test_decay_rule_is_the_callers(gradients):
    paths = {"table": tf.Variable([1.0]), "kernel": tf.Variable([1.0])}
    optimizer = AdamW(0.1, weight_decay=0.5, decay=lambda path: path == "table")
    optimizer.build(paths)
    optimizer.apply({path: tf.zeros([1]) for path in paths}, 0)
    np.testing.assert_allclose([paths["table"].numpy()[0], paths["kernel"].numpy()[0]], [0.95, 1.0])


def test_bfloat16_variable_has_float32_state():
    variable = tf.Variable(tf.ones([2], tf.bfloat16))
    optimizer = AdamW(0.125, weight_decay=0.0)
    optimizer.build({"kernel": variable})
    optimizer.apply({"kernel": tf.ones([2], tf.bfloat16)}, 0)
    assert optimizer.state_dict()["mean.kernel"].dtype == np.float32
    np.testing.assert_array_equal(tf.cast(variable, tf.float32), [0.875, 0.875])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta1": 1.0}, "beta1 and beta2"),
        ({"beta2": -0.1}, "beta1 and beta2"),
        ({"epsilon": 0.0}, "epsilon > 0"),
        ({"weight_decay": -1.0}, "weight_decay >= 0"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        AdamW(0.1, **options)


def test_apply_before_build_or_with_other_paths():
    optimizer = AdamW(0.1)
    with pytest.raises(ValueError, match=r"call build\(variables by path\) first"):
        optimizer.apply({}, 0)
    optimizer.build({"kernel": tf.Variable([1.0])})
    with pytest.raises(ValueError, match=r"differences at \['bias', 'kernel'\]"):
        optimizer.apply({"bias": tf.constant([1.0])}, 0)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_where_false_nothing_changes_bit_for_bit(arrays, variables, gradients, jit_compile):
    optimizer = AdamW(0.1, weight_decay=0.1)
    optimizer.build(variables)
    optimizer.apply(gradients[0], 0)
    path = next(iter(variables))
    variables[path].assign(-tf.zeros_like(variables[path]))
    optimizer.load_state_dict(
        {k: -np.abs(v) * (k != f"mean.{path}") for k, v in optimizer.state_dict().items()}
    )
    optimizer.load_state_dict(
        {k: np.abs(v) if "variance" in k else v for k, v in optimizer.state_dict().items()}
    )
    before = {**optimizer.state_dict(), **{p: v.numpy() for p, v in variables.items()}}
    apply = tf.function(optimizer.apply, jit_compile=jit_compile)
    for bad in (np.nan, np.inf, -1.0):
        apply(
            {p: tf.fill(v.shape, bad) for p, v in variables.items()}, tf.constant(1), where=tf.constant(False)
        )
    after = {**optimizer.state_dict(), **{p: v.numpy() for p, v in variables.items()}}
    assert {k for k in before if before[k].tobytes() != after[k].tobytes()} == set()


def test_where_true_is_the_plain_update(arrays, variables, gradients):
    twins = {path: tf.Variable(value) for path, value in arrays.items()}
    plain, guarded = AdamW(0.1, weight_decay=0.1), AdamW(0.1, weight_decay=0.1)
    plain.build(variables)
    guarded.build(twins)
    for step, gradient in enumerate(gradients):
        plain.apply(gradient, step)
        guarded.apply(gradient, step, where=tf.constant(True))
    for path, variable in variables.items():
        np.testing.assert_array_equal(twins[path], variable)
