"""Sizes of tensors: `mmcore.ops.shapes`, where the ops below the layers find them too."""

from __future__ import annotations

from mmcore.ops.shapes import sizes

__all__ = ["sizes"]
