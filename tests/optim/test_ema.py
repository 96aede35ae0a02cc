from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore.optim import EMA


def test_equals_weighted_sum_of_history(variables):
    ema, history = EMA(variables, decay=0.7), []
    rng = np.random.default_rng(0)
    for _ in range(4):
        for variable in variables.values():
            variable.assign(rng.normal(size=variable.shape).astype("float32"))
        history.append({path: variable.numpy() for path, variable in variables.items()})
        ema.update()
    shares = 0.7 ** np.arange(3, -1, -1)
    for path, average in ema.averages(updates=4).items():
        expected = (
            sum(s * past[path].astype("float64") for s, past in zip(shares, history, strict=True))
            / shares.sum()
        )
        np.testing.assert_allclose(average, expected, rtol=1e-5, atol=1e-6)


def test_average_of_one_update_is_that_weight(variables):
    ema = EMA(variables, decay=0.999)
    ema.update()
    for path, average in ema.averages(updates=1).items():
        np.testing.assert_allclose(average, variables[path], rtol=1e-4)


def test_state_dict_round_trip(variables):
    ema, other = EMA(variables, decay=0.9), EMA(variables, decay=0.9)
    ema.update()
    other.load_state_dict(ema.state_dict())
    assert set(other.state_dict()) == {f"average.{path}" for path in variables}
    for path, value in other.averages(1).items():
        np.testing.assert_array_equal(value, ema.averages(1)[path])


def test_errors():
    variables = {"kernel": tf.Variable([1.0])}
    for decay in (0.0, 1.0, -1.0):
        with pytest.raises(ValueError, match=r"decay must be in \(0, 1\)"):
            EMA(variables, decay)
    with pytest.raises(ValueError, match="at least one update"):
        EMA(variables, 0.9).averages(0)
