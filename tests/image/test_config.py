from __future__ import annotations

import json

import numpy as np
import pytest
from image_processors import CONFIGS, PATCH_CONFIGS, picture, square
from image_records import RECORD, recorded

from mmcore.errors import FormatError, LimitError
from mmcore.image import Preprocessor
from mmcore.image.processor_defaults import CLIP_MEAN, CLIP_STD, HALF

SQUASHED = [case for case in RECORD["cases"] if case["name"] != "siglip 2"]
SIGLIP = {**CONFIGS["siglip"], "size": square(8)}


@pytest.mark.parametrize("case", SQUASHED, ids=lambda case: f"{case['name']} {case['picture']}")
def test_recorded_results_of_hugging_face(case):
    got = Preprocessor.from_config(case["config"])([picture(*case["picture"])])
    np.testing.assert_allclose(got[0], recorded(case)["pixel_values"], rtol=0, atol=1e-6)


def test_the_record_covers_the_presets():
    assert {case["name"] for case in SQUASHED} >= {"clip", "siglip", "vit", "convnext with a crop"}
    assert RECORD["tool"].startswith("transformers ") and RECORD["date"]


def test_presets_are_what_their_files_say():
    clip = Preprocessor.from_config({"image_processor_type": "CLIPImageProcessor"})
    siglip = Preprocessor.from_config({"image_processor_type": "SiglipImageProcessor"})
    image = picture(300, 260)
    for one, other in [(clip, Preprocessor.clip()), (siglip, Preprocessor.siglip())]:
        np.testing.assert_array_equal(one([image]), other([image]))


def test_file_folder_dict_and_processor_config_are_the_same(tmp_path):
    want = Preprocessor.from_config(CONFIGS["clip"])
    file = tmp_path / "preprocessor_config.json"
    file.write_text(json.dumps(CONFIGS["clip"]), encoding="utf-8")
    assert Preprocessor.from_config(tmp_path) == Preprocessor.from_config(str(file)) == want
    file.rename(tmp_path / "processor_config.json")
    (tmp_path / "processor_config.json").write_text(
        json.dumps({"processor_class": "CLIPProcessor", "image_processor": CONFIGS["clip"]}), "utf-8"
    )
    assert Preprocessor.from_config(tmp_path) == want


def test_options_go_over_the_file():
    pre = Preprocessor.from_config(CONFIGS["clip"], layout="NCHW", dtype="uint8")
    assert (pre.layout, pre.dtype, pre.size) == ("NCHW", "uint8", 24)


def test_a_file_without_a_type_that_says_everything():
    config = {key: value for key, value in CONFIGS["clip"].items() if key != "image_processor_type"}
    assert Preprocessor.from_config(config) == Preprocessor.from_config(CONFIGS["clip"])


@pytest.mark.parametrize(
    "ending", ["ImageProcessor", "ImageProcessorFast", "ImageProcessorPil", "FeatureExtractor"]
)
def test_the_endings_of_a_type(ending):
    pre = Preprocessor.from_config({"image_processor_type": "CLIP" + ending})
    assert (pre.size, pre.shorter, pre.mean, pre.std) == (224, 224, CLIP_MEAN, CLIP_STD)


def test_rescale_and_normalize_are_each_optional():
    image = picture(8, 8)
    plain = Preprocessor.from_config({**SIGLIP, "do_rescale": False, "do_normalize": False})([image])
    np.testing.assert_array_equal(plain[0], image)
    scaled = Preprocessor.from_config({**SIGLIP, "do_normalize": False})([image])
    np.testing.assert_allclose(scaled[0], image / 255, rtol=0, atol=1e-6)
    shifted = Preprocessor.from_config({**SIGLIP, "do_rescale": False, "image_mean": 127, "image_std": 2})(
        [image]
    )
    np.testing.assert_allclose(shifted[0], (image - 127.0) / 2, rtol=1e-6, atol=1e-5)
    assert Preprocessor.from_config(SIGLIP).mean == HALF


