"""Patches of variable resolution, one thread. Unit: 8 decoded photos of about 640 x 427 to float32 [8, 256, 768].

Ceiling: the resize and 0.8 MB of floats to be written for each photo.
"""

from __future__ import annotations

import numpy as np
from pairing import paired_ratio
from PIL import Image
from test_image import files  # noqa: F401  (the fixture)

from mmcore.image import PatchPreprocessor, decode, pack_patches

PRE = PatchPreprocessor.siglip2()


def pillow_patches(images: list[Image.Image]) -> np.ndarray:
    """The same with Pillow's resize and NumPy, as the published processor does it, in place where NumPy can."""
    size = PRE.patch_size
    out = np.zeros((len(images), PRE.max_patches, size * size * 3), np.float32)
    for row, image in zip(out, images, strict=True):
        rows, columns = PRE.grid(image.height, image.width)
        resized = np.asarray(image.resize((columns * size, rows * size), Image.Resampling.BILINEAR))
        values = np.multiply(resized, np.float32(2 / 255), dtype=np.float32)
        values -= 1
        patches = values.reshape(rows, size, columns, size, 3).swapaxes(1, 2)
        row[: rows * columns] = patches.reshape(rows * columns, -1)
    return out


def test_patches(benchmark, files):  # noqa: F811
    arrays = [decode(data) for data in files]
    images = [Image.fromarray(array) for array in arrays]
    np.testing.assert_allclose(PRE(arrays, threads=1).patches, pillow_patches(images), rtol=0, atol=1e-6)
    ratio = paired_ratio(lambda: PRE(arrays, threads=1), lambda: pillow_patches(images))
    benchmark.extra_info.update(unit=f"{len(files)} photos", times_pillow=ratio.median)
    benchmark(lambda: PRE(arrays, threads=1))


def test_packing(benchmark, files):  # noqa: F811
    batch = PRE([decode(data) for data in files])
    copied = paired_ratio(lambda: pack_patches(batch, 1024), lambda: batch.patches.copy())
    benchmark.extra_info.update(unit=f"{len(files)} photos", share_of_copying=copied.median)
    benchmark(lambda: pack_patches(batch, 1024))
