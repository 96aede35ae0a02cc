"""TensorFlow functions over the native core: what `mmcore.text` and `mmcore.image` compute, in graphs.

They work eagerly, in `tf.function`, in `tf.data` and in a SavedModel. Importing this package loads the op
library, which a process that opens such a SavedModel must do first. The ops have no XLA kernels: a function
with `jit_compile=True` that contains one does not compile, so preprocessing belongs into the input pipeline,
outside the compiled step. Each has a slow twin (`reference_...`) that says plainly what it computes.
"""

from __future__ import annotations

from mmcore import _load

_load.kernels()

from mmcore.ops.image import reference_resize_normalize, resize_normalize  # noqa: E402
from mmcore.ops.text import reference_tokenize, tokenize  # noqa: E402

__all__ = ["reference_resize_normalize", "reference_tokenize", "resize_normalize", "tokenize"]
