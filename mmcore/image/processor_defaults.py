"""What the image processors of Hugging Face assume where their file is silent."""

from __future__ import annotations

from typing import Any

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HALF = (0.5, 0.5, 0.5)
# Pillow's numbers of filters.
RESAMPLE = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
_SHORTEST = {"shortest_edge": 224}
_SQUARE = {"height": 224, "width": 224}
_CLIP = {
    "resample": 3,
    "size": _SHORTEST,
    "do_center_crop": True,
    "crop_size": _SQUARE,
    "image_mean": CLIP_MEAN,
    "image_std": CLIP_STD,
    "default_to_square": False,
}
_HALF = {"image_mean": HALF, "image_std": HALF}
# What each processor assumes where its file is silent. All of these follow one rule: resize, crop, rescale, normalise.
DEFAULTS: dict[str, dict[str, Any]] = {
    "CLIP": _CLIP,
    "ChineseCLIP": _CLIP,
    "Bit": _CLIP,
    "Siglip": {"resample": 3, "size": _SQUARE, "default_to_square": False, **_HALF},
    "ViT": {"resample": 2, "size": _SQUARE, "default_to_square": True, **_HALF},
    "DeiT": {
        "resample": 3,
        "size": {"height": 256, "width": 256},
        "do_center_crop": True,
        "crop_size": _SQUARE,
        "default_to_square": True,
        **_HALF,
    },
    "Blip": {
        "resample": 3,
        "size": {"height": 384, "width": 384},
        "image_mean": CLIP_MEAN,
        "image_std": CLIP_STD,
        "default_to_square": True,
    },
    "ConvNext": {  # Without a filter: it was bilinear in version 4 of transformers and is bicubic in version 5.
        "size": {"shortest_edge": 384},
        "crop_pct": 224 / 256,
        "default_to_square": False,
        **_HALF,
    },
    "Siglip2": {"resample": 2, "patch_size": 16, "max_num_patches": 256, **_HALF},
}
EVERY = {
    "do_resize": True,
    "do_center_crop": False,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
}
# Keys that say nothing about pixels: names, and how the original hands its result over.
ABOUT = {
    "image_processor_type",
    "feature_extractor_type",
    "processor_class",
    "auto_map",
    "data_format",
    "input_data_format",
    "return_tensors",
    "device",
    "disable_grouping",
    "transformers_version",
    "do_convert_rgb",  # The result always has three channels; what else there is, the original refuses.
}
