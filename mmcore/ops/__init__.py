"""TensorFlow functions over the native core: `mmcore.text` and `mmcore.image` in graphs; attention and norms.

They work eagerly, in `tf.function`, in `tf.data` and in a SavedModel. Importing this package loads the op
library, which a process that opens such a SavedModel must do first. Attention and the norms run in functions with
`jit_compile=True`, too; the other ops have no XLA kernels, so preprocessing belongs into the input pipeline, outside
the compiled step. Each has a slow twin (`reference_...`, of attention and norms impl="tensorflow") that says plainly
what it computes.
"""

from __future__ import annotations

from mmcore import _load

_load.kernels()
_load.xla_error()  # A SavedModel may hold calls that XLA makes.

from mmcore.ops.attention import (  # noqa: E402
    attention,
    attention_impl,
    decode_attention,
    update_cache,
)
from mmcore.ops.augment import (  # noqa: E402
    augment_images,
    cutmix,
    mixup,
    reference_augment_images,
    reference_mix,
)
from mmcore.ops.detokenize import detokenize, reference_detokenize  # noqa: E402
from mmcore.ops.image import reference_resize_normalize, resize_normalize  # noqa: E402
from mmcore.ops.image_file import preprocess_image, reference_preprocess_image  # noqa: E402
from mmcore.ops.memory import as_tensor  # noqa: E402
from mmcore.ops.norm import layer_norm, rms_norm  # noqa: E402
from mmcore.ops.packing import pack, reference_pack  # noqa: E402
from mmcore.ops.patches import (  # noqa: E402
    PackedPatchTensors,
    PatchTensors,
    image_patches,
    pack_patches,
    preprocess_patches,
    reference_image_patches,
)
from mmcore.ops.squares import sum_of_squares  # noqa: E402
from mmcore.ops.text import reference_tokenize, tokenize  # noqa: E402

__all__ = [
    "PackedPatchTensors",
    "PatchTensors",
    "as_tensor",
    "attention",
    "attention_impl",
    "augment_images",
    "cutmix",
    "decode_attention",
    "detokenize",
    "image_patches",
    "layer_norm",
    "mixup",
    "pack",
    "pack_patches",
    "preprocess_image",
    "preprocess_patches",
    "reference_augment_images",
    "reference_detokenize",
    "reference_image_patches",
    "reference_mix",
    "reference_pack",
    "reference_preprocess_image",
    "reference_resize_normalize",
    "reference_tokenize",
    "resize_normalize",
    "rms_norm",
    "sum_of_squares",
    "tokenize",
    "update_cache",
]
