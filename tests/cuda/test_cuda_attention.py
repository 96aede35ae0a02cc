from __future__ import annotations

import ctypes
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cuda_cases import Gpu, Host, problem_of, run, stored, wrong
from cuda_library import Attention, Library
from cuda_oracle import Case, draw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
CASES = [
    Case(),
    Case(queries=1, keys=1, head_dim=1),
    Case(keys=0),
    Case(queries=0, bias="h"),
    Case(queries=70, keys=45, head_dim=64, causal=True),  # The first 25 queries see nothing.
    Case(batch=2, queries=37, keys=133, heads=2, head_dim=40, window=9, mask="h"),
    Case(batch=1, queries=140, keys=140, heads=1, kv_heads=1, window=2),  # Tiles of which one row remains.
    Case(batch=1, queries=130, keys=77, heads=2, kv_heads=1, head_dim=64, bias="hq", scale=-0.2),
    Case(batch=1, queries=77, keys=77, heads=2, head_dim=80, segments=True, causal=True, dropout_rate=0.2),
    Case(
        batch=1, queries=20, keys=70, heads=3, kv_heads=1, head_dim=128, bias="bhq", soft_cap=2.0, padding=8
    ),
    Case(queries=9, keys=35, head_dim=5, bias="", mask="bhq", padding=2),
    Case(queries=66, keys=34, heads=2, kv_heads=2, head_dim=96, bias="b", mask="h"),
]


@pytest.fixture(scope="session")
def emulated(tmp_path_factory) -> Library:
    """The kernels on the CPU: csrc/cuda/device_emulated.h."""
    candidates = [os.environ.get("CXX"), "c++", "g++"]
    compiler = next((name for name in candidates if name and shutil.which(name)), None)
    if compiler is None:
        pytest.skip("needs a C++ compiler: $CXX, c++ or g++")
    library = tmp_path_factory.mktemp("cuda") / "emulated.so"
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
    flags = ["-std=c++17", "-O1", "-fno-strict-aliasing", "-fPIC", "-shared", *warnings]
    sources = [f"-I{ROOT / 'csrc'}", str(ROOT / "csrc/cuda/emulated.cc")]
    subprocess.run([compiler, *flags, *sources, "-o", str(library)], check=True)
    return Library(library)


@pytest.fixture(scope="session")
def gpu() -> Library:
    path = ROOT / "mmcore" / "_cuda.so"
    torch = pytest.importorskip("torch", reason="needs PyTorch, for memory of the GPU")
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    if not path.exists():
        pytest.skip("needs the library: MMCORE_CUDA=1 python setup.py build_ext --inplace")
    return Library(path)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("number", range(len(CASES)))
def test_emulated_kernels_agree_with_the_definition(emulated, number, dtype):
    case = Case(**{**vars(CASES[number]), "dtype": dtype})
    assert not wrong(emulated, case, Host())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("number", range(len(CASES)))
def test_kernels_agree_with_the_definition_on_the_gpu(gpu, number, dtype):
    case = Case(**{**vars(CASES[number]), "dtype": dtype})
    assert not wrong(gpu, case, Gpu())


@st.composite
def cases(draw_one) -> Case:
    def one(*values):
        return draw_one(st.sampled_from(values))

    kv_heads = one(1, 2)
    return Case(
        batch=one(1, 2),
        queries=one(1, 3, 16, 31, 64, 65, 100, 130),
        keys=one(1, 2, 15, 16, 33, 64, 70, 129),
        heads=kv_heads * one(1, 2, 3),
        kv_heads=kv_heads,
        head_dim=one(1, 4, 7, 8, 24, 32, 40, 64, 72, 80, 96, 112, 128),
        dtype=one("float32", "bfloat16", "float16"),
        scale=one(0.1, 0.3, -0.2, 1.0),
        soft_cap=one(0.0, 3.0),
        causal=one(False, True),
        window=one(0, 1, 5, 40, 1000),
        mask=one(None, "b", "bq", "bhq", "h", ""),
        bias=one(None, "bhq", "hq", "h", "", "b", "q"),
        segments=one(False, True),
        dropout_rate=one(0.0, 0.1, 0.9),
        padding=one(0, 8, 3),
        seed=(draw_one(st.integers(0, 2**32 - 1)), draw_one(st.integers(0, 2**32 - 1))),
    )


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases(), seed=st.integers(0, 1000))
def test_emulated_kernels_agree_with_the_definition_whatever_is_asked(emulated, case, seed):
    assert not wrong(emulated, case, Host(), seed)


