from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_processors import PATCH_CONFIGS, SIZES, picture
from image_records import RECORD, recorded
from PIL import Image

import mmcore
from mmcore._load import native
from mmcore.errors import DataError, FormatError, LimitError
from mmcore.image import PatchPreprocessor, pack_patches, reference
from mmcore.image.batch import DTYPES, empty_batch
from mmcore.image.normalize import normalization_for

PRE = PatchPreprocessor(patch_size=5, max_patches=14, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))
PICTURES = [picture(*size) for size in SIZES]


def png(image) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def reference_of(image, pre=PRE):
    return reference.patches(
        image, pre.patch_size, pre.max_patches, method=pre.resize, mean=pre.mean, std=pre.std, dtype=pre.dtype
    )


@pytest.mark.parametrize("case", [case for case in RECORD["cases"] if case["name"] == "siglip 2"], ids=str)
def test_recorded_results_of_hugging_face(case):
    want = recorded(case)
    got = PatchPreprocessor.from_config(case["config"])([picture(*case["picture"])])
    np.testing.assert_allclose(got.patches[0], want["pixel_values"], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(got.mask[0], want["pixel_attention_mask"] == 1)
    np.testing.assert_array_equal(got.shapes[0], want["spatial_shapes"])


@pytest.mark.parametrize("patch_size", [1, 5, 11, 16, 17])
@pytest.mark.parametrize("resize", ["bilinear", "bicubic", "nearest"])
def test_equals_the_reference_bit_for_bit(patch_size, resize):
    pre = PatchPreprocessor(patch_size=patch_size, max_patches=14, resize=resize, mean=(0.4, 0.5, 0.6))
    got = pre(PICTURES)
    assert got.patches.dtype == np.float32 and got.patches.shape == (8, 14, patch_size**2 * 3)
    np.testing.assert_array_equal(got.patches, np.stack([reference_of(image, pre) for image in PICTURES]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_and_instruction_set_gives_the_same_bits(dtype):
    pre = PatchPreprocessor(patch_size=7, max_patches=9, dtype=dtype)
    want = pre(PICTURES)
    np.testing.assert_array_equal(want.patches, np.stack([reference_of(image, pre) for image in PICTURES]))
    isas = ("scalar", "avx2", "avx512")
    for isa in isas[: isas.index(native().detected_isa()) + 1]:
        out, shapes = empty_batch(want.patches.shape, dtype), np.zeros((8, 2), np.int32)
        normalization = normalization_for(pre.mean, pre.std)
        native().image_patches(PICTURES, 7, 9, "bilinear", normalization, dtype, 1, out, shapes, isa)
        np.testing.assert_array_equal(out, want.patches)
        np.testing.assert_array_equal(shapes, want.shapes)


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(1, 40), st.integers(1, 2000))
def test_the_grid_is_that_of_the_reference_and_within_the_budget(height, width, patch_size, max_patches):
    pre = PatchPreprocessor(patch_size=patch_size, max_patches=max_patches)
    rows, columns = pre.grid(height, width)
    assert (rows, columns) == reference.patch_grid(height, width, patch_size, max_patches)
    assert 1 <= rows * columns <= max_patches


def test_the_grid_fills_its_budget_and_keeps_the_aspect():
    pre = PatchPreprocessor.siglip2()
    for height, width in [(427, 640), (640, 427), (500, 500), (2000, 90)]:
        rows, columns = pre.grid(height, width)
        assert (rows + 1) * (columns + 1) > 256
        assert abs(columns - rows * width / height) <= 1 + width / height
    assert pre.grid(1, 1) == (7, 7)  # not enlarged more than 100 times


def test_masks_positions_and_padding():
    batch = PRE([picture(30, 50), picture(50, 21)])
    assert batch.shapes.tolist() == [[3, 4], [5, 2]]
    assert batch.mask.sum(1).tolist() == [12, 10] and batch.mask.dtype == bool
    assert batch.positions.dtype == np.int32
    assert batch.positions[1, :10].tolist() == [[r, c] for r in range(5) for c in range(2)]
    assert (
        not batch.positions[0, 12:].any() and not batch.patches[0, 12:].any() and batch.patches[0, 11].any()
    )


def test_every_kind_of_input_and_number_of_threads_gives_the_same(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(png(PICTURES[0]))
    inputs = [png(PICTURES[0]), path, str(path), Image.fromarray(PICTURES[0]), PICTURES[0], *PICTURES]
    want = PRE([PICTURES[0]] * 5 + PICTURES)
    try:
        mmcore.set_num_threads(5)
        for threads in (1, 3, None):
            for got in (PRE(inputs, threads=threads), PRE([PICTURES[0]] * 5 + PICTURES, threads=threads)):
                for one, other in zip(got, want, strict=True):
                    np.testing.assert_array_equal(one, other)
    finally:
        mmcore.set_num_threads(None)


def test_memory_is_new_each_time_and_aligned():
    assert PRE(PICTURES).patches.ctypes.data % 64 == 0
    assert not np.shares_memory(PRE(PICTURES[:1]).patches, PRE(PICTURES[:1]).patches)


def test_empty_batch():
    batch = PRE([])
    assert [part.shape for part in batch] == [(0, 14, 75), (0, 14), (0, 14, 2), (0, 2)]
    assert pack_patches(batch, 20).patches.shape == (0, 20, 75)


def test_packed_rows_hold_the_patches_of_every_image():
    batch = PRE(PICTURES)
    packed = pack_patches(batch, 33)
    for i, (row, segment) in enumerate(packed.places):
        here = packed.segment_ids[row] == segment
        np.testing.assert_array_equal(packed.patches[row, here], batch.patches[i, batch.mask[i]])
        np.testing.assert_array_equal(packed.positions[row, here], batch.positions[i, batch.mask[i]])
    padding = packed.segment_ids == 0
    assert padding.sum() + batch.mask.sum() == padding.size
    assert not packed.patches[padding].any() and not packed.positions[padding].any()


def test_first_fit_goes_back_to_an_open_row():
    pre = PatchPreprocessor(patch_size=4, max_patches=6)
    batch = pre([picture(8, 12), picture(8, 12), picture(6, 40), picture(7, 7)])
    counts = batch.mask.sum(1).tolist()
    assert counts == [6, 6, 6, 4]
    assert pack_patches(batch, 11).places.tolist() == [[0, 1], [1, 1], [2, 1], [0, 2]]
    assert pack_patches(batch, 12).places.tolist() == [[0, 1], [0, 2], [1, 1], [1, 2]]
    with pytest.raises(ValueError, match="image 0 has 6 patches, more than length=5"):
        pack_patches(batch, 5)


def test_from_config_and_options():
    pre = PatchPreprocessor.from_config(PATCH_CONFIGS["siglip 2"], dtype="bfloat16")
    assert (pre.patch_size, pre.max_patches, pre.resize, pre.dtype) == (8, 36, "bilinear", "bfloat16")
    assert PatchPreprocessor.from_config(PATCH_CONFIGS["silent siglip 2"]) == PatchPreprocessor.siglip2()
    for config, message in [
        ({"image_processor_type": "SiglipImageProcessor"}, "only Siglip2ImageProcessor makes patches"),
        ({**PATCH_CONFIGS["siglip 2"], "patch_size": 0}, "patch_size: expected a positive whole number"),
        ({**PATCH_CONFIGS["siglip 2"], "size": 8}, "size: it is not supported"),
        ({**PATCH_CONFIGS["siglip 2"], "do_resize": False}, "do_resize: images that are not resized"),
    ]:
        with pytest.raises(FormatError, match=message):
            PatchPreprocessor.from_config(config)


def test_is_hashable_and_picklable():
    pre = PatchPreprocessor(mean=[0.1, 0.2, 0.3])
    assert pickle.loads(pickle.dumps(pre)) == pre and len({pre, PatchPreprocessor(mean=(0.1, 0.2, 0.3))}) == 1


def test_images_that_fit_at_no_scale_are_named(tmp_path):
    pre = PatchPreprocessor(patch_size=1, max_patches=2)
    long = np.zeros((1, 3_000_000, 3), np.uint8)
    with pytest.raises(
        ValueError, match="image 1: an image of 1 x 3000000 does not become 2 patches or fewer of 1 x 1"
    ):
        pre([picture(3, 3), long])
    path = tmp_path / "long.png"
    path.write_bytes(png(long))
    with pytest.raises(DataError, match=r"long\.png: an image of 1 x 3000000"):
        pre([picture(3, 3), path])
    with pytest.raises(ValueError, match="height, width and patch_size must be"):
        pre.grid(0, 5)


def test_mistakes_are_named(tmp_path):
    for options, message in [
        ({"resize": "area"}, "resize must be"),
        ({"dtype": "float64"}, "dtype must be"),
        ({"patch_size": 0}, "patch_size and max_patches must be positive, got 0 and 256"),
        ({"max_patches": 0}, "patch_size and max_patches must be positive, got 16 and 0"),
        ({"std": (1, 2)}, "std must be three"),
        ({"formats": ("EPS",)}, "formats must be"),
        ({"background": (0, 0, 300)}, "background must be"),
    ]:
        with pytest.raises(ValueError, match=message):
            PatchPreprocessor(**options)
    with pytest.raises(TypeError, match="wrap it in a list"):
        PRE(b"bytes")
    with pytest.raises(TypeError, match="image 1 must be bytes"):
        PRE([PICTURES[0], 3])
    with pytest.raises(ValueError, match="image 0 must be uint8"):
        PRE([np.zeros((5, 5), np.uint8)])
    with pytest.raises(ValueError, match="threads"):
        PRE([], threads=0)
    with pytest.raises(LimitError, match="max_pixels=80"):
        PatchPreprocessor(max_pixels=80)([png(picture(9, 9))])
    with pytest.raises(DataError, match=r"absent\.png"):
        PRE([tmp_path / "absent.png"])
