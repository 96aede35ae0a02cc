from __future__ import annotations

import logging
import subprocess
import sys
import textwrap

import attention_cases
import numpy as np
import pytest
import tensorflow as tf
from attention_cases import arrays, call, make, run

from mmcore import _load, ops
from mmcore.ops import backends

ALL = attention_cases.NAMES
Q, KV = tf.ones([2, 5, 4, 3]), tf.ones([2, 7, 2, 3])


def assert_equal(found, expected, **tolerance) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        if tolerance:
            np.testing.assert_allclose(*arrays([ours, theirs]), rtol=0, **tolerance)
        else:
            np.testing.assert_array_equal(*arrays([ours, theirs]))


def traced(case, impl="auto", *, jit_compile=False, unknown=False):
    """The results of `run` in a graph; the shapes may be unknown but for heads and their width."""
    names = {name: x for name, x in case.keywords().items() if isinstance(x, tf.Tensor)}
    pairs = {name: x for name, x in case.keywords().items() if isinstance(x, tuple)}
    rest = {name: x for name, x in case.keywords().items() if name not in names | pairs}
    inputs = [names, pairs, *case.tensors(), *case.bias()]

    def spec(x):
        shape = (
            [None, None, *x.shape[2:]] if x.dtype.is_floating and x.shape.rank == 4 else [None] * x.shape.rank
        )
        return tf.TensorSpec(shape if unknown else x.shape, x.dtype)

    def body(names, pairs, *tensors):
        return call(impl, {**names, **pairs, **rest}, *tensors)

    signature = tf.nest.map_structure(spec, inputs)
    return tf.function(body, input_signature=signature, jit_compile=jit_compile, autograph=False), inputs


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("names", [(), ("bias",), ALL], ids=["plain", "bias", "all"])
def test_eager_and_graph_and_jit_are_one(names, dtype):
    case = make(1, names=names, dtype=dtype)
    expected = run(case, "native")
    for impl in ("auto", "native"):
        assert_equal(run(case, impl), expected)
        for jit_compile in (False, True):
            function, inputs = traced(case, impl, jit_compile=jit_compile)
            assert_equal(function(*inputs), expected)


@pytest.mark.parametrize("names", [(), ALL], ids=["plain", "all"])
def test_a_graph_traced_for_itself_compiles_when_it_is_called_in_another(names):
    case = make(2, names=names)
    expected = run(case, "native")
    for unknown in (False, True):
        function, inputs = traced(case, unknown=unknown)
        assert_equal(function(*inputs), expected)
        outer = tf.function(lambda *x, f=function: [y + 0 for y in f(*x)], jit_compile=True, autograph=False)
        # Of unknown shapes XLA compiles the twin.
        assert_equal(outer(*inputs), expected, atol=5e-6)


@pytest.mark.parametrize("names", [(), ("bias",), ALL], ids=["plain", "bias", "all"])
@pytest.mark.parametrize("queries, keys", [(5, 7), (300, 310)])
def test_unknown_shapes(names, queries, keys):
    case = make(3, names=names, queries=queries, keys=keys)
    function, inputs = traced(case, unknown=True)
    assert_equal(function(*inputs), run(case, "native"))
    expected = run(case, "tensorflow")
    for jit_compile in (False, True):
        function, inputs = traced(case, "tensorflow", unknown=True, jit_compile=jit_compile)
        assert_equal(function(*inputs), expected, atol=1e-5)


@pytest.mark.parametrize("names", [(), ALL], ids=["plain", "all"])
def test_on_a_gpu_xla_calls_the_kernel_everywhere(names, monkeypatch):
    """What is placed on a GPU calls by the same names; here these find the kernels for CPUs."""
    case = make(7, names=names)
    expected = run(case, "native")
    monkeypatch.setattr(backends, "_accelerators", lambda: True)
    monkeypatch.setattr(backends, "_is_on_cpu", lambda x: False)
    monkeypatch.setattr(_load, "cuda_error", lambda: "")
    assert backends.choose([Q], "native", "attention", cuda_error=_load.cuda_error) == "own function"
    assert_equal(run(case, "native"), expected)
    for jit_compile in (False, True):
        function, inputs = traced(case, "native", jit_compile=jit_compile)
        assert_equal(function(*inputs), expected)
    assert ops.attention_impl()["on a GPU"] == "native: mmcore's kernel for GPUs, called by XLA"


