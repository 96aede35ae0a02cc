from __future__ import annotations

import csv
import functools
import io
import resource
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from image_files import bombs, damage, encoded, photo
from PIL import Image, ImageOps

from mmcore import image
from mmcore.errors import DataError, LimitError, MmcoreError
from mmcore.image import FORMATS, KNOWN_FORMATS, reference_header

decode = functools.partial(image.decode, formats=KNOWN_FORMATS)


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
    "clear gif": encoded(Image.fromarray(photo()).quantize(32), "GIF", transparency=5),
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
    assert reference_header.read_jpeg(data).orientation == orientation
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
    with pytest.raises(DataError, match=r"half\.jpg: the JPEG image is damaged or cut short"):
        decode(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"hello, world", "expected JPEG, PNG.*'hello, w'"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "expected JPEG"),
        (b"\xff\xd8", "the JPEG image is damaged or cut short"),
        (b"\x00\x00\x01\x00abcd", "expected JPEG.*found ICO"),
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


BOMBS = bombs()


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
    with pytest.raises(DataError, match="bytes do not hold 8000 x 7000 pixels"):
        decode(with_jpeg_size(7000, 8000))
    assert time.thread_time() - start < 0.05


FLAT = Image.new("RGB", (2403, 2005), (200, 30, 90))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"quality": 1},
        {"subsampling": 0},
        {"subsampling": 1},
        {"optimize": True},
        {"progressive": True},
        {"restart_marker_blocks": 7},
        {"restart_marker_rows": 1, "optimize": True},
        {"grey": True},
        {"grey": True, "optimize": True},
        {"grey": True, "progressive": True},
    ],
    ids=str,
)
def test_a_flat_picture_is_not_taken_for_a_short_one(options):
    options = dict(options)
    flat = FLAT.convert("L") if options.pop("grey", False) else FLAT
    data = encoded(flat, "JPEG", **options)
    assert 16 * len(data) < 2403 * 2005
    assert decode(data).shape == (2005, 2403, 3)
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    taller = data[: frame + 5] + (2100).to_bytes(2, "big") + data[frame + 7 :]
    with pytest.raises(DataError, match="bytes do not hold 2403 x 2100 pixels"):
        decode(taller)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_files_decode_or_raise_a_typed_error_soon():
    rng = np.random.default_rng(0)
    files = [FILES[name] for name in sorted(FILES)] + [encoded(large_photo(800, 1200), "JPEG")] * 4
    for _ in range(300):
        data = damage(files[rng.integers(len(files))], rng)
        start = time.thread_time()
        try:
            pixels = decode(data)
        except MmcoreError as error:
            assert isinstance(error, (DataError, LimitError))
        else:
            assert pixels.dtype == np.uint8 and pixels.size <= 3 * 64_000_000
        assert time.thread_time() - start < 0.25, data[:32]


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


@pytest.mark.parametrize("name", ["tiff", "ppm", "avif"])
def test_formats_outside_the_list_are_refused_by_name_and_switch(name, tmp_path):
    kind = name.upper()
    if kind == "AVIF" and kind not in Image.registered_extensions().values():
        pytest.skip("this Pillow writes no AVIF")
    data = encoded(photo(), kind)
    path = tmp_path / f"a.{name}"
    path.write_bytes(data)
    with pytest.raises(DataError, match=rf'a\.{name}: the image is in the format {kind}.*formats=.*"{kind}"'):
        image.decode(path)
    np.testing.assert_array_equal(image.decode(path, formats=[*FORMATS, kind]), pillow_rgb(data))
    with pytest.raises(DataError, match="format PNG, which is not allowed; expected JPEG, BMP"):
        image.decode(FILES["png"], formats=("JPEG", "BMP"))


@pytest.mark.parametrize("formats", [(), ("JPG",), ("JPEG", "EPS"), "JPEG"])
def test_unknown_formats(formats):
    with pytest.raises(
        ValueError, match="formats must be some of JPEG, PNG, WEBP, GIF, BMP, AVIF, TIFF, PPM"
    ):
        image.decode(FILES["png"], formats=formats)


WITH_ALPHA = ["rgba png", "grey and alpha", "palette", "transparent palette", "lossless webp", "clear gif"]


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("name", WITH_ALPHA)
def test_transparent_pixels_are_put_over_the_background(name, mode):
    with Image.open(io.BytesIO(FILES[name])) as opened:
        rgba = opened.convert("RGBA")
    want = Image.new("RGB", rgba.size, (250, 128, 3))
    want.paste(rgba, mask=rgba.getchannel("A"))
    got = decode(FILES[name], mode, background=(250, 128, 3))
    np.testing.assert_array_equal(got, np.asarray(want.convert(mode)).reshape(got.shape))
    assert not np.array_equal(got, decode(FILES[name], mode))


