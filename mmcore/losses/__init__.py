"""Losses: functions of logits and labels that return a scalar."""

from __future__ import annotations

from mmcore import _tensorflow as _tensorflow
from mmcore.losses.cross_entropy import cross_entropy
from mmcore.losses.linear_cross_entropy import linear_cross_entropy
from mmcore.losses.next_token import next_token

__all__ = ["cross_entropy", "linear_cross_entropy", "next_token"]
