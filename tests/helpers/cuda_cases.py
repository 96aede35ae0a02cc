"""Runs a case of cuda_oracle on a library, the GPU's or its emulation, and says how far off each result is."""

from __future__ import annotations

from typing import Any

import numpy as np
from cuda_library import DTYPES, Attention, Library, address, broadcast, tensor
from cuda_oracle import UNIT, Array, Case, attention, draw, magnitudes

STORED = {"float32": np.float32, "float16": np.float16, "bfloat16": np.uint16}


def stored(x: Array, dtype: str) -> Array:
    """Numbers of the dtype as they lie in memory; bfloat16 as the upper half of a float32."""
    if dtype == "bfloat16":
        return (np.ascontiguousarray(x, np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return x.astype(STORED[dtype])


def numbers(x: Array, dtype: str) -> Array:
    if dtype == "bfloat16":
        return (x.astype(np.uint32) << 16).view(np.float32)
    return x.astype(np.float32)


class Host:
    """Memory of the CPU, for the emulation."""

    def give(self, x: Array) -> Array:
        return x

    def take(self, x: Array) -> Array:
        return x


class Gpu:
    """Memory of a GPU, by PyTorch."""

    def give(self, x: Array) -> Any:
        import torch

        whole = x if x.flags.c_contiguous else x.base  # With the padding.
        moved = torch.from_numpy(whole.view(np.int16) if whole.dtype == np.uint16 else whole).cuda()
        return moved[..., : x.shape[-1]]

    def take(self, x: Any) -> Array:
        return x.cpu().numpy()


def padded(x: Array, padding: int) -> Array:
    """The same numbers in memory that has `padding` more, garbage, after each head."""
    memory = np.full((*x.shape[:-1], x.shape[-1] + padding), 99, x.dtype)
    memory[..., : x.shape[-1]] = x
    return memory[..., : x.shape[-1]]


def problem_of(case: Case, arrays: dict[str, Any]) -> Attention:
    """The structure of a case whose arrays lie where the library reads."""
    problem = Attention(dtype=DTYPES[case.dtype], causal=case.causal, seed=case.seed)
    for name in ("batch", "queries", "keys", "heads", "kv_heads", "head_dim"):
        setattr(problem, name, getattr(case, name))
    for name in ("scale", "soft_cap", "window", "dropout_rate"):
        setattr(problem, name, getattr(case, name))
    for name, array in arrays.items():
        kind = dict(Attention._fields_)[name]
        make = {"Tensor": tensor, "Broadcast": broadcast}.get(kind.__name__, address)
        setattr(problem, name, make(array))
    return problem


def run(library: Library, case: Case, data: dict[str, Array], memory: Host | Gpu) -> dict[str, Array]:
    """out, lse and gradients, as NumPy; results begin as garbage."""
    arrays = {
        name: memory.give(padded(stored(data[name], case.dtype), case.padding))
        for name in ("q", "k", "v", "dout")
    }
    for name in ("mask", "bias", "query_segments", "key_segments"):
        if name in data:
            arrays[name] = memory.give(data[name])
    like = {"out": "q", "dq": "q", "dk": "k", "dv": "v"}
    for name, other in like.items():
        garbage = np.full(data[other].shape, 77, STORED[case.dtype])
        arrays[name] = memory.give(padded(garbage, case.padding))
    rows = (case.batch, case.heads, case.queries)
    arrays |= {name: memory.give(np.full(rows, 55, np.float32)) for name in ("lse", "delta")}
    if "bias" in data:
        arrays["dbias"] = memory.give(np.full_like(data["bias"], 33))
    problem = problem_of(case, arrays)
    library.forward(problem)
    library.backward(problem)
    result = {}
    for name in (*like, "lse", *(["dbias"] if "bias" in data else [])):
        array = memory.take(arrays[name])
        if array.dtype == np.int16:
            array = array.view(np.uint16)
        result[name] = numbers(array, case.dtype if name in like else "float32")
    return result


def errors(case: Case, data: dict[str, Array], found: dict[str, Array]) -> dict[str, tuple[float, float]]:
    """Per result: the largest error, and what is allowed.

    Allowed is twice the error of the plain computation in the same dtype, one rounding of the largest number to that
    dtype, and `magnitudes`, since the plain computation may happen to be exact.
    """
    right, plain = attention(case, data), attention(case, data, case.dtype)
    largest = magnitudes(case, data, right)
    return {name: compare(case, name, found[name], right[name], plain[name], largest[name]) for name in found}


def compare(
    case: Case, name: str, found: Array, right: Array, plain: Array, magnitude: float
) -> tuple[float, float]:
    finite = np.isfinite(right)
    if not (np.array_equal(np.isposinf(found), ~finite) and np.isfinite(found[finite]).all()):
        return float("inf"), 0.0
    unit = UNIT["float32" if name in ("lse", "dbias") else case.dtype]
    off, plain_off = (np.max(np.abs(x[finite] - right[finite]), initial=0) for x in (found, plain))
    rounding = unit * np.max(np.abs(right[finite]), initial=0) + magnitude
    return float(off), float(2 * plain_off + rounding)


def wrong(library: Library, case: Case, memory: Host | Gpu, seed: int = 0) -> dict[str, tuple[float, float]]:
    """The results of a case that are further off than allowed."""
    data = draw(case, seed)
    found = run(library, case, data, memory)
    return {name: pair for name, pair in errors(case, data, found).items() if not pair[0] <= pair[1]}
