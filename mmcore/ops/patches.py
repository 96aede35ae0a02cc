"""Images as sequences of patches in a graph, over the same core as `mmcore.image.PatchPreprocessor`."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from mmcore import _load
from mmcore.ops.image_file import Files, check_files, decode


class PatchPreprocessor(Files, Protocol):
    """What is asked of a preprocessor; `mmcore.image.PatchPreprocessor` has it."""

    @property
    def patch_size(self) -> int: ...
    @property
    def max_patches(self) -> int: ...
    @property
    def resize(self) -> str: ...
    @property
    def mean(self) -> tuple[float, ...]: ...
    @property
    def std(self) -> tuple[float, ...]: ...
    @property
    def dtype(self) -> str: ...

    def __call__(self, images: Any, /) -> Any: ...


class PatchTensors(NamedTuple):
    """As `mmcore.image.PatchBatch`; without B for one image.

    Shapes: patches [B, N, P * P * 3]; mask bool [B, N]; positions int32 [B, N, 2]; shapes int32 [B, 2].
    """

    patches: tf.Tensor
    mask: tf.Tensor
    positions: tf.Tensor
    shapes: tf.Tensor


class PackedPatchTensors(NamedTuple):
    """As `mmcore.image.PackedPatches`.

    Shapes: patches [R, N, P * P * 3]; segment_ids int32 [R, N]; positions int32 [R, N, 2]; places int32 [B, 2].
    """

    patches: tf.Tensor
    segment_ids: tf.Tensor
    positions: tf.Tensor
    places: tf.Tensor


def image_patches(pre: PatchPreprocessor, images: tf.Tensor) -> PatchTensors:
    """pre(images) for images that are decoded already, bit for bit, in a graph.

    Single images in `tf.data`, each of its own size, want `map(..., num_parallel_calls=...)` and then `batch`. Has no
    XLA kernel: call it outside functions with `jit_compile=True`.

    Shapes:
        images: uint8 [H, W, 3] or [B, H, W, 3]; H and W may be unknown in a graph. Result: see `PatchTensors`.

    Args:
        pre: a `mmcore.image.PatchPreprocessor`.
        images: one image, or a batch of images of one size.

    Raises:
        TypeError: images is not of dtype uint8.
        ValueError: images has a known rank that is neither 3 nor 4.
        tf.errors.InvalidArgumentError: when run; the shape is another, an image has no pixels, or it is so long that
            no scale makes few enough patches.
        tf.errors.ResourceExhaustedError: when run; no memory for the result, or more than 1 TiB.

    Example:
        >>> from mmcore import image, ops
        >>> pre = image.PatchPreprocessor(patch_size=4, max_patches=6)
        >>> ops.image_patches(pre, tf.zeros([20, 30, 3], tf.uint8)).shapes.numpy().tolist()
        [2, 3]
    """
    images = tf.convert_to_tensor(images)
    if images.dtype != tf.uint8:
        raise TypeError(f"expected images of dtype uint8, 0 to 255, found {images.dtype.name}")
    if images.shape.rank not in (None, 3, 4):
        raise ValueError(f"expected images [H, W, 3] or [B, H, W, 3], found {images.shape}")
    cut = _load.kernels().mmcore_image_patches(
        images=images,
        patch_size=pre.patch_size,
        max_patches=pre.max_patches,
        resize=pre.resize,
        mean_std=struct.pack("=6d", *pre.mean, *pre.std),
        dtype=tf.as_dtype(pre.dtype),
    )
    if images.shape.rank is not None:  # A shape function of the C API sees no integer attribute.
        cut.patches.set_shape([*images.shape[:-3], pre.max_patches, 3 * pre.patch_size**2])
    return PatchTensors(cut.patches, *_mask_and_positions(cut.shapes, pre.max_patches), cut.shapes)


def preprocess_patches(
    pre: PatchPreprocessor, contents: tf.Tensor, *, key: tf.Tensor | None = None
) -> PatchTensors:
    """pre([contents]) for the bytes of JPEG, PNG, GIF or BMP files, bit for bit, in a graph.

    What is read, and what is refused, is said at `preprocess_image`; a batch is handled one by one.

    Shapes:
        contents: string [] or [B], the bytes of files. Result: see `PatchTensors`.

    Args:
        pre: a `mmcore.image.PatchPreprocessor`.
        contents: whole files.
        key: string of the same shape, what to call each file in errors.

    Raises:
        TypeError, ValueError, tf.errors.DataLossError, tf.errors.ResourceExhaustedError: as `preprocess_image`.
        tf.errors.InvalidArgumentError: when run; as `image_patches`.
    """
    contents, key = check_files(contents, key)
    if contents.shape.rank != 1:
        return image_patches(pre, decode(pre, contents, key))

    def one(pair: tuple[tf.Tensor, tf.Tensor]) -> PatchTensors:
        return image_patches(pre, decode(pre, *pair))

    empty = image_patches(pre, tf.zeros([0, 1, 1, 3], tf.uint8))
    signature = PatchTensors(*(tf.TensorSpec(part.shape[1:], part.dtype) for part in empty))
    return tf.map_fn(one, (contents, key), fn_output_signature=signature)


def pack_patches(batch: PatchTensors, length: int) -> PackedPatchTensors:
    """The images of a batch side by side in rows of `length` patches, as `mmcore.image.pack_patches`.

    Args:
        batch: with the axis B.
        length: patches in a row.

    Raises:
        tf.errors.InvalidArgumentError: when run; an image has more patches than `length`.
    """
    counts = tf.reduce_sum(tf.cast(batch.mask, tf.int32), axis=1)
    checked = tf.debugging.assert_less_equal(
        counts, length, f"an image has more patches than length={length}; choose a longer row"
    )
    with tf.control_dependencies([checked] if checked is not None else []):
        rows, starts, segments = _first_fit(counts, length)
    num_rows = tf.reduce_max(tf.concat([[0], rows + 1], axis=0))
    number = tf.range(tf.shape(batch.mask)[1])
    targets = tf.boolean_mask((rows * length + starts)[:, None] + number, batch.mask)[:, None]

    def spread(values: tf.Tensor) -> tf.Tensor:
        """[B, N, ...] to [R, length, ...]."""
        kept = tf.boolean_mask(values, batch.mask)
        inner = kept.shape[1:].as_list()
        flat = tf.scatter_nd(targets, kept, [num_rows * length, *inner])
        return tf.ensure_shape(tf.reshape(flat, [num_rows, length, *inner]), [None, length, *inner])

    ids = tf.broadcast_to(segments[:, None], tf.shape(batch.mask))
    places = tf.stack([rows, segments], axis=1)
    return PackedPatchTensors(spread(batch.patches), spread(ids), spread(batch.positions), places)


def reference_image_patches(pre: PatchPreprocessor, images: tf.Tensor) -> PatchTensors:
    """The twin of `image_patches`: calls `pre` itself, in Python; it cannot be saved."""
    images = tf.convert_to_tensor(images)

    def apply(array: np.ndarray) -> tuple[np.ndarray, ...]:
        batch = pre(list(array) if array.ndim == 4 else [array])
        return tuple(part if array.ndim == 4 else part[0] for part in batch)

    kinds = [tf.as_dtype(pre.dtype), tf.bool, tf.int32, tf.int32]
    return PatchTensors(*tf.numpy_function(apply, [images], kinds))


def _mask_and_positions(shapes: tf.Tensor, length: int) -> tuple[tf.Tensor, tf.Tensor]:
    """bool [..., N] and int32 [..., N, 2] of grids [..., 2]."""
    rows, columns = shapes[..., :1], shapes[..., 1:]
    number = tf.range(length)
    mask = number < rows * columns
    positions = tf.stack([number // columns, number % columns], axis=-1)
    return mask, tf.where(mask[..., None], positions, 0)


def _first_fit(counts: tf.Tensor, length: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Of each image its row, where it begins there, and its segment id: the first row with room for it."""
    size = tf.size(counts)
    arrays = [tf.TensorArray(tf.int32, size, element_shape=[]) for _ in range(3)]

    def put(i: tf.Tensor, filled: tf.Tensor, used: tf.Tensor, arrays: Any) -> Any:
        row = tf.argmax(tf.cast(filled + counts[i] <= length, tf.int32), output_type=tf.int32)
        values = (row, filled[row], used[row] + 1)
        one = tf.one_hot(row, size, dtype=tf.int32)
        arrays = [array.write(i, value) for array, value in zip(arrays, values, strict=True)]
        return i + 1, filled + one * counts[i], used + one, arrays

    empty = tf.zeros_like(counts)
    _, _, _, arrays = tf.while_loop(lambda i, *_: i < size, put, [0, empty, empty, arrays])
    rows, starts, segments = (array.stack() for array in arrays)
    return rows, starts, segments
