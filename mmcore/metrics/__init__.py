"""Metrics of classification: NumPy functions over collected predictions, a TensorFlow one for the step."""

from __future__ import annotations

from mmcore import _tensorflow as _tensorflow
from mmcore.metrics.batch import batch_accuracy
from mmcore.metrics.classification import accuracy, confusion_matrix, macro_f1, top_k_accuracy

__all__ = ["accuracy", "batch_accuracy", "confusion_matrix", "macro_f1", "top_k_accuracy"]
