"""Fusion: several `nn.Tokens` in, one out; any of them may be missing for any example."""

from __future__ import annotations

from mmcore.fusion.concat import Concat
from mmcore.fusion.inputs import drop_modalities
from mmcore.fusion.projection import Projection

__all__ = ["Concat", "Projection", "drop_modalities"]
