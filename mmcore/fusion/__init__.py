"""Fusion: several `nn.Tokens` in, one out; any of them may be missing for any example."""

from __future__ import annotations

from mmcore import _tensorflow as _tensorflow
from mmcore.fusion.bottleneck import Bottleneck
from mmcore.fusion.concat import Concat
from mmcore.fusion.cross_attention import CrossAttention, CrossAttentionBlock
from mmcore.fusion.inputs import drop_modalities
from mmcore.fusion.parallel import Parallel
from mmcore.fusion.projection import Projection

__all__ = [
    "Bottleneck",
    "Concat",
    "CrossAttention",
    "CrossAttentionBlock",
    "Parallel",
    "Projection",
    "drop_modalities",
]
