"""The memory of a batch: its dtype, its layout, and an alignment that lets TensorFlow take it without a copy."""

from __future__ import annotations

import numpy as np

from mmcore._load import native
from mmcore.errors import EnvError

DTYPES = ("float32", "uint8", "bfloat16", "float16")
LAYOUTS = ("NHWC", "NCHW")
ALIGNMENT = 64  # Bytes: of TensorFlow's tensors, and of the widest vectors.


def numpy_dtype(name: str) -> np.dtype:
    """The NumPy dtype called `name`.

    Raises:
        ValueError: none of DTYPES.
        EnvError: "bfloat16" where ml_dtypes is not installed, which gives NumPy that type.
    """
    if name not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {name!r}")
    if name != "bfloat16":
        return np.dtype(name)
    try:
        import ml_dtypes
    except ImportError as error:
        raise EnvError(
            "NumPy has no bfloat16 of its own; pip install ml_dtypes (TensorFlow brings it)"
        ) from error
    return np.dtype(ml_dtypes.bfloat16)


def batch_shape(count: int, size: tuple[int, int], channels: int, layout: str) -> tuple[int, int, int, int]:
    """The shape of a batch: NHWC is [B, height, width, C], NCHW [B, C, height, width].

    Raises:
        ValueError: layout is neither.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {layout!r}")
    return (count, *size, channels) if layout == "NHWC" else (count, channels, *size)


def empty_batch(shape: tuple[int, ...], dtype: str = "float32") -> np.ndarray:
    """An uninitialised C-contiguous array whose first byte lies at a multiple of 64.

    TensorFlow takes memory of NumPy as a tensor where it is so aligned, see `mmcore.ops.as_tensor`; `np.empty` is
    aligned to 16 bytes. A large array lies in memory that an earlier one has given back, if there was one: where
    the kernel handed out new pages for each batch of 64, two threads were 1.0 to 1.4 times as fast as one, not 1.9.

    Example:
        >>> empty_batch((2, 8, 8, 3)).ctypes.data % 64
        0
    """
    kind = numpy_dtype(dtype)
    num_bytes = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    memory = native().kept_bytes(num_bytes + ALIGNMENT)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + num_bytes].view(kind).reshape(shape)
