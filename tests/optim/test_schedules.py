from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from mmcore.optim import constant, cosine_schedule


def reference(step, peak, warmup, total, final):
    if step < warmup:
        return peak * (step + 1) / warmup
    p = min((step - warmup) / (total - warmup), 1.0) if total > warmup else float(step > warmup)
    return final + (peak - final) * 0.5 * (1 + math.cos(math.pi * p))


@pytest.mark.parametrize(("warmup", "total"), [(0, 1), (0, 10), (3, 10), (9, 10), (10, 10)])
def test_cosine_equals_python_at_every_step(warmup, total):
    rate = cosine_schedule(0.3, warmup, total, final=0.01)
    for step in range(total + 4):
        expected = reference(step, 0.3, warmup, total, 0.01)
        np.testing.assert_allclose(rate(step), expected, rtol=1e-5, atol=1e-7)


def test_no_warmup_starts_at_the_peak_and_the_end_stays():
    rate = cosine_schedule(1.0, 0, 5, final=0.25)
    assert float(rate(0)) == 1.0
    assert [float(rate(step)) for step in (5, 6, 10**6)] == [0.25] * 3


def test_works_with_an_int64_tensor_under_xla():
    rate = cosine_schedule(1.0, 2, 6)
    compiled = tf.function(lambda step: rate(step), jit_compile=True)
    for step in range(8):
        found = compiled(tf.constant(step, tf.int64))
        assert found.dtype == tf.float32 and found.shape == ()
        np.testing.assert_allclose(found, rate(step), atol=1e-7)


def test_constant():
    assert float(constant(0.5)(10**9)) == 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: constant(-1.0), "learning_rate must be a finite number"),
        (lambda: constant(float("nan")), "learning_rate must be a finite number"),
        (lambda: cosine_schedule(float("inf"), 0, 1), "peak must be"),
        (lambda: cosine_schedule(1.0, 0, 1, final=-0.1), "final must be"),
        (lambda: cosine_schedule(1.0, 0, 0), "total_steps >= 1"),
        (lambda: cosine_schedule(1.0, 3, 2), "found warmup_steps 3 and total_steps 2"),
        (lambda: cosine_schedule(1.0, -1, 2), "0 <= warmup_steps"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
