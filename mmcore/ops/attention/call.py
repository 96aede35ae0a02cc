"""The attention function."""

from __future__ import annotations

import tensorflow as tf

from mmcore.ops.attention.arguments import checked_inputs
from mmcore.ops.attention.choice import attend
from mmcore.ops.attention.options import checked_options


def attention(
    q: tf.Tensor,
    k: tf.Tensor,
    v: tf.Tensor,
    *,
    mask: tf.Tensor | None = None,
    segment_ids: tf.Tensor | tuple[tf.Tensor, tf.Tensor] | None = None,
    is_causal: bool = False,
    window: int | None = None,
    bias: tf.Tensor | None = None,
    scale: float | None = None,
    soft_cap: float | None = None,
    dropout_rate: float = 0.0,
    seed: tf.Tensor | None = None,
    impl: str = "auto",
) -> tf.Tensor:
    """softmax(soft_cap tanh(scale q k^T / soft_cap) + bias) v, over the keys that a query sees, exactly.

    A query sees a key where everything that is given says so: mask, segment_ids, is_causal, window. One that sees
    none gives zeros, and its gradients are zero. Memory grows with T + S, not with T S, in the backward pass too.
    Query t stands at position p = S - T + t of the keys: the last query beside the last key.

    It works eagerly, in graphs, under `jit_compile=True` and in a SavedModel; there is a gradient of q, k, v and bias,
    and no second one. What is hidden is multiplied by zero all the same: q, k, v must be finite there, or the
    result of that query may be NaN. NaN in a query stays in its row.

    Shapes:
        q: float32 or bfloat16 [B, T, H, K] (float16 and float64: in plain TensorFlow); k and v: [B, S, Hkv, K] of q's
        dtype, where Hkv divides H and head h uses h // (H / Hkv) of theirs. H, Hkv and K must be known when traced.
        mask: bool [B, S], [B, T, S] or [B, 1 or H, T, S], True = may be seen; an axis but S may be 1.
        segment_ids: int32 [B, T], where T = S, or a tuple ([B, T], [B, S]): a query sees keys of its number.
        bias: float32 [B or 1, H or 1, T or 1, S], added after the cap; -infinity hides a key.
        seed: int32 [2]. Result: [B, T, H, K] in q's dtype. Sums are float32 (of float64: float64).

    Args:
        q: queries.
        k: keys.
        v: values.
        mask: which keys may be seen.
        segment_ids: which sequence of a packed row a place belongs to. A list is one tensor, a tuple a pair.
        is_causal: key s is seen from p >= s alone.
        window: key s is seen where |p - s| < window alone.
        bias: added to the scores.
        scale: a Python number; None: 1 / sqrt(K).
        soft_cap: bound of the scores; None: none.
        dropout_rate: share of the probabilities set to 0; the others are divided by 1 - dropout_rate.
        seed: decides which; the same on every device. Without effect at rate 0.
        impl: "native" (mmcore's kernel, on CPUs), "tensorflow", or "auto": native where it can, else tensorflow,
            which the log says once. `attention_impl()` says which runs.

    Raises:
        TypeError: dtypes other than these; a number that is none.
        ValueError: shapes that do not fit together, a number out of bounds, dropout without a seed, an unknown impl,
            or "native" where the kernel cannot run.
        tf.errors.InvalidArgumentError: when run; shapes unknown before do not fit together.

    Source: Vaswani et al. 2017, arXiv:1706.03762, equation 1; memory: Rabe and Staats 2021, arXiv:2112.05682; several
    queries a key: Ainslie et al. 2023, arXiv:2305.13245.

    Example:
        >>> from mmcore import ops
        >>> q, kv = tf.ones([2, 3, 4, 8]), tf.ones([2, 5, 1, 8])
        >>> ops.attention(q, kv, kv, mask=tf.sequence_mask([4, 5], 5), is_causal=True).shape
        TensorShape([2, 3, 4, 8])
    """
    inputs = checked_inputs(q, k, v, mask, segment_ids, bias, seed)
    options = checked_options(inputs.q.shape[3], is_causal, window, scale, soft_cap, dropout_rate)
    if options.dropout_rate > 0 and seed is None:
        raise ValueError(f"dropout_rate={dropout_rate} needs a seed, int32 [2]; see mmcore.nn.split and fold")
    return attend(inputs, options, impl)
