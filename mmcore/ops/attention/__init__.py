"""Attention over a native kernel, everywhere where TensorFlow runs; see `attention`.

`arguments` and `options` check what is given, `choice` picks who computes it: `native` (an op of TensorFlow),
`xla` (calls inside compiled functions), `graph` (either, whichever the graph becomes) or `twin` (TensorFlow alone).
"""

from __future__ import annotations

from mmcore.ops.attention.call import attention
from mmcore.ops.attention.choice import attention_impl
from mmcore.ops.attention.decode import decode_attention, update_cache

__all__ = ["attention", "attention_impl", "decode_attention", "update_cache"]
