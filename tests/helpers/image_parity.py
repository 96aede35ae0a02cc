"""How far images are from Pillow's: format x size x method, from files to resized bytes; prints the table.

PYTHONPATH=. python tests/helpers/image_parity.py [FOLDER_OF_PHOTOS] [COUNT]
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from image_processors import picture
from PIL import Image

from mmcore.image import KNOWN_FORMATS, Preprocessor, decode, resize
from mmcore.image.resize import METHODS

SIZES = (
    (224, 224),
    (384, 384),
    (64, 96),
    (331, 17),
    (900, 1100),
)  # height and width; some reduce, some enlarge
SAVED = {
    "JPEG": ("JPEG", {"quality": 90}),
    "JPEG 4:4:4": ("JPEG", {"subsampling": 0}),
    "progressive JPEG": ("JPEG", {"progressive": True}),
    "PNG": ("PNG", {"compress_level": 1}),
    "WEBP": ("WEBP", {"quality": 80}),
    "lossless WEBP": ("WEBP", {"lossless": True, "method": 0}),
    "GIF": ("GIF", {}),
    "BMP": ("BMP", {}),
    "TIFF": ("TIFF", {}),
    "AVIF": ("AVIF", {"speed": 10}),
    "PPM": ("PPM", {}),
}


class Parity(NamedTuple):
    """Of one format, size and method: how many images, and the largest difference from Pillow of 255."""

    format: str
    size: tuple[int, int]
    method: str
    images: int
    largest: int


def photos(folder: Path | None, count: int) -> list[Image.Image]:
    """The first JPEG files below a folder, or drawn pictures."""
    if folder is None:
        return [Image.fromarray(picture(97 + 40 * n, 210 - 31 * n)) for n in range(count)]
    paths = sorted(folder.rglob("*.jpg"))[:count]
    return [Image.open(path).convert("RGB") for path in paths]


def parity(
    images: Sequence[Image.Image],
    sizes: Sequence[tuple[int, int]] = SIZES,
    methods: Sequence[str] = METHODS,
) -> Iterator[Parity]:
    """Decoded and resized by us against opened and resized by Pillow; formats that this Pillow lacks are left out."""
    Image.init()
    for name, (kind, options) in SAVED.items():
        if kind not in Image.SAVE:
            continue
        files = [_saved(image, kind, options) for image in images]
        ours = [decode(data, formats=KNOWN_FORMATS) for data in files]
        theirs = [Image.open(io.BytesIO(data)).convert("RGB") for data in files]
        for size in sizes:
            for method in methods:
                yield Parity(name, size, method, len(files), _largest(ours, theirs, size, method))


def normalized(
    images: Sequence[Image.Image], sides: Sequence[int] = (224, 384)
) -> Iterator[tuple[str, int, float]]:
    """Preset, side, and how far float32 batches are from the same bytes normalised in float64."""
    for preset in ("clip", "siglip", "imagenet"):
        for side in sides:
            options = {"shorter": side * 8 // 7} if preset == "imagenet" else {}
            pre: Preprocessor = getattr(Preprocessor, preset)(size=side, **options)
            plain = Preprocessor(side, pre.resize, pre.crop, shorter=pre.shorter, dtype="uint8")(images)
            want = (plain / 255 - np.array(pre.mean)) / np.array(pre.std)
            yield preset, side, float(np.abs(pre(images) - want).max())


def _saved(image: Image.Image, kind: str, options: dict) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _largest(ours: list[np.ndarray], theirs: list[Image.Image], size: tuple[int, int], method: str) -> int:
    kind = Image.Resampling[method.upper()]
    return max(
        int(np.abs(resize(a, size, method).astype(int) - np.asarray(b.resize(size[::-1], kind))).max())
        for a, b in zip(ours, theirs, strict=True)
    )


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else None
    images = photos(folder, int(arguments[1]) if len(arguments) > 1 else 8)
    rows = list(parity(images))
    print(f"{'format':18}{'size':>12}  " + "".join(f"{method:>10}" for method in METHODS) + f"{'images':>8}")
    for start in range(0, len(rows), len(METHODS)):
        row = rows[start]
        figures = "".join(f"{one.largest:10}" for one in rows[start : start + len(METHODS)])
        print(f"{row.format:18}{row.size[0]:>6} x {row.size[1]:<4} {figures}{row.images:8}")
    for preset, side, largest in normalized(images):
        print(f"{preset} {side} x {side}, float32 against float64: {largest:.1e}")
    return int(any(row.largest for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
