"""Rows of ids to texts in one call of the native core, with the GIL released."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmcore._load import native


def decode_rows(
    tokenizer: Any, ids: Any, mask: Any, row_splits: Any, skip_special: bool, threads: int
) -> list[str]:
    """The texts of rows of ids, in any of the three forms that `Tokenizer.decode_batch` takes.

    Args:
        tokenizer: the native one.
        ids: [B, T], or [N] with `row_splits`, or a list of rows.
        threads: 0: the process-wide pool.

    Raises:
        ValueError: shapes or dtypes do not fit, or an id that counts is not in the vocabulary.
    """
    if row_splits is not None:
        if mask is not None:
            raise ValueError("pass either mask (padded rows) or row_splits (ragged rows), got both")
        splits = integers(row_splits, "row_splits", "[B + 1]").astype(np.int64, copy=False)
        if splits.size == 0:
            raise ValueError("row_splits must be a vector that begins with 0, got the shape (0,)")
        values = integers(ids, "ids", "[N]")
    elif mask is None and not hasattr(ids, "__array__"):
        values, splits = _flattened(ids)
    else:
        values, splits = integers(ids, "ids", "[B, T]"), None
    return native().decode_rows(tokenizer, values, _mask_of(values, mask), splits, skip_special, threads)


def integers(numbers: Any, name: str, shape: str) -> np.ndarray:
    """Whole numbers as a contiguous int32 or int64 array with the axes that `shape` names.

    Raises:
        ValueError: another number of axes, or something else than integers.
    """
    wanted = f"{name} must be integers of shape {shape}"
    try:
        array = np.asarray(numbers)
    except ValueError:  # NumPy's for rows of several lengths.
        raise ValueError(f"{wanted}, got rows of several lengths or depths") from None
    if array.ndim != shape.count(",") + 1 or (array.size and array.dtype.kind not in "iu"):
        found = type(numbers).__name__ if array.dtype == object else str(array.dtype)
        raise ValueError(f"{wanted}, got {found} of shape {array.shape}")
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"the id {array.max()} is not in any vocabulary")
    return np.ascontiguousarray(array, np.int32 if array.dtype == np.int32 else np.int64)


def _flattened(rows: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(rows, str | bytes) or not hasattr(rows, "__iter__"):
        raise ValueError(f"ids must be an array [B, T] or a list of rows of ids, got {type(rows).__name__}")
    arrays = [integers(row, f"row {number} of ids", "[T]") for number, row in enumerate(rows)]
    splits = np.zeros(len(arrays) + 1, np.int64)
    np.cumsum([array.size for array in arrays], out=splits[1:])
    return np.concatenate([np.empty(0, np.int64), *arrays]), splits


def _mask_of(ids: np.ndarray, mask: Any) -> np.ndarray | None:
    if mask is None:
        return None
    wanted = f"mask must be bool of the shape of ids, {ids.shape}"
    try:
        array = np.ascontiguousarray(mask)
    except ValueError:
        raise ValueError(f"{wanted}, got rows of several lengths") from None
    if array.shape != ids.shape or array.dtype != np.bool_:
        raise ValueError(f"{wanted}, got {array.dtype} of shape {array.shape}")
    return array
