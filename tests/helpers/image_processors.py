"""Hugging Face's image processors that work with Pillow, and what the tests give to them."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np

CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
HALF = [0.5, 0.5, 0.5]
COMMON = {"do_resize": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True}


def square(side: int) -> dict[str, int]:
    return {"height": side, "width": side}


# As published files have them, with smaller sizes.
CONFIGS: dict[str, dict[str, Any]] = {
    "clip": {
        **COMMON,
        "image_processor_type": "CLIPImageProcessor",
        "size": {"shortest_edge": 24},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": square(24),
        "image_mean": CLIP_MEAN,
        "image_std": CLIP_STD,
        "do_convert_rgb": True,
    },
    "clip before version 4.26": {
        "feature_extractor_type": "CLIPFeatureExtractor",
        "size": 17,
        "resample": 3,
        "do_center_crop": True,
        "crop_size": 17,
        "do_resize": True,
        "do_normalize": True,
        "image_mean": CLIP_MEAN,
        "image_std": CLIP_STD,
    },
    "silent clip": {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 224}},
    "crop of less": {
        **COMMON,
        "image_processor_type": "BitImageProcessor",
        "size": {"shortest_edge": 26},
        "resample": 2,
        "do_center_crop": True,
        "crop_size": square(21),
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    },
    "siglip": {
        **COMMON,
        "image_processor_type": "SiglipImageProcessor",
        "size": square(25),
        "resample": 3,
        "image_mean": HALF,
        "image_std": HALF,
        "do_convert_rgb": None,
    },
    "vit": {
        **COMMON,
        "image_processor_type": "ViTImageProcessor",
        "size": square(19),
        "resample": 2,
        "image_mean": HALF,
        "image_std": HALF,
    },
    "vit of one number": {"feature_extractor_type": "ViTFeatureExtractor", "size": 23},
    "vit from -1 to 1 by its factor": {
        "image_processor_type": "ViTImageProcessor",
        "size": square(18),
        "resample": 1,
        "do_rescale": True,
        "rescale_factor": 1 / 127.5,
        "do_normalize": True,
        "image_mean": [1.0, 1.0, 1.0],
        "image_std": [1.0, 1.0, 1.0],
    },
    "vit without normalisation": {
        **COMMON,
        "image_processor_type": "ViTImageProcessor",
        "do_normalize": False,
    },
    "convnext with a crop": {
        **COMMON,
        "image_processor_type": "ConvNextImageProcessor",
        "size": {"shortest_edge": 28},
        "crop_pct": 0.875,
        "resample": 3,
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    },
    "convnext without a crop": {
        "image_processor_type": "ConvNextImageProcessor",
        "size": {"shortest_edge": 384},
        "resample": 3,
    },
}
PATCH_CONFIGS: dict[str, dict[str, Any]] = {
    "siglip 2": {
        **COMMON,
        "image_processor_type": "Siglip2ImageProcessor",
        "resample": 2,
        "image_mean": HALF,
        "image_std": HALF,
        "patch_size": 8,
        "max_num_patches": 36,
        "do_convert_rgb": None,
    },
    "siglip 2 of 14": {
        "image_processor_type": "Siglip2ImageProcessor",
        "patch_size": 14,
        "max_num_patches": 9,
    },
    "silent siglip 2": {"image_processor_type": "Siglip2ImageProcessor"},
}
SIZES = [(50, 71), (71, 50), (40, 40), (33, 300), (61, 20), (400, 31), (24, 24), (9, 7)]


def picture(height: int, width: int) -> np.ndarray:
    """uint8 [height, width, 3]: waves and edges by a formula, so that a recorded result can be made again."""
    y, x, c = np.mgrid[:height, :width, :3]
    waves = 60 * np.sin(0.31 * x + 0.7 * c) + 50 * np.cos(0.23 * y * (c + 1))
    edges = 90 * (((x // 5 + y // 7 + c) % 3) - 1)
    noise = (x * 7919 + y * 104729 + c * 1299709) % 41
    return np.clip(np.round(waves) + edges + noise + 90, 0, 255).astype(np.uint8)


def processor(config: dict[str, Any]) -> Any:
    """The processor that works with Pillow and NumPy: "slow" before version 5 of transformers, "Pil" since."""
    name = str(config.get("image_processor_type") or config["feature_extractor_type"])
    family = name.removesuffix("ImageProcessor").removesuffix("FeatureExtractor")
    folder = {"ConvNext": "convnext"}.get(family, family.lower())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module = importlib.import_module(f"transformers.models.{folder}.image_processing_pil_{folder}")
            kind = getattr(module, f"{family}ImageProcessorPil")
        except ModuleNotFoundError:
            module = importlib.import_module(f"transformers.models.{folder}.image_processing_{folder}")
            kind = getattr(module, f"{family}ImageProcessor")
        return kind.from_dict(dict(config))


def run(config: dict[str, Any], image: np.ndarray) -> dict[str, np.ndarray]:
    """What the original makes of one picture: pixel_values [size, size, 3], or patches with their mask and shape."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = processor(config)([Image.fromarray(image)], return_tensors="np")
    arrays = {key: np.asarray(value)[0] for key, value in result.items()}
    if arrays["pixel_values"].ndim == 3:
        arrays["pixel_values"] = arrays["pixel_values"].transpose(1, 2, 0)
    return arrays
