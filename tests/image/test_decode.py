from __future__ import annotations

import csv
import io
import resource
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from mmcore.errors import DataError, LimitError, MmcoreError
from mmcore.image import _header, decode


def photo(height=37, width=53, channels=3, seed=0):
    """Smooth with a little noise, so that JPEG treats it as it treats photographs."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / (5 + c)) * np.cos(y / (7 + c)) for c in range(channels)]
    noise = np.random.default_rng(seed).normal(0, 6, (height, width, channels))
    return np.clip(128 + 90 * np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)


def encoded(image: np.ndarray | Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pillow_rgb(data: bytes, mode: str = "RGB") -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of damaged metadata, and of transparent palettes
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert(mode))


def oriented(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(photo(), "JPEG", exif=exif, quality=90)


FILES = {
    "baseline": encoded(photo(), "JPEG"),
    "one pixel": encoded(photo(1, 1), "JPEG"),
    "4:4:4": encoded(photo(), "JPEG", subsampling=0, quality=95),
    "4:2:2": encoded(photo(), "JPEG", subsampling=1),
    "progressive": encoded(photo(), "JPEG", progressive=True),
    "optimised": encoded(photo(), "JPEG", optimize=True),
    "grey jpeg": encoded(photo()[:, :, 0], "JPEG"),
    "cmyk jpeg": encoded(Image.frombytes("CMYK", (53, 37), photo(channels=4).tobytes()), "JPEG"),
    "restart markers": encoded(photo(), "JPEG", restart_marker_rows=1),
    "png": encoded(photo(), "PNG"),
    "rgba png": encoded(photo(channels=4), "PNG"),
    "grey and alpha": encoded(Image.fromarray(photo(channels=4)).convert("LA"), "PNG"),
    "palette": encoded(Image.fromarray(photo()).quantize(16), "PNG", transparency=3),
    "transparent palette": encoded(
        Image.fromarray(photo()).quantize(16), "PNG", transparency=bytes(range(0, 160, 10))
    ),
    "bilevel": encoded(Image.fromarray(photo()).convert("1"), "PNG"),
    "16 bit": encoded(Image.fromarray(photo()[:, :, 0].astype(np.uint16) * 3), "PNG"),
    "gif": encoded(Image.fromarray(photo()).quantize(32), "GIF"),
    "animation": encoded(photo(), "GIF", save_all=True, append_images=[Image.fromarray(photo(seed=1))]),
    "bmp": encoded(photo(), "BMP"),
    "webp": encoded(photo(), "WEBP", quality=80),
    "lossless webp": encoded(photo(channels=4), "WEBP", lossless=True),
    "tiff": encoded(photo(), "TIFF"),
}


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_equals_pillow(name, mode):
    pixels = decode(FILES[name], mode)
    want = pillow_rgb(FILES[name], mode)
    assert pixels.dtype == np.uint8 and pixels.flags.c_contiguous and pixels.ndim == 3
    np.testing.assert_array_equal(pixels, want.reshape(pixels.shape))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    data = oriented(orientation)
    assert _header.read_jpeg(data).orientation == orientation
    pixels = decode(data)
    assert pixels.shape == ((53, 37, 3) if orientation >= 5 else (37, 53, 3))
    np.testing.assert_array_equal(pixels, pillow_rgb(data))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_orientations_that_do_not_exist_change_nothing(orientation):
    np.testing.assert_array_equal(decode(oriented(orientation)), decode(oriented(1)))


def test_damaged_exif_does_not_cost_the_picture():
    data = bytearray(oriented(6))
    start = data.index(b"Exif\0\0") + 6
    data[start + 4 : start + 8] = b"\xff\xff\xff\xff"
    np.testing.assert_array_equal(decode(bytes(data)), decode(oriented(1)))


def test_alpha_is_dropped_and_nothing_composed():
    pixels = np.full((3, 4, 4), 200, np.uint8)
    pixels[..., 3] = 0
    assert (decode(encoded(pixels, "PNG")) == 200).all()


def test_path_and_bytes_give_the_same(tmp_path):
    (tmp_path / "a.jpg").write_bytes(FILES["baseline"])
    for path in (tmp_path / "a.jpg", str(tmp_path / "a.jpg")):
        np.testing.assert_array_equal(decode(path), decode(FILES["baseline"]))
    np.testing.assert_array_equal(decode(bytearray(FILES["png"])), decode(memoryview(FILES["png"])))


@pytest.mark.parametrize(
    "name", ["baseline", "progressive", "grey jpeg", "cmyk jpeg", "png", "gif", "bmp", "webp", "tiff"]
)
def test_every_truncation_is_an_error_or_the_same_picture(name):
    data, whole = FILES[name], decode(FILES[name])
    for length in range(0, len(data) - 2, max(1, len(data) // 40)):
        try:
            assert decode(data[:length], key="cut").shape == whole.shape
        except DataError as error:
            assert error.key == "cut" and str(error).startswith("cut: ")
        else:
            assert length > len(data) // 2, f"{length} of {len(data)} bytes passed for a whole picture"


def test_a_file_cut_in_the_middle_names_path_and_reason(tmp_path):
    path = tmp_path / "half.jpg"
    path.write_bytes(FILES["baseline"][: len(FILES["baseline"]) // 2])
    with pytest.raises(DataError, match=r"half\.jpg: the image is damaged or cut short"):
        decode(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"hello, world", "expected JPEG, PNG.*b'hello, w'"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "expected JPEG"),
        (b"\xff\xd8", "expected JPEG"),
    ],
)
def test_what_is_no_image_is_refused(data, message):
    with pytest.raises(DataError, match=message):
        decode(data)


def test_missing_file_and_folder_are_data_errors(tmp_path):
    for path in (tmp_path / "absent.png", tmp_path, "nul\0.png"):
        with pytest.raises(DataError, match="cannot be read"):
            decode(path)


def test_unknown_mode():
    with pytest.raises(ValueError, match="mode must be one of"):
        decode(FILES["png"], "CMYK")


@pytest.mark.parametrize(
    "name", ["baseline", "cmyk jpeg", "png", "gif", "bmp", "webp", "lossless webp", "tiff"]
)
def test_limit_is_checked_for_every_format(name):
    assert decode(FILES[name], max_pixels=37 * 53).shape == (37, 53, 3)
    with pytest.raises(LimitError, match="53 x 37 = 1961 pixels, more than max_pixels=1960"):
        decode(FILES[name], max_pixels=37 * 53 - 1)


def with_jpeg_size(height: int, width: int) -> bytes:
    data = bytearray(FILES["baseline"])
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(data)


def with_png_size(side: int) -> bytes:
    data = bytearray(FILES["png"])
    data[16:24] = side.to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def many_scans() -> bytes:
    data = FILES["progressive"]
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 10_000 + data[-2:]


def with_gif_size(side: int) -> bytes:
    return FILES["gif"][:6] + side.to_bytes(2, "little") * 2 + FILES["gif"][10:]


BOMBS = {
    "65500 x 65500 jpeg": with_jpeg_size(65500, 65500),
    "20000 x 20000 png": with_png_size(20000),
    "2^31 png": with_png_size(2**31 - 1),
    "10,000 scans": many_scans(),
    "65535 gif": with_gif_size(65535),
}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_bombs_are_refused_at_once(name):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.thread_time()
    with pytest.raises(LimitError):
        decode(BOMBS[name])
    assert time.thread_time() - start < 0.05
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


def test_a_small_file_that_claims_many_pixels_costs_nothing():
    start = time.thread_time()
    with pytest.raises(DataError, match="bytes cannot hold 8000 x 7000 pixels"):
        decode(with_jpeg_size(7000, 8000))
    assert time.thread_time() - start < 0.05


def test_a_flat_picture_is_not_taken_for_a_short_one():
    data = encoded(np.zeros((2000, 3000), np.uint8), "JPEG", quality=1)
    assert decode(data).shape == (2000, 3000, 3)


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    edited = bytearray(data)
    kind = rng.integers(3)
    if kind == 0:
        return bytes(edited[: rng.integers(len(edited))])
    reach = len(edited) if kind == 1 else min(64, len(edited))
    for position in rng.integers(reach, size=rng.integers(1, 8)):
        edited[position] = rng.integers(256)
    return bytes(edited)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_files_decode_or_raise_a_typed_error():
    rng = np.random.default_rng(0)
    names = sorted(FILES)
    for _ in range(300):
        data = damage(FILES[names[rng.integers(len(names))]], rng)
        try:
            pixels = decode(data, max_pixels=4_000_000)
        except MmcoreError as error:
            assert isinstance(error, (DataError, LimitError))
        else:
            assert pixels.dtype == np.uint8 and pixels.size <= 12_000_000


def test_threads_do_not_disturb_each_other():
    names = sorted(FILES) * 4
    with ThreadPoolExecutor(8) as pool:
        for name, pixels in zip(names, pool.map(lambda name: decode(FILES[name]), names), strict=True):
            np.testing.assert_array_equal(pixels, decode(FILES[name]))


def pillow_reads(path: Path) -> bool:
    """False for AVIF under a Pillow without it, and for files that an older Pillow cannot read."""
    try:
        return pillow_rgb(path.read_bytes()).size > 0
    except OSError:
        return False


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_real_files_get_the_verdict_of_their_manifest(real_data):
    folder = real_data / "images_robust"
    with open(folder / "manifest.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (folder / row["path"]).exists()]
    assert len(rows) > 100
    for row in rows:
        path = folder / row["path"]
        try:
            pixels = decode(path)
        except (DataError, LimitError) as error:
            assert row["expect"] in ("reject", "lenient") or not pillow_reads(path), error
            assert Path(row["path"]).name in str(error)
            continue
        assert row["expect"] in ("ok", "lenient"), f"{row['path']} was accepted"
        if row["expect"] == "ok":
            np.testing.assert_array_equal(pixels, pillow_rgb(path.read_bytes()), err_msg=row["path"])


def test_real_photos_equal_pillow(real_data):
    paths = sorted((real_data / "coco_cc").rglob("*.jpg"))
    assert len(paths) >= 10
    for path in paths:
        np.testing.assert_array_equal(decode(path), pillow_rgb(path.read_bytes()), err_msg=path.name)
