"""Image bytes to normalised float arrays: NumPy over the native core, without TensorFlow.

`Preprocessor` does it all in one call; `decode`, `resize` and `resize_normalize` are its parts, and
`random_resized_crop_boxes` and `random_flips` draw what a training pipeline passes to `resize_normalize`.
"""

from __future__ import annotations

from mmcore.image.augment import random_flips, random_resized_crop_boxes
from mmcore.image.decode import decode
from mmcore.image.normalize import normalize
from mmcore.image.preprocess import Preprocessor
from mmcore.image.resize import resize, resize_normalize

__all__ = [
    "Preprocessor",
    "decode",
    "normalize",
    "random_flips",
    "random_resized_crop_boxes",
    "resize",
    "resize_normalize",
]
