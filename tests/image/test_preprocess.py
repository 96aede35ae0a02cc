from __future__ import annotations

import io
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import PIL
import pytest
from PIL import Image

import mmcore
from mmcore.errors import DataError, LimitError
from mmcore.image import Preprocessor, decode
from mmcore.image.preprocess import CLIP_MEAN, CLIP_STD, HALF, IMAGENET_MEAN, IMAGENET_STD

PILLOW = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def random_image(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def jpeg(image) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG")
    return buffer.getvalue()


def by_pillow_and_numpy(image, size, shorter, method, crop, mean, std):
    """What the published preprocessing of these models does, in float64."""
    picture = Image.fromarray(image)
    width, height = picture.size
    if crop:
        long = int(shorter * max(width, height) / min(width, height))
        picture = picture.resize((shorter, long) if width <= height else (long, shorter), PILLOW[method])
        left, top = (picture.width - size) // 2, (picture.height - size) // 2
        picture = picture.crop((left, top, left + size, top + size))
    else:
        picture = picture.resize((size, size), PILLOW[method])
    return (np.asarray(picture) / 255 - np.array(mean)) / np.array(std)


@pytest.mark.parametrize("shape", [(50, 71), (71, 50), (40, 40), (33, 300), (17, 18)])
@pytest.mark.parametrize(
    ("preset", "shorter", "method", "crop", "mean", "std"),
    [
        (Preprocessor.clip, 32, "bicubic", True, CLIP_MEAN, CLIP_STD),
        (Preprocessor.siglip, 32, "bicubic", False, HALF, HALF),
        (Preprocessor.imagenet, 37, "bilinear", True, IMAGENET_MEAN, IMAGENET_STD),
    ],
)
def test_presets_equal_pillow_and_numpy(shape, preset, shorter, method, crop, mean, std):
    if not crop and shape[0] - 32 > 2 * (shape[1] - 32) and int(PIL.__version__.split(".")[0]) < 13:
        pytest.skip("Pillow before 13 begins with the horizontal pass")
    options = {"shorter": shorter} if preset == Preprocessor.imagenet else {}
    image = random_image(*shape)
    got = preset(size=32, **options)([image])
    want = by_pillow_and_numpy(image, 32, shorter, method, crop, mean, std)
    assert got.shape == (1, 32, 32, 3) and got.dtype == np.float32
    np.testing.assert_allclose(got[0], want, rtol=0, atol=1e-6)


def test_preset_sizes():
    assert (Preprocessor.clip().size, Preprocessor.clip().shorter) == (224, None)
    assert (Preprocessor.imagenet().size, Preprocessor.imagenet().shorter) == (224, 256)
    assert Preprocessor.siglip().crop is None
    assert Preprocessor() == Preprocessor.clip()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """The same picture as bytes, str, path, PIL image and array, among others of other sizes."""
    data = jpeg(random_image(41, 60))
    path = tmp_path_factory.mktemp("images") / "picture.jpg"
    path.write_bytes(data)
    pixels = decode(data)
    return [
        data,
        str(path),
        path,
        Image.fromarray(pixels),
        pixels,
        jpeg(random_image(90, 35, 1)),
        random_image(20, 21, 2),
    ]


def test_every_kind_of_input_gives_the_same(mixed):
    batch = Preprocessor.clip(size=24)(mixed)
    for row in batch[1:5]:
        np.testing.assert_array_equal(row, batch[0])
    assert not np.array_equal(batch[5], batch[0])


def test_number_of_threads_changes_nothing(mixed):
    pre = Preprocessor.clip(size=24)
    want = pre(mixed * 3, threads=1)
    try:
        mmcore.set_num_threads(16)
        for threads in (2, 4, 16, None):
            np.testing.assert_array_equal(pre(mixed * 3, threads=threads), want)
    finally:
        mmcore.set_num_threads(None)


def test_images_of_falling_size_do_not_see_each_other():
    files = [jpeg(random_image(n, 70 - n, n)) for n in range(60, 8, -3)]
    pre = Preprocessor(size=8)
    for threads in (1, 3):
        batch = pre(files, threads=threads)
        for row, data in zip(batch, files, strict=True):
            np.testing.assert_array_equal(row, pre([decode(data)])[0])


def test_uint8_keeps_the_bytes():
    image = random_image(30, 40)
    got = Preprocessor(size=16, dtype="uint8")([image])
    want = np.asarray(Image.fromarray(image).resize((21, 16), PILLOW["bicubic"]).crop((2, 0, 18, 16)))
    np.testing.assert_array_equal(got[0], want)


def test_empty_batch():
    assert Preprocessor(size=4)([]).shape == (0, 4, 4, 3)


def test_is_frozen_hashable_picklable_and_printable():
    pre = Preprocessor.siglip(size=8, mean=[0.1, 0.2, 0.3])
    with pytest.raises(FrozenInstanceError):
        pre.size = 9
    assert pickle.loads(pickle.dumps(pre)) == pre
    assert len({pre, Preprocessor.siglip(size=8, mean=(0.1, 0.2, 0.3))}) == 1
    assert "size=8" in repr(pre) and "crop=None" in repr(pre)


def test_a_bad_file_is_named(tmp_path):
    path = tmp_path / "bad.jpg"
    path.write_bytes(jpeg(random_image(9, 9))[:200])
    for threads in (1, 2):
        with pytest.raises(DataError, match=r"bad\.jpg"):
            Preprocessor(size=4)([jpeg(random_image(9, 9)), path], threads=threads)
        with pytest.raises(DataError, match="image 1: "):
            Preprocessor(size=4)([jpeg(random_image(9, 9)), b"no image"], threads=threads)
    cut = Image.open(io.BytesIO(jpeg(random_image(40, 40))[:-300]))  # opens, but does not load
    with pytest.raises(DataError, match="image 0: the PIL image cannot be loaded"):
        Preprocessor(size=4)([cut])
    with pytest.raises(LimitError, match="max_pixels=80"):
        Preprocessor(size=4, max_pixels=80)([jpeg(random_image(9, 9))])


def test_mistakes_are_named():
    for options, message in [
        ({"resize": "area"}, "resize must be"),
        ({"layout": "CHW"}, "layout must be"),
        ({"crop": "random"}, "crop must be"),
        ({"dtype": "float64"}, "dtype must be"),
        ({"size": 0}, "size must be"),
        ({"shorter": 3}, "shorter at least"),
        ({"mean": (1, 2)}, "mean must be three"),
        ({"crop": None, "shorter": 300}, "leave it out"),
    ]:
        with pytest.raises(ValueError, match=message):
            Preprocessor(**{"size": 8, **options})
    pre = Preprocessor(size=4)
    with pytest.raises(TypeError, match="wrap it in a list"):
        pre(b"bytes")
    with pytest.raises(TypeError, match="image 1 must be bytes"):
        pre([random_image(5, 5), 3])
    with pytest.raises(ValueError, match="image 0 must be uint8"):
        pre([np.zeros((5, 5), np.uint8)])
    with pytest.raises(ValueError, match="threads"):
        pre([], threads=0)


def test_real_photos_equal_pillow_and_numpy(real_data):
    paths = sorted((real_data / "coco_cc").rglob("*.jpg"))[:12]
    batch = Preprocessor.clip()(paths)
    for path, row in zip(paths, batch, strict=True):
        pixels = np.asarray(Image.open(path).convert("RGB"))
        want = by_pillow_and_numpy(pixels, 224, 224, "bicubic", True, CLIP_MEAN, CLIP_STD)
        np.testing.assert_allclose(row, want, rtol=0, atol=1e-6)
