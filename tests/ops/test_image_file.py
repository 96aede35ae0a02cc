from __future__ import annotations

import csv
import dataclasses
import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mmcore import ops
from mmcore.errors import DataError, LimitError
from mmcore.image import Preprocessor

PRE = Preprocessor(size=8, dtype="uint8")
BACKED = dataclasses.replace(PRE, background=(200, 3, 90))
READ_HERE = ("JPEG", "PNG", "GIF", "BMP")


def photo(height: int = 37, width: int = 53, channels: int = 3) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / (5 + c)) * np.cos(y / (7 + c)) for c in range(channels)]
    noise = np.random.default_rng(0).normal(0, 6, (height, width, channels))
    return np.clip(128 + 90 * np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)


def encoded(picture: np.ndarray | Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def oriented(orientation: int, kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(photo(), kind, exif=exif)


def bmp(bits: int, body: bytes, *, compression: int = 0, masks: bytes = b"") -> bytes:
    palette = bytes(range(64)) if bits == 4 else b""
    offset = 54 + len(masks) + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, 5, 4, 1, bits, compression, len(body), 0, 0, 0, 0)
    return struct.pack("<2sIHHI", b"BM", offset + len(body), 0, 0, offset) + header + masks + palette + body


PALETTE = Image.fromarray(photo()).quantize(16)
FILES = {
    "jpeg": encoded(photo(), "JPEG"),
    "one pixel": encoded(photo(1, 1), "JPEG"),
    "4:4:4": encoded(photo(), "JPEG", subsampling=0),
    "progressive": encoded(photo(), "JPEG", progressive=True),
    "grey jpeg": encoded(photo()[..., 0], "JPEG"),
    **{f"jpeg {n}": oriented(n, "JPEG") for n in range(9)},
    "png": encoded(photo(), "PNG"),
    "turned png": oriented(6, "PNG"),
    "rgba png": encoded(photo(channels=4), "PNG"),
    "grey and alpha": encoded(Image.fromarray(photo(channels=4)).convert("LA"), "PNG"),
    "palette": encoded(PALETTE, "PNG"),
    "clear palette": encoded(PALETTE, "PNG", transparency=bytes(range(0, 160, 10))),
    "bilevel": encoded(Image.fromarray(photo()).convert("1"), "PNG"),
    "16 bit": encoded(Image.fromarray(photo()[..., 0].astype(np.uint16) * 3), "PNG"),
    "gif": encoded(PALETTE, "GIF"),
    "clear gif": encoded(PALETTE, "GIF", transparency=3),
    "interlaced gif": encoded(PALETTE, "GIF", interlace=1),
    "animation": encoded(photo(), "GIF", save_all=True, append_images=[Image.fromarray(photo()[::-1])]),
    "bmp": encoded(photo(), "BMP"),
    "bmp palette": encoded(PALETTE, "BMP"),
    "bmp alpha": encoded(photo(channels=4), "BMP"),
    "bmp 4 bit": bmp(4, bytes(range(16))),
    "bmp 16 bit": bmp(16, bytes(range(48)), compression=3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F)),
    "bmp runs": bmp(4, bytes([5, 18, 0, 0, 5, 35, 0, 0, 5, 52, 0, 0, 5, 69, 0, 1]), compression=2),
}


@pytest.mark.parametrize("pre", [PRE, BACKED], ids=["plain", "background"])
@pytest.mark.parametrize("name", sorted(FILES))
def test_equals_the_numpy_face_bit_for_bit(name, pre):
    got = ops.preprocess_image(pre, FILES[name])
    np.testing.assert_array_equal(got, pre([FILES[name]])[0])


@pytest.mark.parametrize(
    "pre", [Preprocessor.clip(size=9), Preprocessor.siglip(size=7)], ids=["clip", "siglip"]
)
def test_floats_equal_too_and_the_twin_agrees(pre):
    for name in ("jpeg 6", "clear palette", "gif"):
        got = ops.preprocess_image(pre, FILES[name])
        assert got.dtype == tf.float32 and got.shape == [pre.size, pre.size, 3]
        np.testing.assert_array_equal(got, pre([FILES[name]])[0])
        np.testing.assert_array_equal(got, ops.reference_preprocess_image(pre, FILES[name]))


def test_scaled_decoding_equals_the_numpy_face():
    pre = dataclasses.replace(PRE, fast=True)
    for height, width in ((40, 60), (67, 64), (130, 150), (264, 136), (136, 264)):
        data = encoded(photo(height, width), "JPEG")
        np.testing.assert_array_equal(ops.preprocess_image(pre, data), pre([data])[0])
    assert not np.array_equal(ops.preprocess_image(pre, data), PRE([data])[0])
    np.testing.assert_array_equal(ops.preprocess_image(pre, FILES["png"]), PRE([FILES["png"]])[0])


def test_batches_and_the_twin():
    files = [FILES[name] for name in sorted(FILES)]
    want = PRE(files)
    np.testing.assert_array_equal(ops.preprocess_image(PRE, files), want)
    np.testing.assert_array_equal(ops.reference_preprocess_image(PRE, files), want)
    assert ops.preprocess_image(PRE, tf.zeros([0], tf.string)).shape == [0, 8, 8, 3]