def test_on_a_gpu_without_kernels_plain_tensorflow_serves(monkeypatch):
    monkeypatch.setattr(backends, "_accelerators", lambda: True)
    monkeypatch.setattr(backends, "_is_on_cpu", lambda x: False)
    monkeypatch.setattr(_load, "cuda_error", lambda: "built without")
    case = make(7)
    assert_equal(run(case, "auto"), run(case, "tensorflow"))
    with pytest.raises(ValueError, match=r"this call is not placed on one .*: built without; use impl="):
        run(case, "native")
    with pytest.raises(ValueError, match="there is none for GPUs; use impl="):
        ops.rms_norm(tf.ones([2, 3]), tf.ones([3]), impl="native")
    assert ops.attention_impl()["on a GPU"] == "tensorflow: built without"


def test_the_log_says_once_that_the_twin_stands_in(caplog, monkeypatch):
    monkeypatch.setattr(backends, "_said", set())
    function, inputs = traced(make(4), unknown=True, jit_compile=True)
    other, _ = traced(make(4, names=("is_causal",)), unknown=True, jit_compile=True)
    with caplog.at_level(logging.WARNING, logger="mmcore"):
        function(*inputs)
        other(*inputs)
        ops.attention(Q, KV, KV)
    [record] = caplog.records
    assert "plain TensorFlow" in record.message and "shapes" in record.message


def test_where_xla_cannot_call_the_kernel_the_twin_and_the_op_serve(monkeypatch):
    case = make(5, names=ALL)
    expected = run(case, "native")
    monkeypatch.setattr(backends, "xla_error", lambda: "this TensorFlow does not export it")
    for jit_compile in (False, True):
        function, inputs = traced(case, jit_compile=jit_compile)
        assert_equal(function(*inputs), expected, atol=5e-6)
    assert ops.attention_impl()["in jit_compile=True"] == "tensorflow: this TensorFlow does not export it"
    function, inputs = traced(case, "native", jit_compile=True)
    with pytest.raises(ValueError, match="does not export it; use impl='auto' or 'tensorflow'"):
        function(*inputs)


@pytest.mark.parametrize(
    "config", ["", "0 0 0 0 0", "0 0 1065353216 0 0 0 -1 1 1 1 1 1 0 0 0 0 0 0 0 0 0 0", "x" * 300]
)
def test_a_call_with_a_foreign_config_fails_with_a_message(config):
    @tf.function(jit_compile=True)
    def call():
        q = tf.ones([1, 1, 1, 1])
        results = [(q.dtype, q.shape), (q.dtype, tf.TensorShape([1, 1, 1]))]
        return backends.xla_call("mmcore_attention_1", [q, q, q], config, results)

    with pytest.raises(tf.errors.InternalError, match="the options of an op are not what"):
        call()


def test_attention_impl_names_the_kernel():
    found = ops.attention_impl()
    assert found["eagerly and in graphs"].startswith("native: ")
    assert found["in jit_compile=True"].startswith("native: ")


@pytest.mark.parametrize("jit_compile", [False, True])
def test_operands_in_other_layouts_reach_the_kernel_in_order(jit_compile):
    case = make(6)
    q, k, v, _ = case.tensors()

    @tf.function(jit_compile=jit_compile)
    def turned(q, k, v):
        q, k, v = tf.transpose(q, [3, 2, 0, 1]), tf.transpose(k, [1, 3, 2, 0]), tf.reverse(v, [1])
        return tf.transpose(ops.attention(q, k, v), [3, 1, 2, 0])

    found = turned(tf.transpose(q, [2, 3, 1, 0]), tf.transpose(k, [3, 0, 2, 1]), tf.reverse(v, [1]))
    np.testing.assert_array_equal(found, tf.transpose(ops.attention(q, k, v), [3, 1, 2, 0]))


