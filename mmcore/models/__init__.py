"""Models: encoders, a fusion and a head put together."""

from __future__ import annotations

from mmcore import _tensorflow as _tensorflow
from mmcore.models.classifier import MultimodalClassifier

__all__ = ["MultimodalClassifier"]
