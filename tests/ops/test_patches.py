from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from image_processors import SIZES, picture

from mmcore import ops
from mmcore.image import PatchPreprocessor, pack_patches

PRE = PatchPreprocessor(patch_size=5, max_patches=14, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))
PICTURES = [picture(*size) for size in SIZES]
FILES = [tf.io.encode_png(image).numpy() for image in PICTURES] + [tf.io.encode_jpeg(PICTURES[0]).numpy()]


def assert_equal(got, want):
    for one, other in zip(got, want, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "uint8"])
def test_equals_the_numpy_face_and_the_twin_bit_for_bit(dtype):
    pre = PatchPreprocessor(patch_size=6, max_patches=11, dtype=dtype, resize="bicubic")
    for image in PICTURES:
        got = ops.image_patches(pre, image)
        assert_equal(got, [part[0] for part in pre([image])])
        assert_equal(got, ops.reference_image_patches(pre, image))
    batch = np.stack([PICTURES[2], PICTURES[2][::-1]])
    assert_equal(ops.image_patches(pre, batch), pre(list(batch)))
    assert ops.image_patches(pre, tf.zeros([0, 3, 4, 3], tf.uint8)).patches.shape == [0, 11, 108]


def test_files_equal_the_numpy_face():
    assert_equal(ops.preprocess_patches(PRE, FILES), PRE(FILES))
    assert_equal(ops.preprocess_patches(PRE, FILES[0]), [part[0] for part in PRE(FILES[:1])])


@pytest.mark.parametrize("length", [14, 20, 33, 200])
def test_packing_equals_the_numpy_face(length):
    batch = PRE(PICTURES)
    got = ops.pack_patches(ops.PatchTensors(*map(tf.constant, batch)), length)
    assert_equal(got, pack_patches(batch, length))


def test_packing_nothing():
    empty = ops.PatchTensors(*map(tf.constant, PRE([])))
    assert ops.pack_patches(empty, 20).patches.shape == [0, 20, 75]


def test_dataset_of_files_to_packed_rows_in_static_shapes():
    dataset = tf.data.Dataset.from_tensor_slices(FILES)
    dataset = dataset.map(lambda file: ops.preprocess_patches(PRE, file), num_parallel_calls=2).batch(4)
    dataset = dataset.map(lambda batch: ops.pack_patches(batch, 40))
    assert dataset.element_spec.patches.shape.as_list() == [None, 40, 75]
    assert dataset.element_spec.positions.shape.as_list() == [None, 40, 2]
    got = list(dataset)
    assert len(got) == 3
    for i, packed in enumerate(got):
        assert_equal(packed, pack_patches(PRE(FILES[4 * i : 4 * i + 4]), 40))


def test_saved_model(tmp_path):
    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, files):
            return ops.pack_patches(ops.preprocess_patches(PRE, files), 30)._asdict()

    tf.saved_model.save(Model(), str(tmp_path))
    got = tf.saved_model.load(str(tmp_path))(FILES)
    want = pack_patches(PRE(FILES), 30)
    for name, value in want._asdict().items():
        np.testing.assert_array_equal(got[name], value)


def test_static_shapes_where_the_image_is_unknown():
    function = tf.function(lambda image: ops.image_patches(PRE, image))
    concrete = function.get_concrete_function(tf.TensorSpec([None, None, 3], tf.uint8))
    assert [shape.as_list() for shape in concrete.output_shapes] == [[14, 75], [14], [14, 2], [2]]
    for image in PICTURES[:2]:
        assert_equal(concrete(tf.constant(image)), [part[0] for part in PRE([image])])


def test_errors():
    with pytest.raises(TypeError, match="expected images of dtype uint8, 0 to 255, found float32"):
        ops.image_patches(PRE, tf.zeros([3, 4, 3]))
    with pytest.raises(ValueError, match=r"expected images \[H, W, 3\] or \[B, H, W, 3\], found \(3,\)"):
        ops.image_patches(PRE, tf.zeros([3], tf.uint8))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"images must be uint8 \[height, width, 3\]"):
        ops.image_patches(PRE, tf.zeros([3, 4, 4], tf.uint8))
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least one row and column"):
        ops.image_patches(PRE, tf.zeros([0, 4, 3], tf.uint8))
    narrow = PatchPreprocessor(patch_size=1, max_patches=1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="does not become 1 patches or fewer"):
        ops.image_patches(narrow, tf.zeros([1, 2_000_000, 3], tf.uint8))
    with pytest.raises(tf.errors.DataLossError, match="shelf/7: the image file is empty"):
        ops.preprocess_patches(PRE, b"", key="shelf/7")
    with pytest.raises(tf.errors.InvalidArgumentError, match="more patches than length=9"):
        ops.pack_patches(ops.PatchTensors(*map(tf.constant, PRE(PICTURES))), 9)
