"""Learned positions of a square grid for images whose patches make another grid."""

from __future__ import annotations

import math

import tensorflow as tf

from mmcore.nn.dtypes import wide_dtype
from mmcore.nn.segments import check_segment_ids
from mmcore.nn.shapes import sizes


def grid_positions(
    table: tf.Tensor | tf.Variable,
    positions: tf.Tensor,
    segment_ids: tf.Tensor,
    *,
    dtype: tf.DType = tf.float32,
) -> tf.Tensor:
    """The vector of each patch, of a table that is resampled to the grid of the patch's own image.

    Bilinear, antialiased, pixel centres at halves; the grid of an image ends at its lowest and rightmost patch. An
    image of the table's own grid has the table itself. Each vector is a sum over the whole table with products of
    two weights, one for the row and one for the column: the work of a linear map of S^2 channels, a third of that of
    the pixels where S and the patches' side are 16, and a gradient without a scatter.

    Shapes:
        table: float [S^2, D], row by row; positions: integer [R, L, 2], row and column of each patch in its image,
        from 0; segment_ids: integer [R, L], 0 = padding. result: [R, L, D] in `dtype`, unspecified but finite at
        padding.

    Args:
        table: learned for S x S patches.
        positions: of patches in packed rows, or in rows of one image; a negative one makes its vector NaN. Where
            patches were left out, the image must still have one in its last row and one in its last column.
        segment_ids: which image of its row a patch belongs to.
        dtype: of the result; sums are at least float32.

    Raises:
        ValueError: a table that is not square; positions that are not [R, L, 2]; segment_ids that are no
            integers [R, L].

    Source: Tschannen et al. 2025, SigLIP 2, arXiv:2502.14786, section 2.4.2; Dehghani et al. 2023,
        arXiv:2307.06304.

    Example:
        >>> from mmcore import nn
        >>> table = tf.constant([[0.0], [1.0], [2.0], [3.0]])  # of 2 x 2 patches
        >>> positions, one = tf.constant([[[0, 0], [0, 1], [0, 2], [0, 3]]]), tf.ones([1, 4], tf.int32)
        >>> nn.grid_positions(table, positions, one).numpy().ravel().tolist()
        [1.0, 1.25, 1.75, 2.0]
    """
    check_segment_ids(segment_ids)
    if positions.shape.rank != 3 or positions.shape[2] != 2:
        raise ValueError(
            f"expected positions [R, L, 2], row and column of each patch, found {positions.shape}"
        )
    side = math.isqrt(table.shape[0])
    if side * side != table.shape[0]:
        raise ValueError(f"expected a table of S * S positions of a square grid, found {table.shape[0]}")
    wide = wide_dtype(dtype)
    positions = tf.where(segment_ids[:, :, None] > 0, positions, tf.zeros([], positions.dtype))
    weights = _weights(positions, _grids(positions, segment_ids), side, wide)
    rows, length, _ = sizes(positions)
    products = tf.reshape(weights[:, :, 0, :, None] * weights[:, :, 1, None, :], [rows * length, side * side])
    vectors = tf.matmul(products, tf.cast(table, wide))
    return tf.cast(tf.reshape(vectors, [rows, length, table.shape[1]]), dtype)


def _grids(positions: tf.Tensor, segment_ids: tf.Tensor) -> tf.Tensor:
    """Rows and columns of the grid of each patch's image: [R, L, 2]."""
    rows, length = sizes(segment_ids)
    # Segments are numbered from 1 to at most L; padding is number 0.
    index = tf.range(rows, dtype=segment_ids.dtype)[:, None] * (length + 1) + segment_ids
    flat = tf.reshape(positions, [rows * length, 2])
    last = tf.math.unsorted_segment_max(flat, tf.reshape(index, [-1]), rows * (length + 1))
    return tf.gather(last, index) + 1


def _weights(positions: tf.Tensor, grids: tf.Tensor, side: int, dtype: tf.DType) -> tf.Tensor:
    """Of each row and column of the table for each patch's row and column: [R, L, 2, S], sums of one."""
    scale = side / tf.cast(grids, dtype)
    centres = (tf.cast(positions, dtype) + 0.5) * scale
    distances = tf.abs(tf.range(side, dtype=dtype) + 0.5 - centres[..., None])
    # A triangle as wide as a patch of the smaller of both grids.
    weights = tf.nn.relu(1.0 - distances / tf.maximum(scale, 1.0)[..., None])
    # No graph can raise an error everywhere: what is no position shows itself.
    weights = tf.where(positions[..., None] < 0, tf.constant(math.nan, dtype), weights)
    return weights / tf.reduce_sum(weights, axis=-1, keepdims=True)
