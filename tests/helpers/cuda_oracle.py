"""Attention and its gradients as their definitions say, in NumPy, at any precision: the oracle of the CUDA kernels.

`attention(case, data, cast)` rounds by `cast` what a framework without fused attention would store: with float64 it is
the oracle, with the dtype of the inputs it is the plain computation whose error bounds that of the kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Case:
    """One problem. `mask` and `bias` name the axes of "bhq" that they have besides the keys; None: there is none."""

    batch: int = 2
    queries: int = 5
    keys: int = 7
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 8
    dtype: str = "float32"
    scale: float = 0.3
    soft_cap: float = 0.0
    causal: bool = False
    window: int = 0
    mask: str | None = None
    bias: str | None = None
    segments: bool = False
    dropout_rate: float = 0.0
    seed: tuple[int, int] = (7, 2**31 + 9)
    padding: int = 0  # Numbers between heads in memory.

    def __post_init__(self) -> None:
        for name in ("scale", "soft_cap", "dropout_rate"):  # What the kernels are given is float32.
            object.__setattr__(self, name, float(np.float32(getattr(self, name))))


def round_bfloat16(x: Array) -> Array:
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isfinite(x), rounded.view(np.float32), x).astype(np.float32)


CASTS: dict[str, Callable[[Array], Array]] = {
    "float64": lambda x: np.asarray(x, np.float64),
    "float32": lambda x: np.asarray(x, np.float32),
    "float16": lambda x: np.asarray(x, np.float32).astype(np.float16).astype(np.float32),
    "bfloat16": round_bfloat16,
}
UNIT = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}  # A rounding, relative.


def draw(case: Case, seed: int = 0) -> dict[str, Array]:
    """Inputs of the case, numbers of its dtype as float32."""
    rng = np.random.default_rng(seed)
    cast = CASTS[case.dtype]
    queries = (case.batch, case.queries, case.heads, case.head_dim)
    keys = (case.batch, case.keys, case.kv_heads, case.head_dim)
    data = {name: cast(rng.normal(size=queries)) for name in ("q", "dout")}
    data |= {name: cast(rng.normal(size=keys)) for name in ("k", "v")}

    def shape(axes: str) -> tuple[int, ...]:
        sizes = {"b": case.batch, "h": case.heads, "q": case.queries}
        return (*(sizes[axis] if axis in axes else 1 for axis in "bhq"), case.keys)

    if case.mask is not None:
        data["mask"] = rng.random(shape(case.mask)) < 0.7
        if case.mask == "b":  # Lengths; the last example has none.
            lengths = rng.integers(0, case.keys + 1, case.batch)
            lengths[-1] = 0
            data["mask"] = (np.arange(case.keys) < lengths[:, None])[:, None, None]
    if case.bias is not None:
        data["bias"] = rng.normal(size=shape(case.bias)).astype(np.float32)
    if case.segments:  # Packed: each id a run, at chance lengths; the queries' runs need not be the keys'.
        for name, length in (("query_segments", case.queries), ("key_segments", case.keys)):
            data[name] = np.sort(rng.integers(-1, 4, (case.batch, length)), axis=1).astype(np.int32)
    return data


def hash32(x: Array) -> Array:
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x21F0AAAD)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x735A2D97)
    return x ^ (x >> np.uint32(15))


def kept(case: Case) -> Array:
    """The factor of each probability under dropout, [batch, heads, queries, keys]."""
    shape = (case.batch, case.heads, case.queries, case.keys)
    index = np.arange(np.prod(shape), dtype=np.uint32).reshape(shape)
    first, second = (np.full(1, word, np.uint32) for word in case.seed)
    bits = hash32(hash32(index + hash32(first)) ^ second)
    keeps = (bits >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24) >= np.float32(case.dropout_rate)
    return keeps / (1 - case.dropout_rate)


def seen(case: Case, data: dict[str, Array]) -> Array:
    """[batch, heads, queries, keys]: which keys each query sees."""
    ahead = case.keys - case.queries + np.arange(case.queries)[:, None] - np.arange(case.keys)
    sees = np.ones((case.batch, case.heads, case.queries, case.keys), bool)
    if case.causal:
        sees &= ahead >= 0
    if case.window:
        sees &= np.abs(ahead) < case.window
    if "mask" in data:
        sees &= data["mask"]
    if case.segments:
        sees &= (data["query_segments"][:, :, None] == data["key_segments"][:, None])[:, None]
    return sees


def product(a: Array, b: Array) -> Array:
    """a b over the last two axes. What is not float64 is summed in order, as a plain loop with one sum would."""
    if a.dtype == np.float64:
        return a @ b
    total = np.zeros((*a.shape[:-1], b.shape[-1]), a.dtype)
    for i in range(a.shape[-1]):
        total += a[..., i, None] * b[..., i, None, :]
    return total


def turned(x: Array) -> Array:
    return np.swapaxes(x, -1, -2)


def heads_first(x: Array, group: int = 1) -> Array:
    """[B, T, H, K] -> [B, H group, T, K]"""
    return np.repeat(np.swapaxes(x, 1, 2), group, axis=1)


def rows_first(x: Array, group: int = 1) -> Array:
    """[B, H group, T, K] -> [B, T, H, K], the sum over each group."""
    batch, heads, rows, dim = x.shape
    return np.swapaxes(x.reshape(batch, heads // group, group, rows, dim).sum(axis=2), 1, 2)


def shared_axes(data: dict[str, Array]) -> tuple[int, ...]:
    return tuple(axis for axis in range(3) if data["bias"].shape[axis] == 1)


def attention(case: Case, data: dict[str, Array], precision: str = "float64") -> dict[str, Array]:
    """out, lse, dq, dk, dv and, with a bias, dbias; and the probabilities, p."""
    cast = CASTS[precision]
    real = np.float64 if precision == "float64" else np.float32
    group = case.heads // case.kv_heads
    q, dout = (heads_first(data[name].astype(real)) for name in ("q", "dout"))
    k, v = (heads_first(data[name].astype(real), group) for name in ("k", "v"))
    sees, keep = seen(case, data), kept(case).astype(real)
    capped = cast(real(case.scale) * cast(product(q, turned(k))))
    slope = np.ones_like(capped)
    if case.soft_cap:
        tangent = np.tanh(capped / real(case.soft_cap))
        capped, slope = cast(real(case.soft_cap) * tangent), cast(1 - tangent * tangent)
    scores = cast(capped + data["bias"].astype(real)) if "bias" in data else capped
    scores = np.where(sees, scores, -np.inf)
    largest = np.max(scores, axis=-1, keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, 0)
    exponentials = np.exp(scores - largest)
    total = exponentials.sum(axis=-1, keepdims=True)
    safe = np.where(total > 0, total, 1)
    p = cast(exponentials / safe)
    weight, dweight = cast(p * keep), cast(product(dout, turned(v))) * keep
    dscore = cast(p * (dweight - np.sum(p * dweight, axis=-1, keepdims=True)))
    dproduct = cast(dscore * slope * real(case.scale))
    result = {
        "p": p,
        "out": cast(rows_first(product(weight, v))),
        "lse": np.where(total > 0, np.log(safe) + largest, np.inf)[..., 0],
        "dq": cast(rows_first(product(dproduct, k))),
        "dk": cast(rows_first(product(turned(dproduct), q), group)),
        "dv": cast(rows_first(product(turned(weight), dout), group)),
    }
    if "bias" in data:
        result["dbias"] = dscore.sum(axis=shared_axes(data), keepdims=True)
    return result


def magnitudes(case: Case, data: dict[str, Array], right: dict[str, Array]) -> dict[str, float]:
    """How far off each result may be if sums are right but for one rounding to float32 of the sum of their terms'
    magnitudes, also where terms cancel, and gradients start from an `out` that was rounded to the dtype once."""
    group, unit = case.heads // case.kv_heads, UNIT["float32"]
    positive = {name: np.abs(data[name].astype(np.float64)) for name in ("q", "k", "v", "dout")}
    q, dout, out = (heads_first(x) for x in (positive["q"], positive["dout"], np.abs(right["out"])))
    k, v = (heads_first(positive[name], group) for name in ("k", "v"))
    weight, dweight = right["p"] * kept(case), product(dout, turned(v)) * kept(case)
    dscore = right["p"] * (dweight + np.sum(right["p"] * dweight, axis=-1, keepdims=True)) * unit
    dscore += right["p"] * np.sum(dout * out, axis=-1, keepdims=True) * UNIT[case.dtype]
    sums = {
        "out": product(weight, v) * unit,
        "lse": abs(case.scale) * product(q, turned(k)) * unit,
        "dq": abs(case.scale) * product(dscore, k),
        "dk": abs(case.scale) * rows_first(product(turned(dscore), q), group),
        "dv": rows_first(product(turned(weight), dout), group) * unit,
        "dbias": dscore.sum(axis=shared_axes(data)) if "bias" in data else dscore,
    }
    return {name: float(x.max(initial=0)) for name, x in sums.items()}
