"""Examples from files, or drawn by the package, to shuffled batches of NumPy arrays.

`read_manifest` reads CSV, JSON lines, folders of class folders, WebDataset and TFRecord shards; `examples_from`
takes a source of one's own; `builtin_examples` draws a set. TensorFlow is never imported here.
"""

from __future__ import annotations

from mmcore.data.budget import Budget
from mmcore.data.builtin import bayes_accuracy, builtin_examples
from mmcore.data.example_proto import encode_example, parse_example
from mmcore.data.examples import SPLITS, Examples, Source, examples_from
from mmcore.data.images import Augment, load_image
from mmcore.data.labels import balance_sentence, class_names, class_weights, label_ids
from mmcore.data.manifest import Manifest, read_manifest
from mmcore.data.packed import Packed
from mmcore.data.packing import Packing, pack
from mmcore.data.pipeline import Pipeline
from mmcore.data.prefetch import prefetch
from mmcore.data.splits import split_name, stratified_split
from mmcore.data.tfrecord import write_record_index, write_records

__all__ = [
    "SPLITS",
    "Augment",
    "Budget",
    "Examples",
    "Manifest",
    "Packed",
    "Packing",
    "Pipeline",
    "Source",
    "balance_sentence",
    "bayes_accuracy",
    "builtin_examples",
    "class_names",
    "class_weights",
    "encode_example",
    "examples_from",
    "label_ids",
    "load_image",
    "pack",
    "parse_example",
    "prefetch",
    "read_manifest",
    "split_name",
    "stratified_split",
    "write_record_index",
    "write_records",
]
