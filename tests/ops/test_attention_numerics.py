from __future__ import annotations

import attention_cases
import attention_oracle
import instruction_sets
import numpy as np
import pytest
import tensorflow as tf
from attention_cases import arrays, make, run
from hypothesis import given, settings

import mmcore
from mmcore import _load, ops

IMPLS = ("native", "tensorflow")
LONG = [
    {"queries": 197, "keys": 197, "head_dim": 64, "group": 1},
    {"queries": 300, "keys": 300, "head_dim": 17, "names": ("is_causal", "mask")},
    {"queries": 9, "keys": 1100, "head_dim": 32, "batch": 1, "names": ("bias",)},
    {"queries": 700, "keys": 700, "head_dim": 16, "batch": 1, "kv_heads": 1, "names": ("window", "soft_cap")},
    {
        "queries": 520,
        "keys": 600,
        "head_dim": 8,
        "batch": 1,
        "kv_heads": 1,
        "names": ("segment_ids", "bias", "dropout_rate"),
    },
]


@pytest.mark.parametrize("impl", IMPLS)
@settings(max_examples=60, deadline=None)
@given(case=attention_cases.cases)
def test_errors_are_at_most_twice_those_of_plain_tensorflow(impl, case):
    attention_oracle.check(arrays(run(case, impl)), case)


