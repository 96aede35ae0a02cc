from __future__ import annotations

import struct

import numpy as np
import pytest
import tensorflow as tf

from mmcore import _load, ops
from mmcore.image import Preprocessor, resize_normalize

PRE = Preprocessor(size=8)
PRESETS = [
    Preprocessor.clip(size=8),
    Preprocessor.siglip(size=7),
    Preprocessor.imagenet(size=8, shorter=11),
    Preprocessor(size=5, dtype="uint8"),
]
SIZES = [(8, 8), (9, 20), (31, 6), (1, 40), (40, 1), (7, 7), (224, 333)]


def images(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def resize(batch: tf.Tensor) -> tf.Tensor:
    return ops.resize_normalize(PRE, batch)


def same(result: tf.Tensor, expected: np.ndarray) -> None:
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result.numpy(), expected)


@pytest.mark.parametrize("pre", PRESETS, ids=["clip", "siglip", "imagenet", "uint8"])
@pytest.mark.parametrize("height, width", SIZES)
def test_equals_the_numpy_face_bit_for_bit(pre, height, width):
    batch = images(3, height, width)
    same(ops.resize_normalize(pre, batch), pre(list(batch)))
    same(ops.resize_normalize(pre, batch[1]), pre([batch[1]])[0])


def test_window_of_a_crop_is_the_numpy_faces_for_many_sizes():
    pre = Preprocessor(size=4, shorter=6, dtype="uint8")
    for height, width in np.random.default_rng(1).integers(1, 60, (150, 2)):
        image = images(height, width)
        same(ops.resize_normalize(pre, image), pre([image])[0])


@pytest.mark.parametrize("dtype", ["float32", "uint8", "bfloat16", "float16"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_layouts_and_dtypes_equal_the_twin_and_have_static_shapes(dtype, layout):
    batch = images(2, 9, 30)
    options = {"layout": layout, "dtype": dtype}
    for array in (batch, batch[1]):
        result = ops.resize_normalize(PRE, array, **options)
        assert result.dtype == dtype
        same(result, ops.reference_resize_normalize(PRE, array, **options).numpy())
    function = tf.function(lambda x: ops.resize_normalize(PRE, x, **options))
    shapes = function.get_concrete_function(tf.TensorSpec([None, None, None, 3], tf.uint8)).output_shapes
    assert shapes.as_list() == ([None, 8, 8, 3] if layout == "NHWC" else [None, 3, 8, 8])


@pytest.mark.parametrize("resize", ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"])
def test_every_method_is_that_of_the_numpy_face(resize):
    image = images(23, 31)
    result = _load.kernels().mmcore_resize_normalize(
        images=image,
        size=8,
        shorter=8,
        crop="none",
        resize=resize,
        mean_std=struct.pack("=6d", 0, 0, 0, 1, 1, 1),
        dtype=tf.float32,
    )
    same(result, resize_normalize([image], 8, method=resize)[0])


def test_grey_images_have_one_mean_and_std():
    grey = images(2, 9, 12)[..., :1]
    result = _load.kernels().mmcore_resize_normalize(
        images=grey, size=8, shorter=8, crop="none", resize="bicubic", mean_std=struct.pack("=2d", 0.4, 0.2)
    )
    same(result, resize_normalize(list(grey), 8, mean=(0.4,), std=(0.2,)))


@pytest.mark.parametrize(
    ("options", "message"), [({"layout": "CHW"}, "layout must be"), ({"dtype": "float64"}, "dtype must be")]
)
def test_unknown_layouts_and_dtypes_are_refused(options, message):
    for function in (ops.resize_normalize, ops.reference_resize_normalize):
        with pytest.raises(ValueError, match=message):
            function(PRE, images(2, 9, 12), **options)


def test_twin_equals_the_op():
    batch = images(2, 9, 12)
    for array in (batch, batch[0], batch[:0]):
        same(ops.reference_resize_normalize(PRE, array), ops.resize_normalize(PRE, array).numpy())


@pytest.mark.parametrize("spec", [[None, None, None, 3], [None, 9, 12, 3], None, [None, None, None, None]])
def test_function_with_unknown_dimensions(spec):
    function = tf.function(resize, input_signature=[tf.TensorSpec(spec, tf.uint8)])
    for batch in (images(2, 9, 12), images(5, 9, 12)):
        same(function(batch), PRE(list(batch)))


def test_static_shapes_are_known_where_the_inputs_are():
    def shape(*spec: int | None) -> list[int | None]:
        function = tf.function(resize)
        return function.get_concrete_function(tf.TensorSpec(spec, tf.uint8)).output_shapes.as_list()

    assert shape(2, None, 12, 3) == [2, 8, 8, 3]
    assert shape(None, None, None, None) == [None, 8, 8, 3]
    assert shape(None, None, 3) == [8, 8, 3]


def test_empty_batch_gives_an_empty_batch():
    for height, width in ((9, 12), (0, 5)):
        assert ops.resize_normalize(PRE, np.zeros((0, height, width, 3), np.uint8)).shape == [0, 8, 8, 3]


def test_dataset_of_single_images_mapped_in_parallel_keeps_order_and_bits():
    arrays = [images(9 + i, 30 - i, seed=i) for i in range(20)]
    signature = tf.TensorSpec([None, None, 3], tf.uint8)
    dataset = tf.data.Dataset.from_generator(lambda: iter(arrays), output_signature=signature)
    dataset = dataset.map(resize, num_parallel_calls=tf.data.AUTOTUNE).batch(6)
    assert dataset.element_spec.shape.as_list() == [None, 8, 8, 3]
    np.testing.assert_array_equal(np.concatenate(list(dataset.as_numpy_iterator())), PRE(arrays))


def test_dataset_of_batches():
    batch = images(7, 15, 11)
    dataset = tf.data.Dataset.from_tensor_slices(batch).batch(3).map(resize)
    np.testing.assert_array_equal(np.concatenate(list(dataset.as_numpy_iterator())), PRE(list(batch)))


@pytest.mark.parametrize("shape", [(4, 4, 4), (4, 4, 1), (2, 4, 4, 4), (2, 2, 2, 0)])
def test_other_than_three_channels_are_refused(shape):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"must be uint8 \[height, width, 3\] .*got \["):
        ops.resize_normalize(PRE, np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 0, 3), (2, 0, 0, 3)])
def test_images_without_pixels_are_refused(shape):
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least one row and column"):
        ops.resize_normalize(PRE, np.zeros(shape, np.uint8))


@pytest.mark.parametrize("rank", [0, 1, 2, 5])
def test_wrong_rank_is_refused_at_trace_time_and_at_run_time(rank):
    array = np.zeros([3] * rank, np.uint8)
    with pytest.raises(ValueError, match=r"expected images \[H, W, C\] or \[B, H, W, C\], found"):
        ops.resize_normalize(PRE, array)
    function = tf.function(resize, input_signature=[tf.TensorSpec(None, tf.uint8)])
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be uint8"):
        function(array)


def test_other_dtypes_are_refused():
    with pytest.raises(TypeError, match="dtype uint8, 0 to 255, found float32"):
        ops.resize_normalize(PRE, np.zeros((4, 4, 3), np.float32))


def test_an_image_too_long_for_its_crop_is_refused_with_the_cores_sentence():
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"image 0: an output size must be 1 to 2\^24"):
        ops.resize_normalize(Preprocessor(size=1000), np.zeros((20_000, 1, 3), np.uint8))


def test_compiling_the_op_with_xla_fails_with_tensorflows_message():
    function = tf.function(resize, jit_compile=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"unsupported operations.*MmcoreResize"):
        function(images(2, 9, 12))
