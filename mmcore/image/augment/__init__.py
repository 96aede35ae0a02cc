"""Augmentation of training images: each a pure function of (seed, index), computed in the native core.

`Augmentation` is a list of steps fused with resize and normalisation; `mixup` and `cutmix` mix a batch. What
they draw and compute is said in plain Python in `mmcore.image.augment.reference`.
"""

from __future__ import annotations

from mmcore.image.augment.augmentation import Augmentation
from mmcore.image.augment.boxes import random_flips, random_resized_crop_boxes
from mmcore.image.augment.mix import cutmix, mixup
from mmcore.image.augment.steps import (
    OPERATIONS,
    RAND_AUGMENT,
    ColorJitter,
    RandAugment,
    RandomErasing,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
    Step,
)

__all__ = [
    "OPERATIONS",
    "RAND_AUGMENT",
    "Augmentation",
    "ColorJitter",
    "RandAugment",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "Step",
    "cutmix",
    "mixup",
    "random_flips",
    "random_resized_crop_boxes",
]