@pytest.mark.parametrize("impl", IMPLS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("sizes", LONG, ids=lambda sizes: f"{sizes['queries']}x{sizes['keys']}")
def test_long_sequences_are_as_exact(impl, dtype, sizes):
    case = make(3, dtype=dtype, **sizes)
    attention_oracle.check(arrays(run(case, impl)), case, strict=True)


@pytest.mark.parametrize("impl", IMPLS)
@pytest.mark.parametrize("name", attention_cases.NAMES)
def test_each_option_changes_the_result_as_the_oracle_says(impl, name):
    case, without = make(1, names=(name,)), make(1)
    for part in ("q", "k", "v", "dout"):
        setattr(without, part, getattr(case, part))
    attention_oracle.check(arrays(run(case, impl)), case)
    assert np.abs(arrays(run(case, impl))[0] - arrays(run(without, impl))[0]).max() > 1e-3


@pytest.mark.parametrize("impl", IMPLS)
def test_gradients_are_the_slopes_of_the_result(impl):
    case = make(2, queries=3, keys=4, names=("mask", "bias", "soft_cap", "dropout_rate"))
    keywords = case.keywords()
    *inputs, dout = case.tensors()
    inputs += case.bias()
    gradients = run(case, impl)[1:]
    rng = np.random.default_rng(0)

    def total(q, k, v, bias) -> float:
        return float(np.float64(ops.attention(q, k, v, bias=bias, impl=impl, **keywords) * dout).sum())

    for at, gradient in enumerate(gradients):
        way = rng.normal(size=gradient.shape).astype("float32")
        there, back = (
            [x + sign * 1e-2 * way if i == at else x for i, x in enumerate(inputs)] for sign in (1, -1)
        )
        slope = (total(*there) - total(*back)) / 2e-2
        np.testing.assert_allclose(slope, np.sum(np.float64(gradient) * way), rtol=2e-3, atol=2e-3)


def test_float16_and_float64_run_in_plain_tensorflow():
    case = make(4, names=("bias", "mask"))
    q, k, v, _ = (tf.cast(x, tf.float64) for x in case.tensors())
    expected, _ = attention_oracle.oracle(case)
    out = ops.attention(q, k, v, bias=case.bias()[0], **case.keywords())
    assert out.dtype == tf.float64
    np.testing.assert_allclose(out, expected[0], rtol=0, atol=1e-7)  # the scale is a float32
    half = ops.attention(*(tf.cast(x, tf.float16) for x in (q, k, v)), bias=case.bias()[0], **case.keywords())
    assert half.dtype == tf.float16
    np.testing.assert_allclose(np.float64(half), expected[0], rtol=0, atol=5e-3)


@pytest.mark.parametrize("impl", IMPLS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_query_that_sees_nothing_gives_zeros_and_takes_no_gradient(impl, dtype):
    case = make(5, names=("bias", "soft_cap", "dropout_rate"), dtype=dtype)
    mask = np.ones((2, 5, 7), bool)
    mask[0, 2], mask[1] = False, False
    case.options["mask"] = mask
    out, dq, dk, dv, dbias = arrays(run(case, impl))
    for x in (out, dq):
        assert (x[0, 2] == 0).all() and (x[1] == 0).all() and (x[0, 1] != 0).any()
    for x in (dk, dv):
        assert (x[1] == 0).all() and (x[0] != 0).any()
    assert np.isfinite(dbias).all()


@pytest.mark.parametrize("impl", IMPLS)
def test_a_bias_of_minus_infinity_hides_a_key(impl):
    case, other = make(6, names=("bias",)), make(6, names=("bias",))
    bias = np.zeros((2, 1, 5, 7), np.float32)
    mask = np.ones((2, 1, 5, 7), bool)
    mask[0, 0, :, 3], mask[1, 0, 4] = False, False
    case.options = {"bias": np.where(mask, bias, -np.inf).astype("float32")}
    other.options = {"bias": bias, "mask": mask}
    for found, expected in zip(run(case, impl), run(other, impl), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("impl", IMPLS)
def test_nan_in_a_query_stays_in_its_row_and_nan_in_a_key_is_not_hidden(impl):
    q, k, v, _ = make(7).tensors()
    clean = ops.attention(q, k, v, impl=impl).numpy()
    at = tf.reshape(tf.one_hot(2, 5), [1, 5, 1, 1]) > 0
    found = ops.attention(tf.where(at, np.nan, q), k, v, impl=impl).numpy()
    assert np.isnan(found[:, 2]).all()
    np.testing.assert_array_equal(np.delete(found, 2, 1), np.delete(clean, 2, 1))
    at = tf.reshape(tf.one_hot(2, 7), [1, 7, 1, 1]) > 0
    assert np.isnan(ops.attention(q, tf.where(at, np.nan, k), v, impl=impl)).all()
    assert np.isnan(ops.attention(q, k, tf.where(at, np.nan, v), impl=impl)).all()


@pytest.mark.parametrize("impl", IMPLS)
def test_large_scores_do_not_overflow(impl):
    q = tf.constant([[[[300.0]], [[-300.0]]]])
    k, v = tf.constant([[[[200.0]], [[-200.0]]]]), tf.constant([[[[1.0]], [[2.0]]]])
    np.testing.assert_array_equal(ops.attention(q, k, v, impl=impl)[0, :, 0, 0], [1.0, 2.0])


@pytest.mark.parametrize("impl", IMPLS)
@pytest.mark.parametrize("batch, queries, keys", [(0, 3, 4), (2, 0, 4), (2, 3, 0), (0, 0, 0)])
@pytest.mark.parametrize("names", [(), ("mask", "bias", "segment_ids", "dropout_rate", "is_causal")])
def test_empty_sizes_give_zeros(impl, batch, queries, keys, names):
    case = make(8, batch=batch, queries=queries, keys=keys, names=names)
    inputs = [case.q, case.k, case.v, *([case.options["bias"]] if "bias" in names else [])]
    for found, shape in zip(run(case, impl), [case.q.shape, *(x.shape for x in inputs)], strict=True):
        np.testing.assert_array_equal(found, np.zeros(shape, np.float32))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_any_number_of_threads_gives_the_same_bits(dtype):
    before = _load.native().num_threads()
    names = ("mask", "bias", "soft_cap", "dropout_rate")
    some = [
        make(9, queries=77, keys=77, head_dim=32, batch=3, dtype=dtype, names=names),
        make(9, queries=260, keys=600, head_dim=16, batch=1, dtype=dtype, names=("is_causal", "bias")),
    ]
    try:
        for case in some:
            results = []
            for threads in (1, 2, 4, 16):
                mmcore.set_num_threads(threads)
                results.append(arrays(run(case, "native")))
            for other in results[1:]:
                for found, expected in zip(other, results[0], strict=True):
                    np.testing.assert_array_equal(found, expected)
    finally:
        mmcore.set_num_threads(before)


ISA_SCRIPT = """

import attention_oracle
from attention_cases import NAMES, arrays, make, run
from mmcore import _load
print(_load.native().active_isa())
pool = attention_oracle.Pool()
for seed in range(80):
    names = tuple(name for i, name in enumerate(NAMES) if seed >> (i % 5) & 1)
    case = make(seed, queries=1 + seed * 7 % 40, keys=1 + seed * 11 % 40, head_dim=1 + seed * 5 % 70, names=names,
                dtype=["float32", "bfloat16"][seed % 2])
    found = arrays(run(case, "native"))
    attention_oracle.check(found, case)
    pool.add(found, case)
pool.check()
"""


@pytest.mark.parametrize("isa", instruction_sets.NAMES)
def test_every_instruction_set_is_as_exact(isa):
    instruction_sets.run_with(isa, ISA_SCRIPT)