def test_the_definition_would_notice_wrong_numbers(emulated):
    case = Case(dtype="bfloat16", causal=True)
    data = draw(case)
    found = run(emulated, case, data, Host())
    from cuda_cases import errors

    assert all(off <= allowed for off, allowed in errors(case, data, found).values())
    for name in found:
        changed = {**found, name: found[name] * np.float32(1.05) + np.float32(0.02)}
        off, allowed = errors(case, data, changed)[name]
        assert off > allowed, name


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"dtype": 3}, "dtype is 0"),
        ({"batch": -1}, "sizes are not negative, found -1"),
        ({"kv_heads": 3}, "multiple of kv_heads, not 4 of 3"),
        ({"head_dim": 129}, "head_dim is 1 to 128 on a GPU, not 129"),
        ({"batch": 65536}, "at most 65535"),
        ({"dropout_rate": 1.0}, "below 1, not 1"),
        ({"soft_cap": -1.0}, "soft_cap is positive"),
        ({"window": -2}, "window is positive"),
        ({"key_segments": 16}, "for queries and keys or for neither"),
    ],
)
def test_what_is_wrong_is_said(emulated, change, sentence):
    case = Case()
    arrays = {name: stored(x, case.dtype) for name, x in draw(case).items() if name in ("q", "k", "v")}
    problem = problem_of(case, {**arrays, "out": np.zeros_like(arrays["q"])})
    for name, value in change.items():
        setattr(problem, name, value)
    with pytest.raises(ValueError, match=sentence):
        emulated.forward(problem)


def test_missing_tensors_are_named(emulated):
    problem = Attention(batch=1, queries=1, keys=1, heads=1, kv_heads=1, head_dim=8)
    with pytest.raises(ValueError, match="q, k and v are needed"):
        emulated.forward(problem)
    arrays = {name: np.zeros((1, 1, 1, 8), np.float32) for name in ("q", "k", "v")}
    problem = problem_of(Case(batch=1, queries=1, keys=1, heads=1, kv_heads=1), arrays)
    with pytest.raises(ValueError, match="all elements of out are needed"):
        emulated.forward(problem)
    with pytest.raises(ValueError, match="out and dout are needed"):
        emulated.backward(problem)


def bits(x: float) -> int:
    return struct.unpack("I", struct.pack("f", x))[0]


def call_xla(library: Library, name: str, buffers: list[np.ndarray], text: str) -> list[str]:
    """What the handler reports as failures."""
    messages: list[str] = []
    callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
    report = callback(lambda _, message: messages.append(message.decode()))
    functions = library._library
    functions.mmcore_cuda_xla_on_failure(report)
    pointers = (ctypes.c_void_p * len(buffers))(*(buffer.ctypes.data for buffer in buffers))
    encoded = text.encode()
    getattr(functions, name)(None, pointers, encoded, ctypes.c_size_t(len(encoded)), None)
    return messages


def test_xla_handlers_read_the_text_and_buffers_of_the_call(emulated):
    case = Case(queries=9, keys=11, heads=4, kv_heads=2, causal=True, window=6, soft_cap=3.0, dropout_rate=0.25,
                mask="b", bias="hq", segments=True)  # fmt: skip
    data = draw(case)
    expected = run(emulated, case, data, Host())
    options = [1, 6, bits(case.scale), bits(case.soft_cap), bits(case.dropout_rate)]
    sizes = [case.batch, case.queries, case.keys, case.heads, case.kv_heads, case.head_dim]
    text = " ".join(str(number) for number in [*options, 0, *sizes, *(1, 1, 0, 0), *(1, 0, 1, 1), 1, 1])
    names = ("q", "k", "v", "mask", "bias", "query_segments", "key_segments")
    inputs = [
        np.ascontiguousarray(data[name] if name in names[3:] else stored(data[name], "float32"))
        for name in names
    ]
    inputs.append(np.array(case.seed, np.uint32))
    out, lse = np.zeros_like(inputs[0]), np.zeros((case.batch, case.heads, case.queries), np.float32)
    assert call_xla(emulated, "mmcore_cuda_xla_attention", [*inputs, out, lse], text) == []
    np.testing.assert_array_equal(out, expected["out"])
    gradients = [np.zeros_like(inputs[i]) for i in (0, 1, 2, 4)]
    dout = stored(data["dout"], "float32")
    buffers = [*inputs, out, lse, dout, *gradients]
    assert call_xla(emulated, "mmcore_cuda_xla_attention_grad", buffers, text) == []
    for name, found in zip(("dq", "dk", "dv", "dbias"), gradients, strict=True):
        np.testing.assert_array_equal(found, expected[name], err_msg=name)
    [message] = call_xla(emulated, "mmcore_cuda_xla_attention", [*inputs, out, lse], text + " 1")
    assert "differ in version" in message
    [message] = call_xla(emulated, "mmcore_cuda_xla_attention", [*inputs, out, lse], text[:-1] + "0")
    assert "needs a seed" in message


REGISTER = """
import ctypes, sys
from mmcore import _load
assert _load.xla_error() == ""
library = ctypes.CDLL(str(_load.Path(_load.__file__).with_name("_kernels.so")))
library.MmcoreCudaError.restype = ctypes.c_char_p
print(library.MmcoreCudaError(sys.argv[1].encode()).decode())
"""


def test_xla_takes_the_handlers_for_gpus(emulated):
    pytest.importorskip("tensorflow")
    for path, expected in (
        (emulated.path, ""),
        ("/nowhere/_cuda.so", "mmcore's GPU kernels do not load: /nowhere/_cuda.so"),
        (ROOT / "mmcore" / "libmmcore.so", "holds no GPU kernels of this version of mmcore; build it again"),
    ):
        found = subprocess.run(
            [sys.executable, "-c", REGISTER, str(path)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stderr[-2000:]
        assert expected in found.stdout and (expected or not found.stdout.strip())
