"""GIF and BMP, which the core decodes itself, beside Pillow."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import PIL
import pytest
from PIL import Image

from mmcore.errors import DataError, LimitError
from mmcore.image import decode

MASKS_32 = [
    (0xFF0000, 0xFF00, 0xFF, 0x0),
    (0xFF000000, 0xFF0000, 0xFF00, 0x0),
    (0xFF000000, 0xFF00, 0xFF, 0x0),
    (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
    (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
    (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
    (0xFF000000, 0xFF00, 0xFF, 0xFF0000),
    (0, 0, 0, 0),
]
MASKS_16 = [(0xF800, 0x7E0, 0x1F, 0), (0x7C00, 0x3E0, 0x1F, 0)]


def by_pillow(data: bytes, mode: str) -> np.ndarray | None:
    """Pillow's pixels, or None where it refuses."""
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=["GIF", "BMP"]) as image:
            warnings.simplefilter("ignore")
            pixels = np.asarray(image.convert(mode))
            return pixels.reshape(*pixels.shape[:2], -1)
    except Exception:
        return None


def by_us(data: bytes, mode: str) -> np.ndarray | None:
    try:
        return decode(data, mode, max_pixels=10_000_000)
    except (DataError, LimitError):
        return None


def check(data: bytes, *, decodes: bool | None = True) -> bool:
    """Both refuse, or both give the same pixels in every mode. Returns which."""
    found = None
    for mode in ("RGB", "RGBA", "L"):
        ours, theirs = by_us(data, mode), by_pillow(data, mode)
        assert (ours is None) == (theirs is None), (mode, data[:80])
        found = ours is not None
        if ours is not None:
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{mode} {data[:80]!r}")
    assert decodes is None or decodes == found
    return bool(found)


