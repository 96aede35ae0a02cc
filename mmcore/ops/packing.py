"""Sequences packed into rows of one length, as a graph op over the same core as `mmcore.data.pack`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from mmcore import _load
from mmcore.ops.text import flag, to_tensor
from mmcore.typing import PackedRows, size_options

_DTYPES = (tf.int32, tf.int64, tf.float32, tf.bfloat16, tf.float16, tf.uint8)


def pack(
    values: Any,
    row_splits: Any,
    *,
    length: int,
    rows: int | None = None,
    max_segments: int | None = None,
    longest_first: bool = False,
    truncate: bool = False,
) -> PackedRows:
    """Packs sequences by first fit, as `mmcore.data.pack` does, bit for bit, in a graph.

    Each sequence goes into the first row that still has room for it, and stands there after those before it.
    With `rows` all shapes but that of `places` are static, which is what training needs; sequences that find no
    room are told by `places`. Has no XLA kernel: call it in the input pipeline, outside functions with
    `jit_compile=True`.

    Shapes:
        values: int32, int64, float32, bfloat16, float16 or uint8 [N, ...]; row_splits: int64 [B + 1], as a
        `tf.RaggedTensor` has both. Result: values [R, L, ...], segment_ids int32 [R, L], positions int32 [R,
        L], places int32 [B, 2]; see `mmcore.typing.PackedRows`.

    Args:
        values: the values of all sequences, one sequence after the other.
        row_splits: begins with 0, never falls, ends with N.
        length: L, positions of a row.
        rows: R; what finds no room is left over, and rows may stay empty. None: as many as are needed.
        max_segments: most sequences of a row; None: no limit.
        longest_first: place long sequences before short ones; in a row they stand in their given order.
        truncate: cut sequences of more than `length` values at their end; otherwise they are an error.

    Raises:
        ValueError: a size that is no integer from 1 to 2^31 - 1; a known rank that is wrong; a switch no bool.
        TypeError: values or row_splits of another dtype.
        tf.errors.InvalidArgumentError: when run; row_splits are not as described, or a sequence is too long.
        tf.errors.ResourceExhaustedError: when run; no memory for the result, or more than 1 TiB.

    Example:
        >>> from mmcore import ops
        >>> ragged = tf.ragged.constant([[7, 8, 9], [4], [5, 6]])
        >>> packed = ops.pack(ragged.values, ragged.row_splits, length=4, rows=2)
        >>> packed.segment_ids.numpy().tolist(), packed.values.shape
        ([[1, 1, 1, 2], [1, 1, 0, 0]], TensorShape([2, 4]))
    """
    values, row_splits = _checked(values, row_splits)
    length, most_rows, most_segments = size_options(length=length, rows=rows, max_segments=max_segments)
    packed = _load.kernels().mmcore_pack(
        values=_two_axes(values),
        row_splits=row_splits,
        length=length,
        rows=most_rows,
        max_segments=most_segments,
        longest_first=flag(longest_first, "longest_first"),
        truncate=flag(truncate, "truncate"),
    )
    return _with_shapes(PackedRows(*packed), values, row_splits, length, rows)


def reference_pack(pack: Callable[..., tuple], values: Any, row_splits: Any, **options: Any) -> PackedRows:
    """The twin of `pack`: calls the function that is given, in Python, such as `mmcore.data.reference.pack`.

    Shapes, Args and Raises as `pack`, without dropping errors of Python; it cannot be saved.
    """
    values, row_splits = _checked(values, row_splits)

    def apply(flat: np.ndarray, splits: np.ndarray) -> list[np.ndarray]:
        cells, segment_ids, positions, places = pack(flat, splits, **options)
        shape = (len(segment_ids), options["length"])
        ints = [np.asarray(part, np.int32).reshape(shape) for part in (segment_ids, positions)]
        packed = np.asarray(cells, flat.dtype).reshape(*shape, *flat.shape[1:])
        return [packed, *ints, np.asarray(places, np.int32).reshape(-1, 2)]

    packed = tf.numpy_function(apply, [values, row_splits], [values.dtype, tf.int32, tf.int32, tf.int32])
    return _with_shapes(PackedRows(*packed), values, row_splits, options["length"], options.get("rows"))


def _checked(values: Any, row_splits: Any) -> tuple[tf.Tensor, tf.Tensor]:
    values = to_tensor(values, tf.int32, "values")
    row_splits = to_tensor(row_splits, tf.int64, "row_splits")
    if values.dtype not in _DTYPES:
        names = ", ".join(dtype.name for dtype in _DTYPES)
        raise TypeError(f"expected values of dtype {names}, found {values.dtype.name}")
    if row_splits.dtype not in (tf.int32, tf.int64):
        raise TypeError(f"expected row_splits of dtype int64, found {row_splits.dtype.name}")
    if values.shape.rank in (None, 0) or row_splits.shape.rank not in (None, 1):
        raise ValueError(
            f"expected values [N, ...] of known rank and row_splits [B + 1], found {values.shape} and "
            f"{row_splits.shape}"
        )
    return values, tf.cast(row_splits, tf.int64)


def _two_axes(values: tf.Tensor) -> tf.Tensor:
    """[N, E]: what the op takes."""
    if values.shape.rank == 2:
        return values
    inner = (
        tf.reduce_prod(tf.shape(values)[1:]) if None in values.shape[1:] else values.shape[1:].num_elements()
    )
    return tf.reshape(values, [tf.shape(values)[0], inner])


def _with_shapes(
    packed: PackedRows, values: tf.Tensor, row_splits: tf.Tensor, length: int, rows: int | None
) -> PackedRows:
    """The result with the axes of the values, and static shapes: the op's shape function sees no sizes."""
    cells, segment_ids, positions, places = packed
    static = [rows, length]
    if values.shape.rank != 2:
        cells = tf.reshape(cells, tf.concat([tf.shape(segment_ids), tf.shape(values)[1:]], axis=0))
    cells.set_shape([*static, *values.shape[1:]])
    segment_ids.set_shape(static)
    positions.set_shape(static)
    count = None if row_splits.shape.rank is None else row_splits.shape[0]
    places.set_shape([None if count is None else count - 1, 2])
    return PackedRows(cells, segment_ids, positions, places)
