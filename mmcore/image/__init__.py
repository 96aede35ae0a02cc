"""Image bytes to normalised float arrays: NumPy over the native core, without TensorFlow.

`Preprocessor` does it all in one call; `decode`, `resize` and `resize_normalize` are its parts, and
`random_resized_crop_boxes` and `random_flips` draw what a training pipeline passes to `resize_normalize`.
`Augmentation` makes training batches, `mixup` and `cutmix` mix them. `PatchPreprocessor` keeps the aspect of each image
and cuts it into patches, `pack_patches` puts several images into one row.
"""

from __future__ import annotations

from mmcore.image._file import FORMATS, KNOWN_FORMATS
from mmcore.image.augment import (
    Augmentation,
    ColorJitter,
    RandAugment,
    RandomErasing,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
    cutmix,
    mixup,
    random_flips,
    random_resized_crop_boxes,
)
from mmcore.image.decode import decode
from mmcore.image.normalize import denormalize, normalize
from mmcore.image.pack_patches import PackedPatches, pack_patches
from mmcore.image.patches import PatchBatch, PatchPreprocessor
from mmcore.image.preprocess import Preprocessor
from mmcore.image.resize import resize, resize_normalize

__all__ = [
    "FORMATS",
    "KNOWN_FORMATS",
    "Augmentation",
    "ColorJitter",
    "PackedPatches",
    "PatchBatch",
    "PatchPreprocessor",
    "Preprocessor",
    "RandAugment",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "cutmix",
    "decode",
    "denormalize",
    "mixup",
    "normalize",
    "pack_patches",
    "random_flips",
    "random_resized_crop_boxes",
    "resize",
    "resize_normalize",
]
