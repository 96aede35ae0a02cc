"""Stateless seeds: `mmcore.ops.seeds`, where the ops below the layers find them too."""

from __future__ import annotations

from mmcore.ops.seeds import bits, fold, fresh, split, uniform

__all__ = ["bits", "fold", "fresh", "split", "uniform"]
