"""Examples from files, or drawn by the package, to shuffled batches of NumPy arrays.

`read_manifest` reads CSV, JSON lines and folders of class folders; `builtin_examples` draws a set. TensorFlow
is never imported here.
"""

from __future__ import annotations

from mmcore.data.builtin import bayes_accuracy, builtin_examples
from mmcore.data.examples import SPLITS, Examples
from mmcore.data.images import Augment, load_image
from mmcore.data.labels import balance_sentence, class_names, class_weights, label_ids
from mmcore.data.manifest import Manifest, read_manifest
from mmcore.data.pipeline import Pipeline
from mmcore.data.prefetch import prefetch
from mmcore.data.splits import split_name, stratified_split

__all__ = [
    "SPLITS",
    "Augment",
    "Examples",
    "Manifest",
    "Pipeline",
    "balance_sentence",
    "bayes_accuracy",
    "builtin_examples",
    "class_names",
    "class_weights",
    "label_ids",
    "load_image",
    "prefetch",
    "read_manifest",
    "split_name",
    "stratified_split",
]