def test_in_loops_and_in_a_dataset():
    q, k, v, _ = make(7).tensors()
    once = ops.attention(q, k, v)
    expected = ops.attention(once, k, v)

    def loop(q, k, v):
        return tf.while_loop(lambda i, _: i < 2, lambda i, x: (i + 1, ops.attention(x, k, v)), (0, q))[1]

    for jit_compile in (False, True):
        np.testing.assert_array_equal(tf.function(loop, jit_compile=jit_compile)(q, k, v), expected)
    dataset = tf.data.Dataset.from_tensors((q, k, v)).map(ops.attention)
    [found] = list(dataset)
    np.testing.assert_array_equal(found, once)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_recomputation_in_the_backward_pass(jit_compile):
    case = make(8)
    *_, dout = inputs = case.tensors()

    def gradients(q, k, v):
        with tf.GradientTape() as tape:
            tape.watch([q, k, v])
            out = tf.recompute_grad(ops.attention)(q, k, v)
        return tape.gradient(out, [q, k, v], output_gradients=dout)

    found = tf.function(gradients, jit_compile=jit_compile)(*inputs[:3])
    assert_equal(found, run(case, "native")[1:])


@pytest.mark.parametrize("impl", ["native", "tensorflow"])
@pytest.mark.parametrize("kind", ["eager", "graph", "jit"])
def test_second_derivatives_are_refused(impl, kind):
    def second():
        with tf.GradientTape() as outer:
            outer.watch(Q)
            with tf.GradientTape() as inner:
                inner.watch(Q)
                out = ops.attention(Q, KV, KV, impl=impl)
            gradient = inner.gradient(out, Q)
        return outer.gradient(gradient, Q)

    function = second if kind == "eager" else tf.function(second, jit_compile=kind == "jit", autograph=False)
    with pytest.raises(NotImplementedError, match="no second derivatives"):
        function()


SAVED = """
    import sys
    import numpy as np
    import tensorflow as tf
    import mmcore.ops
    folder = sys.argv[1]
    given = dict(np.load(folder + "/given.npz"))
    model = tf.saved_model.load(folder)
    for name in ("unknown", "known", "compiled"):
        found = getattr(model, name)(*(tf.constant(given[part]) for part in ("q", "k", "v", "mask")))
        np.testing.assert_array_equal(found, given["out"])
    print("same")
"""


def test_a_saved_model_of_unknown_batch_gives_the_same_in_another_process(tmp_path):
    case = make(9, queries=5, keys=7)
    q, k, v, _ = case.tensors()
    mask = tf.sequence_mask([4, 7], 7)
    specs = [tf.TensorSpec(x.shape, x.dtype) for x in (q, k, v, mask)]
    unknown = [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in (q, k, v, mask)]

    def attend(q, k, v, mask):
        return ops.attention(q, k, v, mask=mask, is_causal=True)

    model = tf.Module()
    model.unknown = tf.function(attend, input_signature=unknown)
    model.known = tf.function(attend, input_signature=specs)
    model.compiled = tf.function(attend, input_signature=specs, jit_compile=True)
    tf.saved_model.save(model, str(tmp_path))
    out = attend(q, k, v, mask)
    np.savez(tmp_path / "given.npz", q=q, k=k, v=v, mask=mask, out=out)
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SAVED), str(tmp_path)], capture_output=True, text=True
    )
    assert result.stdout.endswith("same\n"), result.stderr[-3000:]


MIRRORED = """
    import numpy as np
    import tensorflow as tf
    [cpu] = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    from mmcore import ops
    rng = np.random.default_rng(0)
    q, k, v = (tf.constant(rng.normal(size=s), tf.float32) for s in ([2, 5, 4, 3], [2, 7, 2, 3], [2, 7, 2, 3]))
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        scale = tf.Variable(tf.ones([3]))

    def step(q, k, v, scale):
        with tf.GradientTape() as tape:
            tape.watch(scale)
            out = ops.attention(q * scale, k, v, is_causal=True)
        return out, tape.gradient(out, scale)

    expected = [x.numpy() for x in step(q, k, v, tf.ones([3]))]
    for jit_compile in (False, True):
        inner = tf.function(step, jit_compile=True) if jit_compile else step
        # Compiled functions cannot read variables of a second logical CPU.
        replica = lambda *x: inner(*x, tf.convert_to_tensor(scale))
        out, gradient = tf.function(lambda *x: strategy.run(replica, args=x))(q, k, v)
        for found, wanted in zip((out, gradient), expected):
            for replica in strategy.experimental_local_results(found):
                np.testing.assert_allclose(replica, wanted, rtol=0, atol=1e-5)
    print("same")
"""


