"""Attention and its gradients in NumPy and float64, as the formulas say it; and attention as one writes it plainly.

The oracle also gives what rounding costs a good implementation: squares of the errors add up.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from mmcore.ops.seeds import uniform

NAMES = ("out", "dq", "dk", "dv", "dbias")


@dataclasses.dataclass
class Case:
    """Inputs of a call, and the gradient that comes from above. Arrays are float32 but hold numbers of `dtype`."""

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    dout: np.ndarray
    options: dict
    dtype: str = "float32"

    def tensors(self) -> list[tf.Tensor]:
        return [tf.cast(x, self.dtype) for x in (self.q, self.k, self.v, self.dout)]

    def bias(self) -> list[tf.Tensor]:
        return [tf.constant(self.options["bias"])] if "bias" in self.options else []

    def keywords(self) -> dict:
        """The options as tensors, but the bias."""
        made = {}
        for name, value in self.options.items():
            if isinstance(value, tuple):
                made[name] = tuple(tf.constant(x) for x in value)
            elif name != "bias":
                made[name] = tf.constant(value) if isinstance(value, np.ndarray) else value
        return made


def visible(case: Case) -> np.ndarray:
    """bool [B, H, T, S]"""
    (batch, queries, heads, _), keys = case.q.shape, case.k.shape[1]
    behind = (keys - queries + np.arange(queries))[:, None] - np.arange(keys)
    seen = np.ones((batch, heads, queries, keys), bool)
    if case.options.get("is_causal"):
        seen &= behind >= 0
    if "window" in case.options:
        seen &= np.abs(behind) < case.options["window"]
    if "mask" in case.options:
        mask = case.options["mask"]
        seen &= mask[:, None, None] if mask.ndim == 2 else mask[:, None] if mask.ndim == 3 else mask
    if "segment_ids" in case.options:
        ids = case.options["segment_ids"]
        mine, theirs = ids if isinstance(ids, tuple) else (ids, ids)
        seen &= (mine[:, :, None] == theirs[:, None, :])[:, None]
    return seen


def kept(case: Case) -> np.ndarray:
    """[B, H, T, S]: what dropout multiplies with."""
    (batch, queries, heads, _), keys = case.q.shape, case.k.shape[1]
    rate = np.float32(case.options.get("dropout_rate", 0))
    if not rate:
        return np.ones((batch, heads, queries, keys))
    drawn = uniform(tf.constant(case.options["seed"]), [batch, heads, queries, keys]).numpy()
    return (drawn >= rate) / (1 - np.float64(rate))


def oracle(case: Case) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(out, dq, dk, dv and dbias where there is a bias) in float64, and the bounds of each."""
    group = case.q.shape[2] // case.k.shape[2]
    q, dout = (np.asarray(x, np.float64).transpose(0, 2, 1, 3) for x in (case.q, case.dout))
    k, v = (np.asarray(x, np.float64).transpose(0, 2, 1, 3).repeat(group, axis=1) for x in (case.k, case.v))
    scale = np.float64(np.float32(case.options.get("scale", q.shape[-1] ** -0.5)))
    raw = scale * (q @ k.swapaxes(2, 3))
    cap = case.options.get("soft_cap")
    scores = raw if cap is None else np.float32(cap) * np.tanh(raw / np.float32(cap))
    slope = 1.0 if cap is None else 1 - (scores / np.float32(cap)) ** 2
    bias = np.asarray(case.options["bias"], np.float64) if "bias" in case.options else None
    scores = scores if bias is None else scores + bias
    scores = np.where(visible(case), scores, -np.inf)
    most = scores.max(axis=-1, keepdims=True, initial=-np.inf)
    powers = np.exp(scores - np.where(np.isfinite(most), most, 0))
    sums = powers.sum(axis=-1, keepdims=True)
    p = powers / np.where(sums == 0, 1, sums)
    keep = kept(case)

    def results(weights, ds, q, k, v, dout, slope, scale) -> list[np.ndarray]:
        inner = ds * slope * scale
        dq, dk, dv = inner @ k, inner.swapaxes(2, 3) @ q, weights.swapaxes(2, 3) @ dout
        dk, dv = (x.reshape(x.shape[0], -1, group, *x.shape[2:]).sum(axis=2) for x in (dk, dv))
        made = [x.transpose(0, 2, 1, 3) for x in (weights @ v, dq, dk, dv)]
        if bias is not None:
            axes = tuple(i for i, size in enumerate(bias.shape) if size == 1 and ds.shape[i] != 1)
            made.append(ds.sum(axis=axes, keepdims=True))
        return made

    dp = keep * (dout @ v.swapaxes(2, 3))
    ds = p * (dp - (p * dp).sum(axis=-1, keepdims=True))

    # Squares of units by which each is wrong. A rounded score s makes exp(s - lse) wrong by the share |s| of a unit, a
    # rounded lse by |lse|; added in pairs, each of n terms is rounded log2(n) times more.
    def rounds(terms: float) -> float:
        return 1 + np.log2(max(1, terms))

    lse = np.where(sums == 0, 0, most + np.log(np.where(sums == 0, 1, sums)))
    share = np.where(np.isfinite(scores), scores, 0) ** 2
    dp_wrong = rounds(q.shape[-1]) * keep**2 * (dout**2 @ (v**2).swapaxes(2, 3))
    ds_wrong = p**2 * (dp_wrong + (p**2 * dp_wrong).sum(axis=-1, keepdims=True)) + (share + lse**2) * ds**2
    rest = (q**2, k**2, v**2, dout**2, slope**2, scale**2)
    out, *_ = results((p * keep) ** 2 * (1 + share), ds_wrong, *rest)
    _, dq, dk, dv, *dbias = results((p * keep) ** 2 * (1 + share + lse**2), ds_wrong, *rest)
    by_keys, by_queries = rounds(p.shape[3]), rounds(p.shape[2] * group)
    wrong = [by_keys * out, by_keys * dq, by_queries * dk, by_queries * dv]
    wrong += [rounds(p.size / max(1, x.size)) * x for x in dbias]
    unit = {"float32": 2.0**-24, "bfloat16": 2.0**-9}[case.dtype]
    return results(p * keep, ds, q, k, v, dout, slope, scale), [unit * np.sqrt(x) for x in wrong]