def test_dataset_and_function():
    files = [FILES[name] for name in sorted(FILES)]
    dataset = tf.data.Dataset.from_tensor_slices(files)
    dataset = dataset.map(lambda file: ops.preprocess_image(PRE, file), num_parallel_calls=2).batch(5)
    assert dataset.element_spec.shape.as_list() == [None, 8, 8, 3]
    np.testing.assert_array_equal(np.concatenate(list(dataset.as_numpy_iterator())), PRE(files))
    function = tf.function(
        lambda batch: ops.preprocess_image(PRE, batch), input_signature=[tf.TensorSpec([None], tf.string)]
    )
    np.testing.assert_array_equal(function(files[:4]), PRE(files[:4]))


def test_saved_model(tmp_path):
    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
        def __call__(self, file):
            return ops.preprocess_image(PRE, file)

    tf.saved_model.save(Model(), str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for name in ("jpeg 8", "16 bit", "animation", "bmp runs", "clear palette"):
        np.testing.assert_array_equal(loaded(FILES[name]), PRE([FILES[name]])[0])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the image file is empty"),
        (b"hello, world", "expected JPEG, PNG, WEBP, GIF, BMP, found a file that begins with 'hello, w'"),
        (encoded(photo(), "WEBP"), "the image is a WEBP file, which is not read in a graph"),
        (encoded(photo(), "TIFF"), 'the image is in the format TIFF.*formats=.*"TIFF"'),
        (
            encoded(Image.fromarray(photo(channels=4), "CMYK"), "JPEG"),
            "CMYK JPEG, which is not read in a graph",
        ),
        (FILES["jpeg"][:20], "the JPEG image is damaged or cut short"),
        (FILES["png"][:-9], "cut short"),
        (FILES["gif"][:-20], "cut short"),
        (FILES["bmp"][:-20], "cut short"),
    ],
)
def test_what_is_not_read_is_named(data, message):
    with pytest.raises(tf.errors.DataLossError, match=f"shelf/7: .*{message}"):
        ops.preprocess_image(PRE, data, key="shelf/7")
    with pytest.raises(tf.errors.DataLossError, match=f"image 1: .*{message}"):
        ops.preprocess_image(PRE, [FILES["jpeg"], data])


def with_jpeg_size(side: int) -> bytes:
    data = bytearray(FILES["jpeg"])
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = side.to_bytes(2, "big") * 2
    return bytes(data)


@pytest.mark.parametrize("name", ["jpeg", "png", "gif", "bmp"])
def test_max_pixels(name):
    pre = dataclasses.replace(PRE, max_pixels=37 * 53 - 1)
    with pytest.raises(
        tf.errors.ResourceExhaustedError, match=r"image: .*53 x 37 = 1961 pixels.*max_pixels=1960"
    ):
        ops.preprocess_image(pre, FILES[name])


def test_bombs_are_refused_with_the_numpy_faces_sentence():
    bombs = {
        "65500 x 65500": with_jpeg_size(65500),
        "scans": FILES["progressive"] + b"\xff\xda" * 200,
        "few bytes": with_jpeg_size(5000),
        "gif": FILES["gif"][:6] + b"\xff\xff\xff\xff" + FILES["gif"][10:],
    }
    for data in bombs.values():
        with pytest.raises((DataError, LimitError)) as ours:
            PRE([data])
        with pytest.raises((tf.errors.DataLossError, tf.errors.ResourceExhaustedError)) as theirs:
            ops.preprocess_image(PRE, data, key="image 0")
        assert str(ours.value) in str(theirs.value)


def test_wrong_inputs():
    with pytest.raises(TypeError, match="expected contents of dtype string"):
        ops.preprocess_image(PRE, tf.zeros([4, 4, 3], tf.uint8))
    with pytest.raises(ValueError, match=r"expected contents \[\] or \[B\], found \(1, 1\)"):
        ops.preprocess_image(PRE, [[FILES["jpeg"]]])


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_real_files_get_the_verdict_of_their_manifest(real_data):
    folder = real_data / "images_robust"
    with open(folder / "manifest.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (folder / row["path"]).exists()]
    counts = {"ok": 0, "lenient": 0, "reject": 0}
    for row in rows:
        data = (folder / row["path"]).read_bytes()
        try:
            pixels = ops.preprocess_image(PRE, data, key=row["path"])
        except tf.errors.OpError as error:
            readable = row["format"] in READ_HERE and "not read in a graph" not in str(error)
            assert row["expect"] in ("reject", "lenient") or not readable, error
        else:
            assert row["expect"] in ("ok", "lenient"), f"{row['path']} was accepted"
            np.testing.assert_array_equal(pixels, PRE([data])[0], err_msg=row["path"])
        counts[row["expect"]] += 1
    assert counts["ok"] > 50 and counts["reject"] > 5


def test_real_photos_equal_the_numpy_face(real_data):
    paths = sorted((real_data / "coco_cc").rglob("*.jpg"))[:8]
    assert len(paths) == 8
    pre = Preprocessor.clip()
    files = [path.read_bytes() for path in paths]
    np.testing.assert_array_equal(ops.preprocess_image(pre, files), pre(files))
