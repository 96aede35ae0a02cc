"""The parts of attention's definition, for a chunk of queries: scores, what is seen, softmax, dropout."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from mmcore.ops.attention.arguments import Inputs
from mmcore.ops.attention.options import Options
from mmcore.ops.chunks import Chunks
from mmcore.ops.dtypes import wide_dtype
from mmcore.ops.seeds import as_uniform, bits_at
from mmcore.ops.shapes import sizes

# Scores held at once, where sizes are known: 16 MiB of float32. Rows at once where they are not.
_MOST_SCORES = 2**22
_ROWS = 128


class Scores:
    """Attention's scores, chunk after chunk of queries.

    Shapes:
        k and v: [B, Hkv, S, K]; by heads: [B, Hkv, H / Hkv * C, K] for C queries; scores: [B, H, C, S].
    """

    def __init__(self, inputs: Inputs, options: Options):
        self.inputs, self.options = inputs, options
        self.batch, self.length, self.heads, self.head_dim = sizes(inputs.q)
        _, self.keys, self.kv_heads, _ = sizes(inputs.k)
        self.chunks = Chunks(self.length, self._rows())
        self.dtype = wide_dtype(inputs.q.dtype)
        self.k, self.v = (tf.cast(tf.transpose(x, [0, 2, 1, 3]), self.dtype) for x in (inputs.k, inputs.v))
        self._q = self.chunks.split(inputs.q, 1)
        self._mask, self._bias = (self._with_queries(x) for x in (inputs.mask, inputs.bias))

    def _rows(self) -> int:
        if not all(isinstance(size, int) for size in (self.batch, self.heads, self.keys)):
            return _ROWS
        return max(16, _MOST_SCORES // max(1, self.batch * self.heads * self.keys))

    def _with_queries(self, x: tf.Tensor | None) -> tf.Tensor | None:
        """[1|B, 1|H, 1|T, S] in chunks [1|B, 1|H, count, C, S], or [1|B, 1|H, 1, 1, S]."""
        if x is None or x.shape[2] == 1:
            return None if x is None else x[:, :, None]
        if x.shape[2] is None:
            x = tf.broadcast_to(x, tf.concat([tf.shape(x)[:2], [self.length], tf.shape(x)[3:]], 0))
        return self.chunks.split(x, 2)

    def queries(self, i: Any) -> tf.Tensor:
        """q of a chunk, by heads."""
        return self.by_heads(tf.gather(self._q, i, axis=1))

    def by_heads(self, rows: tf.Tensor) -> tf.Tensor:
        """[B, C, H, K] -> [B, Hkv, H / Hkv * C, K], wide."""
        return self.grouped(tf.cast(tf.transpose(rows, [0, 2, 1, 3]), self.dtype))

    def as_rows(self, x: tf.Tensor) -> tf.Tensor:
        """The inverse of `by_heads`, in q's dtype."""
        return tf.cast(tf.transpose(self.ungrouped(x), [0, 2, 1, 3]), self.inputs.q.dtype)

    def grouped(self, x: tf.Tensor) -> tf.Tensor:
        """[B, H, C, ...] -> [B, Hkv, H / Hkv * C, ...]: heads that share their keys in one matrix."""
        rows = self.heads // self.kv_heads * self.chunks.rows
        return tf.reshape(x, [self.batch, self.kv_heads, rows, sizes(x)[3]])

    def ungrouped(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reshape(x, [self.batch, self.heads, self.chunks.rows, sizes(x)[3]])

    def of(self, i: Any) -> tuple[tf.Tensor, Any]:
        """The scores of a chunk, -infinity where a key is not seen, and the slope of the cap."""
        scores = self.ungrouped(tf.matmul(self.queries(i), self.k, transpose_b=True)) * self.options.scale
        slope: Any = 1.0
        if cap := self.options.soft_cap:
            scores = tf.tanh(scores / cap)
            slope = 1.0 - scores * scores
            scores *= cap
        if self._bias is not None:
            scores += tf.cast(self._pick(self._bias, i), self.dtype)
        visible = self._visible(i)
        return scores if visible is None else tf.where(visible, scores, _lowest(self.dtype)), slope

    def kept(self, i: Any) -> Any:
        """What P is multiplied by: 1, or with dropout 0 or 1 / (1 - rate), as csrc/core/attention/dropout.h says."""
        rate = self.options.dropout_rate
        if not rate:
            return 1.0

        def word(x: Any) -> tf.Tensor:
            return tf.cast(x, tf.uint32)

        heads = word(tf.range(self.batch))[:, None] * word(self.heads) + word(tf.range(self.heads))
        rows = heads[:, :, None] * word(self.length) + word(self._numbers(i))
        index = rows[..., None] * word(self.keys) + word(tf.range(self.keys))
        keep = as_uniform(bits_at(self.inputs.seed, index)) >= tf.constant(rate, tf.float32)
        return tf.cast(keep, self.dtype) * (1.0 / (1.0 - rate))

    def _visible(self, i: Any) -> tf.Tensor | None:
        """bool that broadcasts to [B, H, C, S], or None where every query sees every key."""
        seen = []
        behind = (self._numbers(i) + (self.keys - self.length))[:, None] - tf.range(self.keys)
        if self.options.is_causal:
            seen.append(behind >= 0)
        # A window beyond int32 hides nothing.
        if self.options.window is not None and self.options.window < 2**31:
            seen.append(tf.abs(behind) < self.options.window)
        if self._mask is not None:
            seen.append(self._pick(self._mask, i))
        if self.inputs.segments:
            queries, keys = self.inputs.segments
            mine = tf.gather(self.chunks.split(queries, 1), i, axis=1)
            seen.append((mine[:, :, None] == keys[:, None, :])[:, None])
        if not seen:
            return None
        visible = seen[0]
        for other in seen[1:]:
            visible = visible & other
        return visible

    def _numbers(self, i: Any) -> tf.Tensor:
        """Which queries the chunk holds, int32 [C]."""
        return i * self.chunks.rows + tf.range(self.chunks.rows)

    def _pick(self, x: tf.Tensor, i: Any) -> tf.Tensor:
        """The chunk of [1|B, 1|H, count, C, S] or [1|B, 1|H, 1, 1, S]."""
        return x[:, :, 0] if x.shape[3] == 1 and self.chunks.rows != 1 else tf.gather(x, i, axis=2)


def softmax(scores: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Along the last axis, and the logarithm of the sum of exponentials, where that axis has size 1.

    Zeros and infinity where all scores are -infinity, so that exp(score - infinity) is 0, too.
    """
    most = tf.reduce_max(scores, axis=-1, keepdims=True)
    nothing = most == _lowest(scores.dtype)
    powers = tf.exp(scores - tf.where(nothing, tf.zeros([], scores.dtype), most))
    sums = tf.reduce_sum(powers, axis=-1, keepdims=True)
    lse = tf.where(nothing, -_lowest(scores.dtype), most + tf.math.log(sums))
    return tf.math.divide_no_nan(powers, sums), lse


def _lowest(dtype: tf.DType) -> tf.Tensor:
    return tf.constant(float("-inf"), dtype)