def test_replicas_of_a_mirrored_strategy_compute_the_same():
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(MIRRORED)], capture_output=True, text=True)
    assert result.stdout.endswith("same\n"), result.stderr[-3000:]


@pytest.mark.parametrize("impl", ["native", "tensorflow"])
def test_the_last_query_sees_as_far_as_the_last_key(impl):
    values = tf.reshape(tf.range(4.0), [1, 4, 1, 1])
    zeros = tf.zeros([1, 2, 1, 1])
    out = ops.attention(zeros, tf.zeros([1, 4, 1, 1]), values, is_causal=True, impl=impl)
    np.testing.assert_allclose(out[0, :, 0, 0], [1.0, 1.5], atol=1e-6)
    # Two queries more than keys: the first two stand before every key.
    out = ops.attention(tf.zeros([1, 6, 1, 1]), tf.zeros([1, 4, 1, 1]), values, is_causal=True, impl=impl)
    np.testing.assert_allclose(out[0, :, 0, 0], [0, 0, 0.0, 0.5, 1.0, 1.5], atol=1e-6)
    out = ops.attention(zeros, tf.zeros([1, 4, 1, 1]), values, window=2, impl=impl)
    np.testing.assert_allclose(out[0, :, 0, 0], [2.0, 2.5], atol=1e-6)


@pytest.mark.parametrize("impl", ["native", "tensorflow"])
def test_packed_sequences_do_not_see_each_other(impl):
    q, k, v, _ = make(10, queries=6, keys=6).tensors()
    ids = tf.constant([[1, 1, 2, 2, 2, 0]] * 2)
    packed = ops.attention(q, k, v, segment_ids=ids, impl=impl)
    for start, end in ((0, 2), (2, 5), (5, 6)):
        alone = ops.attention(*(x[:, start:end] for x in (q, k, v)), impl=impl)
        np.testing.assert_allclose(packed[:, start:end], alone, rtol=0, atol=1e-6)


def test_heads_share_keys_in_groups():
    q, k, v, _ = make(11, kv_heads=2, group=3).tensors()
    repeated = [tf.repeat(x, 3, axis=2) for x in (k, v)]
    np.testing.assert_allclose(ops.attention(q, k, v), ops.attention(q, *repeated), rtol=0, atol=1e-6)


