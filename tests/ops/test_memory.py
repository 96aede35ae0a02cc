from __future__ import annotations

import ctypes
import gc

import numpy as np
import pytest
import tensorflow as tf

from mmcore import ops
from mmcore.image import Preprocessor, resize_normalize
from mmcore.image.batch import DTYPES, empty_batch

IMAGES = [np.full((9, 12, 3), value, np.uint8) for value in (0, 50, 255)]


def address(tensor: tf.Tensor) -> int:
    """Of the tensor's first byte: the first field of DLPack's DLTensor."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    capsule = tf.experimental.dlpack.to_dlpack(tensor)
    return ctypes.c_void_p.from_address(pointer(capsule, b"dltensor")).value


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_tensorflow_takes_batches_without_a_copy(dtype, layout):
    pre = Preprocessor(size=8, dtype=dtype, layout=layout)
    for batch in (resize_normalize(IMAGES, 8, dtype=dtype, layout=layout), pre(IMAGES), pre(IMAGES[:1])):
        tensor = ops.as_tensor(batch)
        assert tensor.dtype == dtype and tensor.shape == batch.shape
        assert address(tensor) == batch.ctypes.data
        np.testing.assert_array_equal(tensor.numpy(), batch)


def test_the_address_tells_a_copy_from_the_memory_itself():
    batch = resize_normalize(IMAGES, 8)
    assert address(tf.identity(tf.constant(batch))) != batch.ctypes.data
    shifted = empty_batch((3, 8, 8, 3))[1:, 0, 0]  # 768 bytes further, at a multiple of 64 again.
    assert address(ops.as_tensor(shifted[:1])) == shifted.ctypes.data


def test_arrays_elsewhere_are_copied():
    memory = empty_batch((65,), "uint8")
    memory[:] = np.arange(65)
    tensor = ops.as_tensor(memory[1:])
    assert address(tensor) != memory[1:].ctypes.data
    np.testing.assert_array_equal(tensor, np.arange(1, 65))
    np.testing.assert_array_equal(ops.as_tensor(memory[:64].reshape(8, 8).T), memory[:64].reshape(8, 8).T)


def test_the_tensor_keeps_the_memory_alive():
    batch = resize_normalize(IMAGES, 64)
    want = batch.copy()
    tensor = ops.as_tensor(batch)
    del batch
    gc.collect()
    others = [np.full(want.shape, 7, np.float32) for _ in range(8)]
    np.testing.assert_array_equal(tensor, want)
    assert len(others) == 8


def test_ops_that_work_in_place_leave_the_array_alone():
    batch = resize_normalize(IMAGES, 8)
    want = batch.copy()
    doubled = tf.raw_ops.AddV2(x=ops.as_tensor(batch), y=ops.as_tensor(batch))
    compiled = tf.function(lambda x: tf.nn.relu(x - 3.0) * 2.0)(ops.as_tensor(batch))
    np.testing.assert_array_equal(batch, want)
    np.testing.assert_array_equal(doubled, 2 * want)
    assert compiled.shape == want.shape


def test_inside_a_function_it_is_refused():
    with pytest.raises(RuntimeError, match=r"inside a tf\.function"):
        tf.function(lambda: ops.as_tensor(np.zeros(3)))()
