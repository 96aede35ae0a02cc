from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn, weights
from mmcore.errors import FormatError, LimitError

ARRAYS = {
    "text.kernel": np.arange(6, dtype="float32").reshape(2, 3),
    "image.0.bias": np.zeros([0], "float32"),
    "step": np.asarray(7, "int64"),
    "transposed": np.arange(6, dtype="float64").reshape(2, 3).T,
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def header(text: bytes, rest: bytes = b"") -> bytes:
    return len(text).to_bytes(8, "little") + text + rest


def test_round_trip_keeps_values_shapes_dtypes_and_metadata(path):
    weights.write_weights(path, ARRAYS, {"format": "1"})
    found = weights.read_weights(path)
    assert set(found) == set(ARRAYS)
    for name, value in ARRAYS.items():
        assert found[name].dtype == value.dtype and found[name].shape == value.shape
        np.testing.assert_array_equal(found[name], value)
    assert weights.read_metadata(path) == {"format": "1"}


def test_equal_arrays_give_equal_bytes_in_any_order():
    assert weights.serialize(ARRAYS) == weights.serialize(dict(reversed(ARRAYS.items())))


def test_file_is_readable_by_safetensors(path):
    safetensors_numpy = pytest.importorskip("safetensors.numpy")
    weights.write_weights(path, ARRAYS)
    np.testing.assert_array_equal(safetensors_numpy.load_file(path)["transposed"], ARRAYS["transposed"])


@pytest.mark.parametrize("size", [0, 4, 8, 40, -1])
def test_truncated_file(path, size):
    weights.write_weights(path, ARRAYS)
    os.truncate(path, size if size >= 0 else path.stat().st_size - 1)
    with pytest.raises(FormatError, match=r"model\.safetensors is not a"):
        weights.read_weights(path)


@pytest.mark.parametrize(
    "data",
    [
        header(b"[]"),
        header(b"{"),
        header(b"[" * 100_000),
        header(b'{"__metadata__": 3}'),
        header(b'{"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]}}', b"\0" * 8),
        header(b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}}', b"\0" * 16),
        header(b'{"a": {"dtype": "XYZ", "shape": [2], "data_offsets": [0, 8]}}', b"\0" * 8),
        header(b'{"a": 5}'),
        header(b"\xff\xfe"),
    ],
)
def test_malformed_file(path, data):
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"model\.safetensors is not a"):
        weights.read_weights(path)


def test_limits(path):
    path.write_bytes((2**60).to_bytes(8, "little") + b"x" * 100)
    with pytest.raises(LimitError, match="max_header_bytes=25000000"):
        weights.read_weights(path)
    weights.write_weights(path, ARRAYS)
    with pytest.raises(LimitError, match="4 tensors, more than max_tensors=3"):
        weights.read_weights(path, max_tensors=3)


def test_load_into_assigns_and_casts():
    layer = nn.Linear(2, 3)
    arrays = {"kernel": ARRAYS["text.kernel"].astype("float64"), "bias": np.ones(3, "float32")}
    assert not weights.load_into(nn.variables_by_path(layer), arrays)
    np.testing.assert_array_equal(layer.kernel, ARRAYS["text.kernel"])
    np.testing.assert_array_equal(layer.bias, np.ones(3))


def test_load_into_strict_names_differences_and_assigns_nothing():
    layer = nn.Linear(2, 3)
    before = layer.kernel.numpy()
    arrays = {"kernel": np.ones((2, 3), "float32"), "scale": np.ones(3, "float32")}
    with pytest.raises(ValueError, match="1 missing: bias; 1 unexpected: scale; pass strict=False"):
        weights.load_into(nn.variables_by_path(layer), arrays)
    np.testing.assert_array_equal(layer.kernel, before)
    report = weights.load_into(nn.variables_by_path(layer), arrays, strict=False)
    assert report.missing == ("bias",) and report.unexpected == ("scale",)
    np.testing.assert_array_equal(layer.kernel, np.ones((2, 3)))


def test_load_into_refuses_other_shapes_always():
    layer = nn.Linear(2, 3)
    before = layer.bias.numpy()
    with pytest.raises(ValueError, match=r"1 of another shape: kernel \(expected \[2, 3\], found \[3, 2\]\)"):
        weights.load_into(
            nn.variables_by_path(layer), {"kernel": np.ones((3, 2)), "bias": np.ones(3)}, strict=False
        )
    np.testing.assert_array_equal(layer.bias, before)


def test_long_lists_are_shortened():
    report = weights.compare({f"layers.{i}": () for i in range(20)}, {})
    assert str(report).endswith("layers.7 and 12 more")


def test_bfloat16_reads_as_tensorflow_has_it(path):
    value = tf.cast([1.5, -2.0], tf.bfloat16).numpy()
    weights.write_weights(path, {"kernel": value})
    variable = tf.Variable([0.0, 0.0])
    weights.load_into({"kernel": variable}, weights.read_weights(path))
    np.testing.assert_array_equal(variable, [1.5, -2.0])
