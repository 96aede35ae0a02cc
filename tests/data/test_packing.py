from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore import data
from mmcore.data import reference
from mmcore.data.packing import splits_of


def ragged(lengths) -> tuple[np.ndarray, np.ndarray]:
    splits = splits_of(lengths)
    return np.arange(1, splits[-1] + 1, dtype=np.int32), splits


def assert_is_the_twin(lengths, **options) -> None:
    values, splits = ragged(lengths)
    found = data.pack(values, splits, **options)
    expected = reference.pack(values.tolist(), splits.tolist(), **options)
    for name, array, cells in zip(found._fields, found, expected, strict=True):
        assert array.dtype == np.int32 and array.flags["C_CONTIGUOUS"]
        assert array.tolist() == cells, name


@settings(max_examples=300, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 9), max_size=40),
    rows=st.none() | st.integers(1, 12),
    max_segments=st.none() | st.integers(1, 4),
    longest_first=st.booleans(),
)
def test_rows_are_those_of_the_plain_twin(lengths, rows, max_segments, longest_first):
    options = {"rows": rows, "max_segments": max_segments, "longest_first": longest_first}
    assert_is_the_twin(lengths, length=9, **options)
    assert_is_the_twin(lengths, length=5, truncate=True, **options)


@pytest.mark.parametrize(
    "lengths", [[], [0], [0, 0, 0], [1], [7], [7, 7, 7], [0, 7, 0, 1, 6, 0], [1] * 7, [4, 4, 3, 3]]
)
@pytest.mark.parametrize("rows", [None, 1, 3])
@pytest.mark.parametrize("longest_first", [False, True])
def test_edges(lengths, rows, longest_first):
    assert_is_the_twin(lengths, length=7, rows=rows, longest_first=longest_first)


def test_many_sequences_equal_the_twin():
    lengths = np.random.default_rng(0).geometric(1 / 12, 1500).clip(max=40)
    for longest_first in (False, True):
        assert_is_the_twin(lengths, length=40, longest_first=longest_first)


def test_every_value_stands_in_exactly_one_place():
    lengths = np.random.default_rng(1).integers(0, 30, 5000)
    values, splits = ragged(lengths)
    packed = data.pack(values, splits, length=64)
    np.testing.assert_array_equal(np.sort(packed.values[packed.segment_ids > 0]), values)
    assert (packed.segment_ids > 0).mean() > 0.98
    row, segment = packed.places[np.flatnonzero(lengths)[-1]]
    np.testing.assert_array_equal(
        packed.values[row][packed.segment_ids[row] == segment], values[-lengths[lengths > 0][-1] :]
    )


def test_left_over_sequences_change_nothing_for_the_others():
    values, splits = ragged([5, 4, 3, 5, 0, 2])
    packed = data.pack(values, splits, length=6, rows=2)
    assert packed.left_over().tolist() == [False, False, True, True, False, False]
    assert packed.placed().tolist() == [True, True, False, False, False, True]
    assert packed.places[4].tolist() == [-1, 0]
    kept = data.pack(*ragged([5, 4, 0, 0, 0, 2]), length=6, rows=2)
    np.testing.assert_array_equal(packed.places[packed.placed()], kept.places[kept.placed()])


def test_longest_first_fills_better_and_keeps_the_order_within_rows():
    lengths = [3, 3, 3, 6, 6, 6]
    values, splits = ragged(lengths)
    assert len(data.pack(values, splits, length=9).values) == 4
    packed = data.pack(values, splits, length=9, longest_first=True)
    assert packed.places.tolist() == [[0, 1], [1, 1], [2, 1], [0, 2], [1, 2], [2, 2]]


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64, np.complex128, bool])
def test_values_may_be_vectors_of_any_number(dtype):
    values, splits = ragged([3, 2, 4])
    index = data.pack(values, splits, length=5).values
    vectors = np.arange(1, 55).reshape(9, 2, 3).astype(dtype)
    packed = data.pack(vectors, splits, length=5)
    expected = np.concatenate([np.zeros((1, 2, 3), dtype), vectors])[index]
    assert packed.values.dtype == dtype
    np.testing.assert_array_equal(packed.values, expected)


def test_values_without_elements_and_strided_ones():
    assert data.pack(np.zeros((4, 0)), [0, 4], length=5).values.shape == (1, 5, 0)
    values, splits = ragged([2, 2])
    strided = np.repeat(values, 2)[::2]
    np.testing.assert_array_equal(
        data.pack(strided, splits, length=3).values, data.pack(values, splits, length=3).values
    )


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ([], "at least one element"),
        ([1, 4], "must begin with 0, found 1"),
        ([0, 3, 2, 4], "must not fall, found 2 after 3 at index 2"),
        ([0, 3], r"must end with the number of values, 4, found 3"),
        ([0, 2**62], "must end with the number of values"),
        ([0, -(2**63), 4], "must not fall"),
        ([[0, 4]], r"row_splits \[B \+ 1\]"),
    ],
)
def test_wrong_splits_are_errors(splits, message):
    with pytest.raises(ValueError, match=message):
        data.pack(np.zeros(4, np.int32), splits, length=9)


def test_a_long_sequence_is_an_error_that_says_which():
    values, splits = ragged([2, 6, 5])
    with pytest.raises(ValueError, match=r"sequence 1 has 6 values, more than length 5; .* truncate=True"):
        data.pack(values, splits, length=5)
    assert data.pack(values, splits, length=5, truncate=True).values.tolist()[1] == [3, 4, 5, 6, 7]


@pytest.mark.parametrize("name", ["length", "rows", "max_segments"])
@pytest.mark.parametrize("size", [0, -1, 2**31, 1.5, True, "3"])
def test_wrong_sizes_are_errors(name, size):
    with pytest.raises(ValueError, match=f"expected {name} to be an integer from 1 to 2\\^31 - 1, found"):
        data.pack([1], [0, 1], **{"length": 4, name: size})
    with pytest.raises(ValueError, match="expected length"):
        data.pack([1], [0, 1], length=None)


def test_wrong_dtypes_are_errors():
    with pytest.raises(TypeError, match="expected values of a number dtype"):
        data.pack(["a red square"], [0, 1], length=4)
    with pytest.raises(TypeError, match="expected integer row_splits, found float64"):
        data.pack([1], [0.0, 1.0], length=4)
    with pytest.raises(ValueError, match=r"expected values \[N, \.\.\.\]"):
        data.pack(np.int32(3), [0, 1], length=4)
