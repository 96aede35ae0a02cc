"""Weights in safetensors files, by variable path."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import safetensors
import safetensors.numpy

from mmcore import files
from mmcore.errors import FormatError, LimitError

if TYPE_CHECKING:
    import tensorflow as tf

MAX_HEADER_BYTES = 25_000_000
MAX_TENSORS = 100_000


class Report(NamedTuple):
    """How the arrays of a file differ from the variables of a model, by path; empty (false) when they fit."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.mismatched)

    def __str__(self) -> str:
        shapes = [
            f"{path} (expected {list(expected)}, found {list(found)})"
            for path, expected, found in self.mismatched
        ]
        parts = (("missing", self.missing), ("unexpected", self.unexpected), ("of another shape", shapes))
        return "; ".join(f"{len(paths)} {what}: {_shorten(paths)}" for what, paths in parts if paths)


def compare(expected: Mapping[str, tuple[int, ...]], arrays: Mapping[str, np.ndarray]) -> Report:
    """What is missing in, unexpected in, or of another shape in `arrays` than `expected` (shapes by path)."""
    return Report(
        missing=tuple(path for path in expected if path not in arrays),
        unexpected=tuple(path for path in arrays if path not in expected),
        mismatched=tuple(
            (path, tuple(shape), arrays[path].shape)
            for path, shape in expected.items()
            if path in arrays and arrays[path].shape != tuple(shape)
        ),
    )


def load_into(
    variables: Mapping[str, tf.Variable], arrays: Mapping[str, np.ndarray], *, strict: bool = True
) -> Report:
    """Assigns arrays to the variables of the same path, cast to the variable's dtype; all or nothing.

    Args:
        variables: the targets, such as `nn.variables_by_path(model)`.
        arrays: values by path, such as the result of `read_weights`.
        strict: refuse any difference of paths. Otherwise what fits is loaded and the rest is reported; a
            different shape is refused always.

    Returns:
        the differences; false when there are none.

    Raises:
        ValueError: a shape differs, or with `strict` a path is missing or unexpected. Nothing was assigned
            then.

    Example:
        >>> from mmcore import nn
        >>> target = nn.variables_by_path(nn.Linear(2, 3))
        >>> print(load_into(target, {"kernel": np.ones([2, 3], "float32")}, strict=False))
        1 missing: bias
    """
    report = compare({path: tuple(variable.shape) for path, variable in variables.items()}, arrays)
    if report.mismatched or (strict and report):
        raise ValueError(
            f"the weights do not fit the model: {report}"
            + ("" if report.mismatched else "; pass strict=False to load those that fit")
        )
    for path, variable in variables.items():
        if path in arrays:
            variable.assign(arrays[path].astype(variable.dtype.as_numpy_dtype))
    return report


def write_weights(
    path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes arrays by path into one safetensors file, atomically (see `files.atomic_write`).

    Args:
        path: the file, replaced if it exists.
        arrays: values by variable path.
        metadata: strings for the header.

    Raises:
        OSError: the file cannot be written; an old one is still whole.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_weights(folder / "model.safetensors", {"kernel": np.ones([2, 3], "float32")})
        >>> read_weights(folder / "model.safetensors")["kernel"].shape
        (2, 3)
    """
    files.atomic_write(path, serialize(arrays, metadata))


def serialize(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a safetensors file. The same arrays in any order give the same bytes."""
    ordered = {path: np.ascontiguousarray(arrays[path]) for path in sorted(arrays)}
    # ascontiguousarray gives scalars an axis.
    ordered = {path: array.reshape(np.shape(arrays[path])) for path, array in ordered.items()}
    return safetensors.numpy.save(ordered, metadata=dict(metadata) if metadata else None)


def read_weights(
    path: str | os.PathLike[str], *, max_header_bytes: int = MAX_HEADER_BYTES, max_tensors: int = MAX_TENSORS
) -> dict[str, np.ndarray]:
    """All arrays of a safetensors file by path. Nothing of the file is executed.

    Raises:
        OSError: the file cannot be read.
        FormatError: it is not a whole safetensors file.
        LimitError: its header or number of tensors is above a limit.
    """
    _check_header(Path(path), max_header_bytes, max_tensors)
    try:
        return safetensors.numpy.load_file(path)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise FormatError(
            f"{path} is not a whole safetensors file ({error}); get or save it again"
        ) from error


def read_metadata(
    path: str | os.PathLike[str], *, max_header_bytes: int = MAX_HEADER_BYTES, max_tensors: int = MAX_TENSORS
) -> dict[str, str]:
    """The strings in the header of a safetensors file; raises as `read_weights`."""
    return _check_header(Path(path), max_header_bytes, max_tensors).get("__metadata__", {})


def _check_header(path: Path, max_header_bytes: int, max_tensors: int) -> dict:
    """The parsed header, once its length, JSON and number of tensors are known to be sane."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > max_header_bytes:
            raise LimitError(
                f"{path} has a header of {length} bytes, more than max_header_bytes={max_header_bytes}; "
                "is it a safetensors file?"
            )
        text = file.read(length)
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f"{path} is not a safetensors file: its header is not JSON ({error}); get or save it again"
        ) from error
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__", {}), dict):
        raise FormatError(
            f"{path} is not a safetensors file: its header is not a JSON object of objects; get or save it again"
        )
    if len(header) > max_tensors:
        raise LimitError(f"{path} has {len(header)} tensors, more than max_tensors={max_tensors}")
    return header


def _shorten(paths: tuple[str, ...] | list[str], show: int = 8) -> str:
    return ", ".join(paths[:show]) + (f" and {len(paths) - show} more" if len(paths) > show else "")
