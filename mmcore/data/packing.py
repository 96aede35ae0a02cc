"""Sequences packed into rows of one length, so that a model computes hardly any padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmcore._load import native
from mmcore.typing import PackedRows, size_options


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
    """Packs sequences by first fit: each goes into the first row that still has room for it.

    The sequences are placed one after the other, and stand in each row in their given order without gaps; so
    the result is a function of the arguments alone, and a sequence's place of those before it. With
    `longest_first` long ones are placed before short ones, which fills rows better where sequences are not much
    shorter than a row; in a row they still stand in their given order. Takes O(n log n) for n sequences. The
    plain twin is `mmcore.data.reference.pack`; `mmcore.ops.pack` is the same in a graph.

    Shapes:
        values: [N, ...] of any fixed-size dtype; row_splits: int64 [B + 1], sequence i has the values from
        row_splits[i] up to row_splits[i + 1]. `text.Tokenizer.ragged` gives both.

    Args:
        values: the values of all sequences, one sequence after the other.
        row_splits: begins with 0, never falls, ends with N.
        length: L, positions of a row.
        rows: R; what finds no room is left over, and rows may stay empty. None: as many as are needed.
        max_segments: most sequences of a row; None: no limit.
        longest_first: in which order sequences choose their rows.
        truncate: cut sequences of more than `length` values at their end; otherwise they are an error.

    Raises:
        ValueError: splits that are not as described; a sequence that is too long; a size below 1 or of 2^31 or
            more.
        TypeError: row_splits that are no integers; values that are objects or strings.

    Example:
        >>> packed = pack([7, 8, 9, 4, 5, 6], [0, 3, 4, 4, 6], length=4)
        >>> packed.values.tolist(), packed.segment_ids.tolist()
        ([[7, 8, 9, 4], [5, 6, 0, 0]], [[1, 1, 1, 2], [1, 1, 0, 0]])
        >>> packed.positions.tolist(), packed.places.tolist()
        ([[0, 1, 2, 0], [0, 1, 0, 0]], [[0, 1], [0, 2], [-1, 0], [1, 1]])
    """
    values, splits = np.asarray(values, order="C"), np.asarray(row_splits)
    if values.dtype.kind not in "biufcV" or values.dtype.hasobject:
        raise TypeError(f"expected values of a number dtype, found {values.dtype}: tokenize the texts first")
    if not np.issubdtype(splits.dtype, np.integer) and splits.size:
        raise TypeError(f"expected integer row_splits, found {splits.dtype}")
    if values.ndim < 1 or splits.ndim != 1:
        raise ValueError(
            f"expected values [N, ...] and row_splits [B + 1], found {values.shape}, {splits.shape}"
        )
    sizes = size_options(length=length, rows=rows, max_segments=max_segments)
    packed = native().pack(values, splits.astype(np.int64), *sizes, bool(longest_first), bool(truncate))
    return PackedRows(*packed)


@dataclass(frozen=True)
class Packing:
    """Batches of texts in packed rows: the same shapes for every batch, and hardly any padding.

    Args:
        rows: R, rows of a batch.
        examples: B, most examples of a batch; labels, weights and images have so many rows, filled up with
            weight 0.
        length: L, positions of a row; None: the pipeline's max_length.

    Raises:
        ValueError: a number below 1.
    """

    rows: int
    examples: int
    length: int | None = None

    def __post_init__(self):
        for name in ("rows", "examples", "length"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} of a packing must be at least 1, found {value}")


def packed_groups(
    order: np.ndarray, lengths: np.ndarray, *, rows: int, length: int, examples: int, keep_order: bool
) -> list[np.ndarray]:
    """Cuts an order of sequences into batches that `pack` fits into so many rows.

    Each batch is tried with the next `examples` sequences. Those that find no room come first in the next one;
    with `keep_order` the batch ends before the first of them, so that no sequence passes another.

    Args:
        order: int [N], indices of sequences.
        lengths: int, of all sequences, none above `length`.
        rows: of a batch.
        length: of a row.
        examples: most sequences of a batch.
        keep_order: whether the batches' concatenation must be `order`.
    """
    groups, waiting, position = [], order[:0], 0
    while position < len(order) or len(waiting):
        fresh = order[position : position + examples - len(waiting)]
        position += len(fresh)
        tried = np.concatenate([waiting, fresh])
        fits = ~_places(lengths[tried], rows, length).left_over()
        if keep_order:
            fits = np.logical_and.accumulate(fits)
        groups.append(tried[fits])
        waiting = tried[~fits]
    return groups


def _places(lengths: np.ndarray, rows: int, length: int) -> PackedRows:
    """`pack` of sequences without values."""
    splits = splits_of(lengths)
    return pack(np.empty((splits[-1], 0), np.uint8), splits, length=length, rows=rows)


def splits_of(lengths: Sequence[int] | np.ndarray) -> np.ndarray:
    """The row splits of sequences of these lengths, int64.

    Example:
        >>> splits_of([3, 0, 2]).tolist()
        [0, 3, 3, 5]
    """
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