@pytest.mark.parametrize("name", ["baseline", "png", "gif", "webp", "16 bit", "bilevel"])
def test_a_background_changes_nothing_without_transparency(name):
    np.testing.assert_array_equal(decode(FILES[name], background=(1, 2, 3)), decode(FILES[name]))


@pytest.mark.parametrize("background", [(0, 0), (0, 0, 256), (-1, 0, 0), (1, 2, 3, 4)])
def test_backgrounds_that_are_no_colour(background):
    with pytest.raises(ValueError, match="background must be red, green and blue"):
        decode(FILES["png"], background=background)


def test_rgba_keeps_alpha_and_takes_no_background():
    with pytest.raises(ValueError, match="background must be None with mode 'RGBA'"):
        decode(FILES["rgba png"], "RGBA", background=(0, 0, 0))


def test_16_bit_colours_keep_their_upper_byte_and_grey_is_clipped():
    grey = np.array([[0, 1, 255, 256, 65535]], np.uint16)
    assert decode(encoded(Image.fromarray(grey), "PNG"))[0, :, 0].tolist() == [0, 1, 255, 255, 255]
    cv2 = pytest.importorskip("cv2")
    bgr = np.random.default_rng(0).integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    data = cv2.imencode(".png", bgr)[1].tobytes()
    np.testing.assert_array_equal(decode(data), bgr[..., ::-1] >> 8)


def test_checksums_of_png_are_checked():
    data = bytearray(FILES["png"])
    data[len(data) // 2] ^= 1
    with pytest.raises(DataError, match="checksum of the chunk at byte 33 is wrong"):
        decode(bytes(data))


def test_png_text_that_grows_is_never_read():
    from PIL import PngImagePlugin

    text = PngImagePlugin.PngInfo()
    text.add_text("bomb", "0" * 100_000_000, zip=True)
    data = encoded(photo(), "PNG", pnginfo=text)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    np.testing.assert_array_equal(decode(data), photo())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


def test_headers_are_those_of_the_twin():
    from mmcore._load import native

    for name, data in FILES.items():
        found = image._file.Header(*native().image_file_header(data, ", ".join(KNOWN_FORMATS), 2**62))
        if found.format == "JPEG":
            twin = reference_header.read_jpeg(data)
            assert (found.height, found.width, found.components, found.precision, found.frame) == twin[:5], (
                name
            )
            assert (found.orientation or 1) == twin.orientation, name
        elif found.complete:
            assert (found.height, found.width) == reference_header.read_size(data), name


@functools.cache
def large_photo(height, width):
    """Smooth shapes, edges and noise: as hard for a scaled decoder as photographs are."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:height, :width]
    pixels = np.zeros((height, width, 3))
    for _ in range(12):
        fx, fy, phase = rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1), rng.uniform(0, 6)
        pixels += np.sign(np.sin(fx * x + fy * y + phase))[:, :, None] * rng.normal(0, 12, 3)
    return np.clip(128 + pixels + rng.normal(0, 7, pixels.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("size", "at_least", "ratio"),
    [
        ((800, 1200), None, 1),
        ((800, 1200), (800, 1), 1),
        ((800, 1200), (400, 600), 2),
        ((800, 1200), (401, 600), 1),
        ((800, 1200), (100, 150), 8),
        ((800, 1200), (1, 151), 4),
        ((804, 1200), (1, 1), 4),
        ((801, 1200), (1, 1), 1),
    ],
)
def test_scaled_decoding_keeps_what_is_asked_for(size, at_least, ratio):
    data = encoded(large_photo(*size), "JPEG")
    pixels = decode(data, at_least=at_least)
    assert pixels.shape == (size[0] // ratio, size[1] // ratio, 3)
    with Image.open(io.BytesIO(data)) as opened:
        opened.draft("RGB", (size[1] // ratio, size[0] // ratio))
        np.testing.assert_array_equal(pixels, np.asarray(opened))


def test_scaled_decoding_of_a_turned_photo_counts_upright_pixels():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(large_photo(400, 800), "JPEG", exif=exif)
    assert decode(data, at_least=(400, 200)).shape == (400, 200, 3)
    assert decode(data, at_least=(200, 400)).shape == (800, 400, 3)


@pytest.mark.parametrize("size", [48, 60, 96])
@pytest.mark.parametrize("crop", ["center", None])
def test_fast_preprocessing_differs_no_more_than_it_says(size, crop):
    data = encoded(large_photo(800, 1200), "JPEG", quality=95)
    exact, fast = (
        image.Preprocessor(size=size, crop=crop, dtype="uint8", fast=fast)([data])[0]
        for fast in (False, True)
    )
    difference = np.abs(exact.astype(int) - fast)
    assert 0 < difference.mean() < 1 and np.quantile(difference, 0.999) <= 8