def test_dropout_depends_on_the_seed_alone():
    case = make(12, queries=16, keys=16)
    q, k, v, _ = case.tensors()
    first, again, other = (
        ops.attention(q, k, v, dropout_rate=0.5, seed=tf.constant([1, s])) for s in (2, 2, 3)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-2
    np.testing.assert_array_equal(ops.attention(q, k, v, seed=tf.constant([1, 2])), ops.attention(q, k, v))


def test_a_mask_of_each_rank_means_the_same():
    q, k, v, _ = make(13).tensors()
    mask = tf.sequence_mask([3, 6], 7)
    wide = tf.broadcast_to(mask[:, None, None], [2, 4, 5, 7])
    expected = ops.attention(q, k, v, mask=mask)
    for same in (wide[:, 0], wide[:, :1], wide, mask[:, None, None]):
        np.testing.assert_array_equal(ops.attention(q, k, v, mask=same), expected)


BAD = [
    (
        {"k": tf.ones([2, 7, 3, 3]), "v": tf.ones([2, 7, 3, 3])},
        ValueError,
        "Hkv that divides H, found K=3, H=4, Hkv=3",
    ),
    (
        {"q": tf.ones([2, 5, 4, 0]), "k": tf.ones([2, 7, 2, 0]), "v": tf.ones([2, 7, 2, 0])},
        ValueError,
        "K of at least 1",
    ),
    ({"k": tf.ones([3, 7, 2, 3])}, ValueError, "with B and K of q"),
    ({"k": tf.ones([2, 7, 2, 5])}, ValueError, "with B and K of q"),
    ({"v": tf.ones([2, 6, 2, 3])}, ValueError, "k and v of one shape"),
    ({"q": tf.ones([2, 5, 12])}, ValueError, r"expected q \[B, length, heads, K\]"),
    ({"q": tf.ones([2, 5, 4, 3], tf.bfloat16)}, TypeError, "of one dtype"),
    ({"q": tf.ones([2, 5, 4, 3], tf.int32)}, TypeError, "of one dtype"),
    ({"mask": tf.ones([2, 7])}, TypeError, "mask of dtype bool, found float32"),
    ({"mask": tf.ones([7], tf.bool)}, ValueError, r"expected a mask \[B, S\]"),
    ({"mask": tf.ones([2, 5], tf.bool)}, ValueError, r"expected mask \[1 or B=2, 1 or H=4, 1 or T=5, S=7\]"),
    ({"mask": tf.ones([2, 3, 5, 7], tf.bool)}, ValueError, "expected mask"),
    ({"bias": tf.ones([2, 4, 5, 7], tf.bfloat16)}, TypeError, "bias of dtype float32"),
    ({"bias": tf.ones([5, 7])}, ValueError, "expected bias"),
    ({"bias": tf.ones([2, 4, 5, 1])}, ValueError, "expected bias"),
    ({"segment_ids": tf.ones([2, 5], tf.int32)}, ValueError, "where T and S differ, give a tuple"),
    ({"segment_ids": (tf.ones([2, 5], tf.int32),)}, ValueError, "a tuple of two, found a tuple of 1"),
    ({"segment_ids": (tf.ones([2, 5]), tf.ones([2, 7]))}, TypeError, "segment_ids of dtype int32"),
    ({"is_causal": 1}, TypeError, "expected is_causal True or False, found 1"),
    ({"window": 0}, ValueError, "window of at least 1"),
    ({"window": 2.0}, TypeError, "expected window an integer"),
    ({"scale": float("inf")}, ValueError, "expected scale finite"),
    ({"scale": 1e39}, ValueError, "expected scale finite"),
    ({"scale": tf.constant(1.0)}, TypeError, "expected scale a Python number"),
    ({"soft_cap": 0.0}, ValueError, "soft_cap above 0"),
    ({"soft_cap": float("nan")}, ValueError, "expected soft_cap finite"),
    ({"dropout_rate": 1.0}, ValueError, r"dropout_rate in \[0, 1\)"),
    ({"dropout_rate": -0.1}, ValueError, r"dropout_rate in \[0, 1\)"),
    ({"dropout_rate": 0.1}, ValueError, "dropout_rate=0.1 needs a seed"),
    ({"seed": tf.constant([1])}, ValueError, r"expected seed int32 \[2\]"),
    ({"seed": tf.constant([1, 2], tf.int64)}, TypeError, "seed of dtype int32"),
    ({"impl": "fast"}, ValueError, "expected impl 'auto', 'native' or 'tensorflow', found 'fast'"),
]


@pytest.mark.parametrize("changed, error, message", BAD, ids=[message for *_, message in BAD])
def test_what_is_wrong_is_refused(changed, error, message):
    with pytest.raises(error, match=message):
        ops.attention(**{"q": Q, "k": KV, "v": KV, **changed})


def test_native_is_refused_for_dtypes_that_it_does_not_know():
    wide = [tf.cast(x, tf.float64) for x in (Q, KV, KV)]
    with pytest.raises(ValueError, match="float32 and bfloat16, and the input is float64"):
        ops.attention(*wide, impl="native")


def test_unknown_heads_are_refused_when_traced():
    function = tf.function(ops.attention, input_signature=[tf.TensorSpec([2, 5, None, 3])] * 3)
    with pytest.raises(ValueError, match="heads and K known when traced"):
        function.get_concrete_function()


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"k": tf.ones([3, 7, 2, 3]), "v": tf.ones([3, 7, 2, 3])}, "k must be"),
        ({"v": tf.ones([2, 6, 2, 3])}, "v must be"),
        ({"mask": tf.ones([2, 6], tf.bool)}, "mask must be"),
        ({"bias": tf.ones([2, 3, 1, 7])}, "bias must be"),
    ],
)
def test_shapes_that_were_unknown_are_checked_when_run(changed, message):
    given = {
        "q": Q,
        "k": KV,
        "v": KV,
        "mask": tf.ones([2, 7], tf.bool),
        "bias": tf.ones([1, 4, 1, 7]),
        **changed,
    }
    specs = {
        name: tf.TensorSpec([None, None, *x.shape[2:]] if name in "qkv" else [None] * x.shape.rank, x.dtype)
        for name, x in given.items()
    }
    function = tf.function(lambda given: ops.attention(**given), input_signature=[specs], autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        function(given)