def bmp(
    bits: int,
    body: bytes,
    *,
    size: tuple[int, int] = (5, 4),
    header: int = 40,
    compression: int = 0,
    masks: tuple[int, ...] = (),
    palette: bytes = b"",
    colors: int = 0,
) -> bytes:
    """A BMP file of width x height pixels; a negative height is stored top down."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, *size, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, *size, 1, bits, compression, len(body), 0, 0, colors, 0)
        info += struct.pack("<IIII", *masks)[: max(0, header - 40)] if masks and header > 40 else b""
        info += bytes(max(0, header - len(info)))
        info += struct.pack("<III", *masks[:3]) if masks and header == 40 else b""
    offset = 14 + len(info) + len(palette)
    return struct.pack("<2sIHHI", b"BM", offset + len(body), 0, 0, offset) + info + palette + body


def noise(size: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8).tobytes()


@pytest.mark.parametrize("height", [4, -4])
@pytest.mark.parametrize("header", [40, 52, 56, 64, 108, 124])
@pytest.mark.parametrize("bits", [16, 24, 32])
def test_plain_colours(bits, header, height):
    check(bmp(bits, noise(400), header=header, size=(5, height)))


@pytest.mark.parametrize("header", [12, 40, 124])
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_palettes(bits, header):
    palette = noise((3 if header == 12 else 4) << bits, seed=1)
    check(bmp(bits, noise(400), header=header, palette=palette))
    least = {1: 13, 4: 15, 8: 29}[bits]  # The last row may lack its padding.
    check(bmp(bits, noise(least), header=header, palette=palette))
    check(bmp(bits, noise(least - 1), header=header, palette=palette), decodes=False)


def test_palettes_of_greys_and_of_few_colours():
    greys = b"".join(bytes([i, i, i, 0]) for i in range(256))
    check(bmp(8, noise(400), palette=greys))
    check(bmp(1, noise(400), palette=bytes([0, 0, 0, 0, 255, 255, 255, 0])))
    check(bmp(1, noise(400), palette=bytes([255, 255, 255, 0, 0, 0, 0, 0])))
    check(bmp(8, noise(400), palette=noise(40), colors=10))


def test_a_palette_that_the_offset_forgets():
    data = bytearray(bmp(8, noise(400), palette=noise(1024)))
    data[10:14] = (54).to_bytes(4, "little")
    check(bytes(data))


@pytest.mark.parametrize("masks", MASKS_32)
def test_masks_of_32_bits(masks):
    check(bmp(32, noise(400), header=56, compression=3, masks=masks))
    check(bmp(32, noise(400), header=40, compression=3, masks=masks), decodes=None)


@pytest.mark.parametrize("masks", [*MASKS_16, (0xF000, 0xF00, 0xF0, 0)])
def test_masks_of_16_bits(masks):
    for header in (40, 52, 124):
        check(bmp(16, noise(400), header=header, compression=3, masks=masks), decodes=masks in MASKS_16)


@pytest.mark.parametrize("compression", [4, 5, 6, 2**31])
def test_other_compressions_are_refused(compression):
    check(bmp(24, noise(400), compression=compression), decodes=False)


def runs(rng: np.random.Generator, nibbles: bool) -> bytes:
    """Any runs: encoded, absolute, ends of rows, jumps, an end."""
    parts = []
    for _ in range(rng.integers(4, 40)):
        kind = rng.random()
        if kind < 0.5:
            parts.append(bytes([rng.integers(1, 9), rng.integers(256)]))
        elif kind < 0.7:
            parts.append(b"\0\0")
        elif kind < 0.85:
            count = int(rng.integers(3, 12))
            data = noise((count + 1) // 2 if nibbles else count, int(rng.integers(1000)))
            parts.append(bytes([0, count]) + data + b"\0" * (len(data) % 2))
        elif kind < 0.95:
            parts.append(bytes([0, 2, rng.integers(4), rng.integers(2)]))
        else:
            parts.append(b"\0\1")
    return b"".join(parts)


@pytest.mark.parametrize("bits", [4, 8])
def test_run_lengths(bits):
    if bits == 4 and int(PIL.__version__.split(".")[0]) < 13:
        pytest.skip("Pillow before 13 reads runs of an odd number of 4-bit pixels wrongly")
    rng = np.random.default_rng(bits)
    palette = noise(4 << bits)
    found = [
        check(
            bmp(bits, runs(rng, bits == 4), compression=2 if bits == 4 else 1, palette=palette), decodes=None
        )
        for _ in range(150)
    ]
    assert 20 < sum(found) < 130


def gif(**options) -> bytes:
    pixels = np.random.default_rng(3).integers(0, 256, (options.pop("height", 23), 31, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    image = Image.fromarray(pixels).quantize(options.pop("colors", 64))
    image.save(buffer, "GIF", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("colors", [2, 3, 16, 100, 256])
@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize("height", [1, 2, 4, 5, 23])
def test_gif(colors, interlace, height):
    check(gif(colors=colors, interlace=interlace, height=height))
    check(gif(colors=colors, interlace=interlace, height=height, transparency=1))


def test_gif_frames_that_are_not_the_canvas():
    for data in (gif(transparency=5), gif()):
        larger = data[:6] + struct.pack("<HH", 50, 40) + data[10:]
        check(larger)
        smaller = data[:6] + struct.pack("<HH", 5, 4) + data[10:]
        check(smaller)
        descriptor = data.index(b",\0\0\0\0\x1f\0")
        check(larger[: descriptor + 1] + struct.pack("<HH", 7, 3) + larger[descriptor + 5 :])


def test_grey_gif():
    buffer = io.BytesIO()
    Image.fromarray(np.arange(200, dtype=np.uint8).reshape(10, 20)).save(buffer, "GIF")
    check(buffer.getvalue())
    data = bytearray(buffer.getvalue())
    data[10] &= 0x7F  # No palette: indices are greys.
    check(bytes(data[:13] + data[13 + 768 :]))


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    edited = bytearray(data)
    if rng.random() < 0.2:
        return bytes(edited[: rng.integers(len(edited))])
    reach = len(edited) if rng.random() < 0.6 else 60
    for at in rng.integers(0, min(reach, len(edited)), rng.integers(1, 5)):
        edited[at] = rng.integers(256)
    return bytes(edited)


def test_damaged_files_are_never_decoded_to_other_pixels_than_pillows():
    rng = np.random.default_rng(0)
    seeds = [gif(), gif(colors=4, interlace=1), bmp(24, noise(100)), bmp(8, noise(64), palette=noise(1024))]
    both = 0
    for _ in range(300):
        data = damaged(seeds[rng.integers(len(seeds))], rng)
        ours = by_us(data, "RGB")
        theirs = by_pillow(data, "RGB") if ours is not None else None
        if theirs is not None:
            both += 1
            np.testing.assert_array_equal(ours, theirs)
    assert both > 50
