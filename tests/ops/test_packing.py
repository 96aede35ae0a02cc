from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import data, ops
from mmcore.data import reference
from mmcore.data.packing import splits_of

LENGTHS = np.random.default_rng(0).integers(0, 12, 50)
SPLITS = splits_of(LENGTHS)
OPTIONS = [
    {"length": 12},
    {"length": 12, "rows": 10},
    {"length": 7, "rows": 60, "truncate": True, "max_segments": 2},
    {"length": 30, "longest_first": True},
]


def assert_equal(found, expected) -> None:
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("options", OPTIONS)
def test_it_equals_the_numpy_face_and_the_twin_bit_for_bit(options):
    values = np.arange(1, SPLITS[-1] + 1, dtype=np.int32)
    expected = data.pack(values, SPLITS, **options)
    assert_equal(ops.pack(values, SPLITS, **options), expected)
    assert_equal(ops.reference_pack(reference.pack, values, SPLITS, **options), expected)
    graph = tf.function(lambda v, s: ops.pack(v, s, **options))
    assert_equal(graph(values, SPLITS), expected)


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64, tf.float32, tf.bfloat16, tf.float16, tf.uint8])
@pytest.mark.parametrize("inner", [(), (3,), (2, 3), (0,)])
def test_every_dtype_and_rank(dtype, inner):
    values = tf.cast(
        np.arange(SPLITS[-1] * np.prod(inner, dtype=int)).reshape(SPLITS[-1], *inner) % 251, dtype
    )
    found = ops.pack(values, SPLITS, length=20)
    assert found.values.dtype == dtype
    assert_equal(found, data.pack(values.numpy(), SPLITS, length=20))


def test_shapes_are_static_where_rows_are_given():
    @tf.function(
        input_signature=[tf.TensorSpec([None, 4], tf.float32), tf.TensorSpec([None], tf.int64)],
        autograph=False,
    )
    def graph(values, splits):
        fixed = ops.pack(values, splits, length=12, rows=9)
        assert [x.shape.as_list() for x in fixed] == [[9, 12, 4], [9, 12], [9, 12], [None, 2]]
        free = ops.pack(values, splits, length=12)
        assert [x.shape.as_list() for x in free] == [[None, 12, 4], [None, 12], [None, 12], [None, 2]]
        return fixed

    assert graph(tf.zeros([5, 4]), tf.constant([0, 2, 5], tf.int64)).places.shape == (2, 2)


def test_it_works_in_a_dataset_of_ragged_batches():
    texts = tf.ragged.constant([[1, 2, 3], [4], [], [5, 6], [7, 8, 9], [1]], dtype=tf.int32)
    dataset = tf.data.Dataset.from_tensor_slices(texts).ragged_batch(3)
    dataset = dataset.map(lambda row: ops.pack(row.values, row.row_splits, length=4, rows=2))
    first, second = list(dataset)
    assert dataset.element_spec.values.shape == (2, 4)
    assert first.values.numpy().tolist() == [[1, 2, 3, 4], [0, 0, 0, 0]]
    assert second.segment_ids.numpy().tolist() == [[1, 1, 2, 0], [1, 1, 1, 0]]
    assert second.values.numpy().tolist() == [[5, 6, 1, 0], [7, 8, 9, 0]]


def test_no_sequences():
    for splits in (np.array([0], np.int64), np.array([0, 0], np.int64)):
        found = ops.pack(tf.zeros([0], tf.int32), splits, length=4)
        assert [x.shape.as_list() for x in found] == [[0, 4], [0, 4], [0, 4], [len(splits) - 1, 2]]
        assert ops.pack(tf.zeros([0], tf.int32), splits, length=4, rows=2).values.shape == (2, 4)


def test_it_is_saved_and_loaded(tmp_path):
    module = tf.Module()
    module.pack = tf.function(
        lambda v, s: ops.pack(v, s, length=4),
        input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.int64)],
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path)).pack(tf.range(5), tf.constant([0, 3, 5], tf.int64))
    assert_equal(loaded, data.pack(np.arange(5, dtype=np.int32), [0, 3, 5], length=4))


def test_wrong_arguments_are_errors():
    with pytest.raises(TypeError, match=r"expected values of dtype int32.*found string"):
        ops.pack(["a"], [0, 1], length=4)
    with pytest.raises(TypeError, match="expected row_splits of dtype int64, found float32"):
        ops.pack([1], [0.0, 1.0], length=4)
    with pytest.raises(ValueError, match=r"expected values \[N, \.\.\.\] of known rank"):
        ops.pack(3, [0, 1], length=4)
    with pytest.raises(ValueError, match="expected rows to be an integer from 1"):
        ops.pack([1], [0, 1], length=4, rows=0)
    with pytest.raises(ValueError, match="expected truncate to be True or False"):
        ops.pack([1], [0, 1], length=4, truncate=None)


def test_wrong_values_are_errors_when_run():
    with pytest.raises(tf.errors.InvalidArgumentError, match="sequence 0 has 3 values, more than length 2"):
        ops.pack([1, 2, 3], [0, 3], length=2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must begin with 0, found 1"):
        ops.pack([1, 2, 3], [1, 3], length=3)
    with pytest.raises(tf.errors.ResourceExhaustedError, match="larger than 1 TiB"):
        ops.pack([1], [0, 1], length=2**31 - 1, rows=2**31 - 1)
