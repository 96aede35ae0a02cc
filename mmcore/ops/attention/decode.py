"""Attention of new tokens to a cache of keys and values, where rows of a batch differ in length."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from mmcore.ops.attention.call import attention


def decode_attention(
    q: tf.Tensor,
    k_cache: tf.Tensor,
    v_cache: tf.Tensor,
    lengths: tf.Tensor,
    *,
    window: int | None = None,
    scale: float | None = None,
    soft_cap: float | None = None,
    impl: str = "auto",
) -> tf.Tensor:
    """`attention` of the newest tokens of each row to all tokens up to themselves.

    New token t of row b stands at p = lengths[b] - T + t of the cache, which holds it already (`update_cache`), and
    sees the keys s <= p. What lies in the cache behind `lengths` has no effect, but must be finite.

    Shapes:
        q: float32 or bfloat16 [B, T, H, K], T new tokens; caches: [B, S, Hkv, K] of q's dtype, S the most that fits.
        lengths: int32 [B], tokens in the cache, the new ones included: T to S. Result: [B, T, H, K]; zeros for a token
        before the first, where lengths is less than T.

    Args:
        q: queries of the new tokens.
        k_cache: keys.
        v_cache: values.
        lengths: how much of each row is in use.
        window: key s is seen where p - s < window alone.
        scale: as in `attention`.
        soft_cap: as in `attention`.
        impl: as in `attention`.

    Raises:
        TypeError: lengths is not int32; what `attention` raises.
        ValueError: lengths is not [B], window is less than 1; what `attention` raises.

    Example:
        >>> from mmcore import ops
        >>> cache = tf.ones([2, 9, 1, 8])
        >>> ops.decode_attention(tf.ones([2, 1, 4, 8]), cache, cache, tf.constant([3, 9])).shape
        TensorShape([2, 1, 4, 8])
    """
    q, k_cache = tf.convert_to_tensor(q), tf.convert_to_tensor(k_cache)
    positions = _positions(q, lengths)[:, :, None]
    keys = tf.range(_length(k_cache))
    mask = keys <= positions
    if window is not None:
        if window < 1:
            raise ValueError(f"expected window of at least 1 (None: no window), found {window}")
        mask &= positions - keys < window
    return attention(q, k_cache, v_cache, mask=mask, scale=scale, soft_cap=soft_cap, impl=impl)


def update_cache(cache: tf.Tensor, new: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """The cache with the new tokens in their places: row b has them at lengths[b] - T to lengths[b] - 1.

    Shapes:
        cache: [B, S, Hkv, K]; new: [B, T, Hkv, K] of its dtype; lengths: int32 [B], T to S, the new tokens included.
        Result: as the cache.

    Args:
        cache: of keys or of values.
        new: what the new tokens have.
        lengths: how much of each row is in use then.

    Raises:
        TypeError: lengths is not int32.
        ValueError: lengths is not [B].
        tf.errors.InvalidArgumentError: when run; lengths is less than T or more than S (under XLA such tokens are
            left out).

    Example:
        >>> from mmcore import ops
        >>> cache = ops.update_cache(tf.zeros([1, 4, 1, 1]), tf.ones([1, 2, 1, 1]), tf.constant([3]))
        >>> cache[0, :, 0, 0].numpy().tolist()
        [0.0, 1.0, 1.0, 0.0]
    """
    new = tf.convert_to_tensor(new)
    positions = _positions(new, lengths)
    rows = tf.broadcast_to(tf.range(tf.shape(positions)[0])[:, None], tf.shape(positions))
    return tf.tensor_scatter_nd_update(cache, tf.stack([rows, positions], axis=-1), new)


def _positions(new: tf.Tensor, lengths: Any) -> tf.Tensor:
    """Where new tokens [B, T, ...] stand, int32 [B, T]."""
    lengths = tf.convert_to_tensor(lengths)
    if lengths.dtype != tf.int32:
        raise TypeError(f"expected lengths of dtype int32, found {lengths.dtype.name}; cast it")
    if not lengths.shape.is_compatible_with(new.shape[:1]):
        raise ValueError(f"expected lengths [B={new.shape[0]}], found {lengths.shape}")
    count = _length(new)
    return lengths[:, None] - count + tf.range(count)


def _length(x: tf.Tensor) -> Any:
    return tf.shape(x)[1] if x.shape[1] is None else x.shape[1]
