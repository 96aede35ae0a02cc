from __future__ import annotations

import numpy as np
import pytest
from image_processors import CONFIGS, PATCH_CONFIGS, SIZES, picture, run

from mmcore.image import PatchPreprocessor, Preprocessor

pytest.importorskip("transformers", reason="needs transformers: pip install -e '.[parity]'")


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", CONFIGS)
def test_equals_the_original_to_one_millionth(name, size):
    image = picture(*size)
    want = run(CONFIGS[name], image)["pixel_values"]
    got = Preprocessor.from_config(CONFIGS[name])([image])
    assert want.dtype == np.float32 and got[0].shape == want.shape
    np.testing.assert_allclose(got[0], want, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_presets_equal_the_original_on_real_photos(real_data, name):
    from PIL import Image

    preset = {"clip": Preprocessor.clip, "siglip": Preprocessor.siglip}[name]()
    config = {"image_processor_type": {"clip": "CLIPImageProcessor", "siglip": "SiglipImageProcessor"}[name]}
    paths = sorted((real_data / "coco_cc").rglob("*.jpg"))[:12]
    for path, got in zip(paths, preset(paths), strict=True):
        with Image.open(path) as file:
            want = run(config, np.asarray(file.convert("RGB")))["pixel_values"]
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)
    assert len(paths) == 12


# Not of 1 or 3 rows: the original takes those for channels.
@pytest.mark.parametrize("size", [*SIZES, (427, 640), (5, 700), (2, 2)], ids=str)
@pytest.mark.parametrize("name", PATCH_CONFIGS)
def test_patches_equal_the_original(name, size):
    image = picture(*size)
    want = run(PATCH_CONFIGS[name], image)
    got = PatchPreprocessor.from_config(PATCH_CONFIGS[name])([image])
    np.testing.assert_allclose(got.patches[0], want["pixel_values"], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(got.mask[0], want["pixel_attention_mask"] == 1)
    np.testing.assert_array_equal(got.shapes[0], want["spatial_shapes"])


def test_the_size_rule_is_that_of_the_original():
    try:
        from transformers.models.siglip2 import image_processing_pil_siglip2 as original
    except ImportError:
        from transformers.models.siglip2 import image_processing_siglip2 as original
    rng = np.random.default_rng(0)
    sides = np.exp(rng.uniform(0, np.log(12_000), (2000, 2))).astype(int)
    for height, width in sides.tolist():
        patch_size, budget = int(rng.integers(1, 40)), int(rng.integers(1, 3000))
        want = original.get_image_size_for_max_num_patches(height, width, patch_size, budget)
        rows, columns = PatchPreprocessor(patch_size=patch_size, max_patches=budget).grid(height, width)
        assert (rows * patch_size, columns * patch_size) == want


def test_patches_of_real_photos_equal_the_original(real_data):
    from PIL import Image

    paths = sorted((real_data / "coco_cc").rglob("*.jpg"))[:6]
    got = PatchPreprocessor.siglip2()(paths)
    for i, path in enumerate(paths):
        with Image.open(path) as file:
            want = run(PATCH_CONFIGS["silent siglip 2"], np.asarray(file.convert("RGB")))
        np.testing.assert_allclose(got.patches[i], want["pixel_values"], rtol=0, atol=1e-6)
        np.testing.assert_array_equal(got.shapes[i], want["spatial_shapes"])
    assert len(paths) == 6
