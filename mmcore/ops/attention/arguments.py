"""The tensors of an attention call, checked as far as their shapes are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

Dims = Sequence[int | None]

DTYPES = (tf.float32, tf.bfloat16, tf.float16, tf.float64)


class Inputs(NamedTuple):
    """Shapes as in `attention`, but mask and bias [1|B, 1|H, 1|T, S], segments [B, T] and [B, S] or neither."""

    q: tf.Tensor
    k: tf.Tensor
    v: tf.Tensor
    mask: tf.Tensor | None
    bias: tf.Tensor | None
    segments: tuple[tf.Tensor, ...]
    seed: tf.Tensor | None

    @property
    def masks(self) -> list[tf.Tensor]:
        return [] if self.mask is None else [self.mask]

    @property
    def biases(self) -> list[tf.Tensor]:
        return [] if self.bias is None else [self.bias]

    @property
    def seeds(self) -> list[tf.Tensor]:
        return [] if self.seed is None else [self.seed]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """How many masks, biases, segments and seeds there are."""
        return len(self.masks), len(self.biases), len(self.segments), len(self.seeds)

    def tensors(self) -> list[tf.Tensor]:
        """All that are there, in the order of the kernels."""
        return [self.q, self.k, self.v, *self.masks, *self.biases, *self.segments, *self.seeds]


def unpacked(tensors: Sequence[tf.Tensor], counts: Sequence[int]) -> Inputs:
    """The inverse of `Inputs.tensors`, from the numbers of masks, biases, segments and seeds."""
    q, k, v, *rest = tensors
    lists: list[list[tf.Tensor]] = []
    for count in counts:
        lists.append(rest[:count])
        rest = rest[count:]
    masks, biases, segments, seeds = lists
    mask, bias, seed = (x[0] if x else None for x in (masks, biases, seeds))
    return Inputs(q, k, v, mask, bias, tuple(segments), seed)


def checked_inputs(q: Any, k: Any, v: Any, mask: Any, segment_ids: Any, bias: Any, seed: Any) -> Inputs:
    """The tensors, if they may fit together; see `attention` for what it raises."""
    q, k, v = (tf.convert_to_tensor(x) for x in (q, k, v))
    batch, queries, keys, heads = _sizes(q, k, v)
    axes = (("B", batch), ("H", heads), ("T", queries))
    if bias is not None:
        bias = _of_dtype("bias", bias, tf.float32)
        _check_axes("bias", bias, axes, keys)
    return Inputs(
        q,
        k,
        v,
        None if mask is None else _mask(mask, axes, keys),
        bias,
        () if segment_ids is None else _segments(segment_ids, (batch, queries), (batch, keys)),
        None if seed is None else _seed(seed),
    )


def _sizes(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) -> tuple[int | None, int | None, int | None, int]:
    if not (q.dtype == k.dtype == v.dtype and q.dtype in DTYPES):
        found = ", ".join(x.dtype.name for x in (q, k, v))
        raise TypeError(
            f"expected q, k and v of one dtype, {' or '.join(d.name for d in DTYPES)}, found {found}; cast them"
        )
    for name, x in (("q", q), ("k", k), ("v", v)):
        # B, T and S may be unknown.
        if x.shape.rank != 4 or None in x.shape.as_list()[2:]:
            raise ValueError(
                f"expected {name} [B, length, heads, K] with heads and K known when traced, found {x.shape}"
            )
    (batch, queries, heads, head_dim), (_, keys, kv_heads, _) = q.shape.as_list(), k.shape.as_list()
    if not (_fits(k.shape, [batch, None, None, head_dim]) and v.shape.is_compatible_with(k.shape)):
        raise ValueError(
            f"expected k and v of one shape [B, S, Hkv, K] with B and K of q {q.shape}, found {k.shape} and {v.shape}"
        )
    if not (heads and kv_heads and head_dim) or heads % kv_heads:
        raise ValueError(
            f"expected K of at least 1 and Hkv that divides H, found K={head_dim}, H={heads}, Hkv={kv_heads}"
        )
    return batch, queries, keys, heads


def _mask(mask: Any, axes: Sequence[tuple[str, int | None]], keys: int | None) -> tf.Tensor:
    """bool [1|B, 1|H, 1|T, S] from [B, S], [B, T, S] or [B, 1|H, T, S]."""
    mask = _of_dtype("mask", mask, tf.bool)
    rank = mask.shape.rank
    if rank not in (2, 3, 4):
        raise ValueError(f"expected a mask [B, S], [B, T, S] or [B, 1 or H, T, S], found {mask.shape}")
    mask = mask[:, None, None, :] if rank == 2 else mask[:, None] if rank == 3 else mask
    _check_axes("mask", mask, axes, keys)
    return mask


def _check_axes(name: str, x: tf.Tensor, axes: Sequence[tuple[str, int | None]], keys: int | None) -> None:
    found = x.shape.as_list() if x.shape.rank == 4 else []
    fine = bool(found) and (keys is None or found[3] in (None, keys))
    for size, (_, full) in zip(found, axes, strict=False):
        fine = fine and (full is None or size in (None, 1, full))
    if not fine:
        wanted = ", ".join(f"1 or {letter}={full}" for letter, full in axes)
        raise ValueError(f"expected {name} [{wanted}, S={keys}], found {x.shape}")


def _segments(segment_ids: Any, queries: Dims, keys: Dims) -> tuple[tf.Tensor, ...]:
    """Of queries and of keys: one tensor serves both where T = S."""
    pair = segment_ids if isinstance(segment_ids, tuple) else (segment_ids, segment_ids)
    if len(pair) != 2:
        raise ValueError(f"expected segment_ids [B, T] or a tuple of two, found a tuple of {len(pair)}")
    tensors = tuple(_of_dtype("segment_ids", x, tf.int32) for x in pair)
    for axes, x, shape in zip(("B, T", "B, S"), tensors, (queries, keys), strict=True):
        if not _fits(x.shape, shape):
            raise ValueError(
                f"expected segment_ids [{axes}] = {list(shape)}, found {x.shape}; where T and S differ, give a tuple "
                "(of queries, of keys)"
            )
    return tensors


def _seed(seed: Any) -> tf.Tensor:
    seed = _of_dtype("seed", seed, tf.int32)
    if not _fits(seed.shape, [2]):
        raise ValueError(f"expected seed int32 [2], found {seed.shape}")
    return seed


def _of_dtype(name: str, x: Any, dtype: tf.DType) -> tf.Tensor:
    x = tf.convert_to_tensor(x)
    if x.dtype != dtype:
        raise TypeError(f"expected {name} of dtype {dtype.name}, found {x.dtype.name}; cast it")
    return x


def _fits(shape: tf.TensorShape, expected: Dims) -> bool:
    """Whether the shape may be the expected one, as far as both are known."""
    return shape.is_compatible_with(expected)