CLIP = {"image_processor_type": "CLIPImageProcessor"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"size": 224, "resample": 3}, r"size: write \{'shortest_edge': 224\} or"),
        ({"size": square(8)}, "resample: it is missing"),
        ({"resample": 3, "size": square(8)}, "image_mean: it is missing"),
        ({"image_processor_type": "ConvNextImageProcessor"}, "resample: it is missing"),
        (
            {"image_processor_type": "DPTImageProcessor"},
            "image_processor_type: 'DPTImageProcessor' may have rules",
        ),
        ({"image_processor_type": ["CLIP"]}, "image_processor_type: .* may have rules"),
        (PATCH_CONFIGS["silent siglip 2"], "read by PatchPreprocessor.from_config"),
        ({**CLIP, "do_resize": False}, "do_resize: images that are not resized"),
        ({**CLIP, "do_resize": "no"}, "do_resize: expected true or false, found 'no'"),
        ({**CLIP, "do_center_crop": False}, "do_center_crop: without it images of several shapes"),
        ({**CLIP, "size": {"shortest_edge": 224, "longest_edge": 500}}, "size: expected 'shortest_edge', or"),
        ({**CLIP, "size": {"max_height": 8, "max_width": 8}}, "size: expected 'shortest_edge', or"),
        ({**CLIP, "size": {"shortest_edge": 200}}, "crop_size: 224 is larger than the shortest edge"),
        ({**CLIP, "size": {"shortest_edge": 0}}, "size: expected a positive whole number, found 0"),
        ({**CLIP, "size": {"shortest_edge": 224.5}}, "size: expected a positive whole number, found 224.5"),
        ({**CLIP, "size": True}, "size: expected a positive whole number, found True"),
        ({**CLIP, "crop_size": {"height": 8, "width": 9}}, "crop_size: only a square is supported"),
        ({**CLIP, "crop_size": {"shortest_edge": 8}}, "crop_size: only a square is supported"),
        ({**SIGLIP, "size": {"height": 8, "width": 9}}, "size: only a square is supported"),
        ({"image_processor_type": "DeiTImageProcessor"}, "crop_size: a crop after squashing"),
        ({**SIGLIP, "crop_pct": 0.9}, "crop_pct: it goes with a size of"),
        ({**CONFIGS["convnext with a crop"], "crop_pct": 0}, "crop_pct: expected a positive number, found 0"),
        ({**CLIP, "resample": 7}, "resample: expected one of .*, found 7"),
        ({**CLIP, "resample": "bicubic"}, "resample: expected one of .*, found 'bicubic'"),
        ({**CLIP, "rescale_factor": -1}, "rescale_factor: expected a positive number, found -1"),
        ({**CLIP, "image_mean": [0.5]}, r"image_mean: expected three numbers, found \[0.5\]"),
        ({**CLIP, "image_mean": [0.5, 0.5, float("nan")]}, "image_mean: expected three numbers"),
        ({**CLIP, "image_std": [0.5, 0.5, 0]}, "image_std: expected positive numbers"),
        ({**CLIP, "image_std": "half"}, "image_std: expected three numbers"),
        ({**CLIP, "do_pad": True}, "do_pad: it is not supported, found True"),
        ({**CLIP, "pad_size": square(8)}, "pad_size: it is not supported"),
        ({**CLIP, "size_divisor": 32}, "size_divisor: it is not supported, found 32"),
    ],
)
def test_what_is_not_supported_is_named(config, message):
    with pytest.raises(FormatError, match=message):
        Preprocessor.from_config(config)


def test_keys_that_are_off_or_say_nothing_about_pixels_are_no_hindrance():
    more = {
        "do_pad": False,
        "do_reduce_labels": None,
        "processor_class": "CLIPProcessor",
        "data_format": "channels_first",
        "_valid_processor_keys": ["images"],
    }
    assert Preprocessor.from_config({**CONFIGS["clip"], **more}) == Preprocessor.from_config(CONFIGS["clip"])
    assert Preprocessor.from_config({**SIGLIP, "crop_size": square(224)}) == Preprocessor.from_config(SIGLIP)


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"preprocessor_config\.json"):
        Preprocessor.from_config(tmp_path)
    file = tmp_path / "preprocessor_config.json"
    for data in (b"", b"{", b"\xff\xfe", b"[" * 100_000):
        file.write_bytes(data)
        with pytest.raises(FormatError, match=r"preprocessor_config\.json is no JSON file"):
            Preprocessor.from_config(tmp_path)
    file.write_bytes(b"[1]")
    with pytest.raises(FormatError, match="must hold one JSON object, found list"):
        Preprocessor.from_config(file)
    file.write_bytes(b" " * (1 << 20) + b"{}")
    with pytest.raises(LimitError, match="larger than 1048576 bytes"):
        Preprocessor.from_config(file)