def plain(case: Case) -> list[np.ndarray]:
    """The same by TensorFlow's matmul, softmax and automatic gradient, in the case's dtype."""
    q, k, v, dout = case.tensors()
    bias = case.bias()
    group = case.q.shape[2] // case.k.shape[2]
    seen, keep = tf.constant(visible(case)), tf.cast(kept(case), q.dtype)
    with tf.GradientTape() as tape:
        tape.watch([q, k, v, *bias])
        heads = [tf.transpose(x, [0, 2, 1, 3]) for x in (q, k, v)]
        keys, values = (tf.repeat(x, group, axis=1) for x in heads[1:])
        scores = tf.matmul(heads[0], keys, transpose_b=True)
        scores *= tf.cast(case.options.get("scale", case.q.shape[-1] ** -0.5), q.dtype)
        if cap := case.options.get("soft_cap"):
            scores = cap * tf.tanh(scores / cap)
        for x in bias:
            scores += tf.cast(tf.maximum(x, -1e30), q.dtype)
        weights = tf.nn.softmax(tf.where(seen, scores, tf.cast(-1e30, q.dtype)))
        weights = tf.where(tf.reduce_any(seen, axis=-1, keepdims=True), weights, tf.zeros([], q.dtype))
        out = tf.transpose(tf.matmul(weights * keep, values), [0, 2, 1, 3])
    gradients = tape.gradient(out, [q, k, v, *bias], output_gradients=dout)
    return [np.asarray(tf.cast(x, tf.float32), np.float64) for x in (out, *gradients)]


def check(found: list[np.ndarray], case: Case, *, strict: bool = False) -> None:
    """error(found) <= 2 error(plain), root mean squares of each result, where both are compared with float64.

    Plain TensorFlow is exact where a query sees one key (the softmax is 1, and its gradient cancels bit for bit): what
    rounding costs is granted there, too; not if `strict`, for problems where queries see many keys.
    """
    expected, bounds = oracle(case)
    assert len(found) == len(expected)
    for name, ours, theirs, truth, bound in zip(NAMES, found, plain(case), expected, bounds, strict=False):
        assert ours.shape == truth.shape, name
        assert np.isfinite(ours).all(), name
        error, allowed = rms(ours - truth), 2 * max(rms(theirs - truth), 0.0 if strict else rms(bound))
        assert error <= allowed, f"{name}: {error} > {allowed}"


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x)))) if x.size else 0.0


class Pool:
    """Errors of many cases together, in units of what rounding costs: luck with one of them does not count then."""

    def __init__(self) -> None:
        self.ours: dict[tuple[str, str], float] = {}
        self.plain: dict[tuple[str, str], float] = {}

    def add(self, found: list[np.ndarray], case: Case) -> None:
        expected, bounds = oracle(case)
        for name, ours, theirs, truth, bound in zip(
            NAMES, found, plain(case), expected, bounds, strict=False
        ):
            unit = rms(bound) or 1.0
            for sums, result in ((self.ours, ours), (self.plain, theirs)):
                sums[case.dtype, name] = sums.get((case.dtype, name), 0) + (rms(result - truth) / unit) ** 2

    def check(self) -> None:
        for key, ours in self.ours.items():
            assert ours <= 4 * self.plain[key], (
                f"{key}: {(ours / self.plain[key]) ** 0.5} times plain TensorFlow"
            )
