"""The C interface of mmcore/_cuda.so (csrc/cuda/attention.h) through ctypes, with memory of NumPy or of PyTorch."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

DTYPES = {"float32": 0, "bfloat16": 1, "float16": 2}


class Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        *((name, ctypes.c_int64) for name in ("batch", "row", "head")),
    ]


class Broadcast(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        *((name, ctypes.c_int64) for name in ("batch", "head", "query")),
    ]


class Attention(ctypes.Structure):
    _fields_ = [
        *(
            (name, ctypes.c_int32)
            for name in ("dtype", "batch", "queries", "keys", "heads", "kv_heads", "head_dim")
        ),
        ("scale", ctypes.c_float),
        ("soft_cap", ctypes.c_float),
        ("causal", ctypes.c_int32),
        ("window", ctypes.c_int32),
        ("dropout_rate", ctypes.c_float),
        ("seed", ctypes.c_uint32 * 2),
        ("device_seed", ctypes.c_void_p),
        ("query_segments", ctypes.c_void_p),
        ("key_segments", ctypes.c_void_p),
        ("mask", Broadcast),
        ("bias", Broadcast),
        *((name, Tensor) for name in ("q", "k", "v", "out")),
        ("lse", ctypes.c_void_p),
        *((name, Tensor) for name in ("dout", "dq", "dk", "dv")),
        ("dbias", Broadcast),
        ("delta", ctypes.c_void_p),
    ]


class Library:
    """The two entry points; what they refuse is a ValueError with their sentence."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self._library = ctypes.CDLL(str(path))
        for name in ("forward", "backward"):
            function = getattr(self._library, f"mmcore_cuda_attention_{name}")
            function.argtypes = [ctypes.POINTER(Attention), ctypes.c_void_p]
            function.restype = ctypes.c_char_p
        self._library.mmcore_cuda_attention_size.restype = ctypes.c_size_t
        if self._library.mmcore_cuda_attention_size() != ctypes.sizeof(Attention):
            raise ValueError(
                "the structure in tests/helpers/cuda_library.py is not that of csrc/cuda/attention.h"
            )

    def forward(self, problem: Attention, stream: int | None = None) -> None:
        self._call("forward", problem, stream)

    def backward(self, problem: Attention, stream: int | None = None) -> None:
        self._call("backward", problem, stream)

    def _call(self, name: str, problem: Attention, stream: int | None) -> None:
        error = getattr(self._library, f"mmcore_cuda_attention_{name}")(ctypes.byref(problem), stream)
        if error is not None:
            raise ValueError(error.decode())


def address(array: Any) -> int:
    return array.ctypes.data if isinstance(array, np.ndarray) else array.data_ptr()


def strides(array: Any) -> list[int]:
    """In elements, where an axis of one element has stride 0."""
    if isinstance(array, np.ndarray):
        steps = [step // array.itemsize for step in array.strides]
    else:
        steps = list(array.stride())
    return [0 if size == 1 else step for size, step in zip(array.shape, steps, strict=True)]


def tensor(array: Any) -> Tensor:
    """Of an array [batch, rows, heads, head_dim] whose last axis is contiguous."""
    batch, row, head, _ = strides(array)
    return Tensor(address(array), batch, row, head)


def broadcast(array: Any) -> Broadcast:
    """Of an array [batch or 1, heads or 1, queries or 1, keys]."""
    batch, head, query, _ = strides(array)
    return Broadcast(address(array), batch, head, query)
