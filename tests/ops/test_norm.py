from __future__ import annotations

import logging

import instruction_sets
import norm_cases
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from norm_cases import Case, make, run

import mmcore
from mmcore import _load, ops
from mmcore.ops import backends

KINDS = ["layer", "layer without bias", "rms"]
X, SCALE, BIAS = tf.ones([2, 3]), tf.ones([3]), tf.zeros([3])


@pytest.mark.parametrize("impl", ["native", "tensorflow"])
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    kind=st.sampled_from(KINDS),
    dtype=st.sampled_from(["float32", "bfloat16"]),
    dims=st.lists(st.integers(1, 9), max_size=2),
    width=st.integers(1, 200),
    offset=st.sampled_from([0.0, 3.0, -100.0]),
)
def test_errors_are_at_most_twice_those_of_plain_tensorflow(impl, seed, kind, dtype, dims, width, offset):
    case = make(seed, kind, dtype, [*dims, width], offset)
    norm_cases.check(run(case, impl), case)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dims", [[3000, 1], [700, 77], [300, 768], [40, 4099]], ids=str)
def test_many_rows_are_as_exact(kind, dims):
    for dtype in ("float32", "bfloat16"):
        case = make(1, kind, dtype, dims, 1.0)
        norm_cases.check(run(case, "native"), case)


