"""Initial values, drawn by NumPy so that one generator gives the same weights everywhere.

Each function is `(rng, shape) -> float32 array`; the last axis of `shape` is the output, all before it the
input (`[in, out]` of a linear map, `[height, width, in, out]` of a convolution).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Init = Callable[[np.random.Generator, Sequence[int]], np.ndarray]

# Standard deviation of a unit normal cut off at two: what is drawn is divided by it.
_CUT_STDDEV = 0.87962566103423978


def generator(rng: np.random.Generator | None) -> np.random.Generator:
    """The generator given, or one from fresh entropy."""
    return np.random.default_rng() if rng is None else rng


def truncated_normal(stddev: float = 0.02) -> Init:
    """A normal of this standard deviation before it is cut off at two of them (redrawn, not clipped)."""

    def init(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
        return (stddev * _cut_normal(rng, shape)).astype(np.float32)

    return init


def lecun_normal(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """Cut normal of variance 1 / fan_in. Source: LeCun et al., Efficient BackProp, 1998, section 4.6."""
    return _scaled(rng, shape, 1.0 / _fans(shape)[0])


def he_normal(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """Cut normal of variance 2 / fan_in. Source: He et al. 2015, arXiv:1502.01852, equation 10."""
    return _scaled(rng, shape, 2.0 / _fans(shape)[0])


def glorot_uniform(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """Uniform of variance 2 / (fan_in + fan_out). Source: Glorot and Bengio 2010, equation 16."""
    limit = np.sqrt(6.0 / sum(_fans(shape)))
    return rng.uniform(-limit, limit, size=shape).astype(np.float32)


def orthogonal(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """[in, out] with orthonormal rows or columns. Source: Saxe et al. 2013, arXiv:1312.6120."""
    rows, columns = shape
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return np.ascontiguousarray(q if rows >= columns else q.T, dtype=np.float32)


def _fans(shape: Sequence[int]) -> tuple[int, int]:
    receptive = int(np.prod(shape[:-2]))
    return max(1, receptive * shape[-2]), max(1, receptive * shape[-1])


def _scaled(rng: np.random.Generator, shape: Sequence[int], variance: float) -> np.ndarray:
    return (np.sqrt(variance) / _CUT_STDDEV * _cut_normal(rng, shape)).astype(np.float32)


def _cut_normal(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    values = rng.standard_normal(shape)
    while np.any(outside := np.abs(values) > 2.0):
        values[outside] = rng.standard_normal(int(outside.sum()))
    return values
