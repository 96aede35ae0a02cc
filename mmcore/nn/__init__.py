"""Layers: `tf.Module`s whose variables are all made in `__init__` from explicit sizes."""

from __future__ import annotations

from mmcore.nn.linear import Linear
from mmcore.nn.paths import trainable_by_path, variables_by_path
from mmcore.nn.seeds import fold, fresh, split
from mmcore.nn.tokens import Tokens

__all__ = ["Linear", "Tokens", "fold", "fresh", "split", "trainable_by_path", "variables_by_path"]