def test_float16_and_float64_run_in_plain_tensorflow():
    case = make(2, "layer", "float32", [5, 33], 1.0)
    expected, _ = norm_cases.oracle(case)
    y = ops.layer_norm(tf.cast(case.x, tf.float64), case.scale, case.bias)
    assert y.dtype == tf.float64
    np.testing.assert_allclose(y, expected[0], rtol=1e-12, atol=1e-12)
    half = ops.layer_norm(tf.cast(case.x, tf.float16), case.scale, case.bias)
    assert half.dtype == tf.float16
    np.testing.assert_allclose(np.float64(half), expected[0], atol=2e-2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("where", ["graph", "xla", "graph in xla"])
def test_everywhere_the_same(kind, dtype, known, where):
    case = make(3, kind, dtype, [4, 5, 40], 0.5)
    inputs = [tf.constant(x) for x in case.inputs()]
    shape = case.x.shape if known else [None, None, 40]
    signature = [tf.TensorSpec(shape, inputs[0].dtype), *(tf.TensorSpec([40]) for _ in inputs[1:-1])]
    signature.append(signature[0])

    @tf.function(input_signature=signature, jit_compile=where == "xla")
    def both(*tensors):
        return norm_cases.both(case, tensors, "auto")

    outer = tf.function(lambda *tensors: both(*tensors), jit_compile=where == "graph in xla")
    # Where XLA does not know shapes when it is traced, plain TensorFlow computes.
    tolerance = 0 if known or where == "graph" else 4e-2 if dtype == "bfloat16" else 2e-5
    for found, expected in zip(outer(*inputs), run(case, "native"), strict=True):
        assert found.shape == expected.shape and found.dtype == expected.dtype
        np.testing.assert_allclose(np.float64(found), np.float64(expected), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("where", ["eager", "graph", "xla"])
def test_second_derivatives_are_those_of_plain_tensorflow(where):
    case = make(4, "layer", "float32", [3, 7], 0.5)

    def slope_of_gradients(impl):
        def function(x, scale, bias, dy):
            with tf.GradientTape() as outer:
                outer.watch([x, scale, dy])
                with tf.GradientTape() as inner:
                    inner.watch([x, scale, bias])
                    y = ops.layer_norm(x, scale, bias, impl=impl)
                first = inner.gradient(y, [x, scale, bias], output_gradients=dy)
                total = tf.add_n([tf.reduce_sum(tf.sin(g)) for g in first])
            return outer.gradient(total, [x, scale, dy])

        return function if where == "eager" else tf.function(function, jit_compile=where == "xla")

    inputs = [tf.constant(x) for x in case.inputs()]
    for found, expected in zip(
        slope_of_gradients("native")(*inputs), slope_of_gradients("tensorflow")(*inputs), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)
        assert np.abs(expected).max() > 1e-3


def test_a_saved_model_with_an_unknown_batch(tmp_path):
    module = tf.Module()
    module.scale = tf.Variable([1.0, 2.0, 3.0])
    module.call = tf.function(
        lambda x: ops.rms_norm(x, module.scale), input_signature=[tf.TensorSpec([None, 3])]
    )
    tf.saved_model.save(module, str(tmp_path))
    x = tf.constant([[1.0, 2.0, 4.0]])
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_array_equal(loaded.call(x), ops.rms_norm(x, module.scale))


def test_any_number_of_threads_gives_the_same_bits():
    before = _load.native().num_threads()
    case = make(5, "layer", "float32", [3000, 70], 1.0)
    try:
        results = []
        for threads in (1, 2, 4, 16):
            mmcore.set_num_threads(threads)
            results.append(run(case, "native"))
    finally:
        mmcore.set_num_threads(before)
    for other in results[1:]:
        for found, expected in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(found, expected)


ISA_SCRIPT = """
import norm_cases
from mmcore import _load
print(_load.native().active_isa())
for seed in range(90):
    kind = ["layer", "layer without bias", "rms"][seed % 3]
    case = norm_cases.make(seed, kind, ["float32", "bfloat16"][seed % 2], [1 + seed, 1 + seed * 7 % 150], 1.0)
    norm_cases.check(norm_cases.run(case, "native"), case)
"""


@pytest.mark.parametrize("isa", instruction_sets.NAMES)
def test_every_instruction_set_is_as_exact(isa):
    instruction_sets.run_with(isa, ISA_SCRIPT)


@pytest.mark.parametrize("impl", ["native", "tensorflow"])
def test_nan_stays_in_its_row_and_a_constant_row_is_finite(impl):
    x = np.ones((3, 40), np.float32)
    x[1, 7] = np.nan
    y = ops.layer_norm(x, tf.ones([40]), tf.zeros([40]), impl=impl).numpy()
    assert np.isnan(y[1]).all()
    np.testing.assert_array_equal(y[[0, 2]], 0)


@pytest.mark.parametrize("impl", ["native", "tensorflow"])
@pytest.mark.parametrize("dims", [[0, 4], [2, 0, 4]], ids=str)
def test_no_rows(impl, dims):
    y, dx, dscale, dbias = run(Case(np.zeros(dims), np.ones(4), np.zeros(4), np.zeros(dims)), impl)
    assert y.shape == dx.shape == tuple(dims)
    np.testing.assert_array_equal([dscale, dbias], np.zeros((2, 4)))


def test_the_log_says_once_that_plain_tensorflow_stands_in(caplog, monkeypatch):
    monkeypatch.setattr(backends, "_said", set())
    with caplog.at_level(logging.WARNING, logger="mmcore"):
        for _ in range(2):
            ops.layer_norm(tf.ones([2, 3], tf.float64), SCALE, BIAS)
    [record] = caplog.records
    assert "layer_norm runs in plain TensorFlow" in record.message and "float64" in record.message


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: ops.layer_norm(tf.ones([2, 3], tf.int32), SCALE, BIAS), TypeError, "found int32; cast it"),
        (lambda: ops.layer_norm(1.0, SCALE, BIAS), ValueError, r"expected x \[\.\.\., width\]"),
        (lambda: ops.layer_norm(tf.ones([2, 0]), SCALE, BIAS), ValueError, r"width of at least 1"),
        (
            lambda: ops.layer_norm(X, tf.ones([4]), BIAS),
            ValueError,
            r"scale \[3\], as wide as x, found \(4,\)",
        ),
        (
            lambda: ops.layer_norm(X, SCALE, tf.ones([1])),
            ValueError,
            r"bias \[3\], as wide as x, found \(1,\)",
        ),
        (lambda: ops.rms_norm(X, tf.ones([3], tf.int32)), TypeError, "scale of a float dtype, found int32"),
        (
            lambda: ops.rms_norm(X, SCALE, epsilon=-1.0),
            ValueError,
            "epsilon finite and at least 0, found -1.0",
        ),
        (lambda: ops.rms_norm(X, SCALE, epsilon=tf.constant(1.0)), TypeError, "epsilon a Python number"),
        (lambda: ops.rms_norm(X, SCALE, impl="cuda"), ValueError, "found 'cuda'"),
        (
            lambda: ops.rms_norm(tf.cast(X, tf.float64), SCALE, impl="native"),
            ValueError,
            "impl='native' cannot serve here: the kernel computes float32 and bfloat16",
        ),
    ],
)
def test_what_is_wrong_is_said(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("config", ["", "0 1 0 3", "897988541 1 0 2 0 1", "897988541 1 0 2 3 1 1"])
def test_a_call_with_a_foreign_config_fails_with_a_message(config):
    @tf.function(jit_compile=True)
    def call():
        return backends.xla_call("mmcore_norm_1", [X, SCALE, BIAS], config, [(X.dtype, X.shape)])

    with pytest.raises(tf.errors.InternalError, match="the options of an op are not what"):
        call()
