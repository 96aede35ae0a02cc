"""Losses: functions of logits and labels that return a scalar."""

from __future__ import annotations

from mmcore import _tensorflow as _tensorflow
from mmcore.losses.cross_entropy import cross_entropy

__all__ = ["cross_entropy"]
