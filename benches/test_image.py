"""Images, one thread. Unit: one batch of 8 photos of about 640 x 427 to float32 [8, 224, 224, 3].

Ceilings: from files, the JPEG decoder alone (libjpeg-turbo, 2 to 3 ms a photo); of the rest, 3.4 million
multiply-adds and 0.6 MB of floats to be written for each photo.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import baselines
import numpy as np
import pytest
import simplejpeg
from pairing import paired_ratio
from PIL import Image

import mmcore
from mmcore.image import Preprocessor, decode

BATCH = 8
PRE = Preprocessor.clip()
# Largest accepted mean difference, in units of standard deviations: Pillow's result is ours; OpenCV averages
# areas and TensorFlow rounds nowhere, both are other filters of the same picture.
RIVALS = {
    "pillow": (baselines.pillow_batch, 1e-6),
    "opencv": (baselines.opencv_batch, 0.15),
    "tf_data": (baselines.tf_data_batch, 0.05),
    "tf_image": (baselines.tf_image_batch, 0.05),
}


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    folder = os.environ.get("MMCORE_TEST_DATA")
    if not folder:
        return [drawn_photo(seed) for seed in range(BATCH)]
    paths = sorted((Path(folder) / "coco_cc").rglob("*.jpg"))
    return [path.read_bytes() for path in paths[:BATCH]]


def drawn_photo(seed: int, height: int = 427, width: int = 640) -> bytes:
    """A JPEG as large and as detailed as a photograph: smooth shapes, edges and sensor noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    image = np.zeros((height, width, 3))
    for _ in range(40):
        fx, fy, phase = rng.uniform(-0.15, 0.15), rng.uniform(-0.15, 0.15), rng.uniform(0, 6)
        image += np.sign(np.sin(fx * x + fy * y + phase))[:, :, None] * rng.normal(0, 8, 3)
    image += 128 + rng.normal(0, 7, image.shape)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.mark.parametrize("rival", sorted(RIVALS))
def test_files_to_batch(benchmark, files, rival):
    make, tolerance = RIVALS[rival]
    theirs = make(PRE.size, PRE.mean, PRE.std)
    difference = np.abs(PRE(files, threads=1) - theirs(files))
    assert difference.mean() < tolerance, f"{rival} gives another result: {difference.mean()}"
    ratio = paired_ratio(lambda: PRE(files, threads=1), lambda: theirs(files))
    report(benchmark, lambda: PRE(files, threads=1), **{f"times_{rival}": ratio.median})


def test_files_to_batch_against_decoding_alone(benchmark, files):
    def decoder():
        return [simplejpeg.decode_jpeg(data) for data in files]

    ratio = paired_ratio(lambda: PRE(files, threads=1), decoder)
    report(benchmark, lambda: PRE(files, threads=1), share_of_decoder_rate=ratio.median)


def test_resize_normalize(benchmark, files):
    arrays = [decode(data) for data in files]
    images = [Image.fromarray(array) for array in arrays]
    theirs = baselines.pillow_finish(PRE.size, PRE.mean, PRE.std)
    np.testing.assert_allclose(PRE(arrays, threads=1), theirs(images), rtol=0, atol=1e-6)
    ratio = paired_ratio(lambda: PRE(arrays, threads=1), lambda: theirs(images))
    report(benchmark, lambda: PRE(arrays, threads=1), times_pillow=ratio.median)


def test_resize_normalize_on_two_threads(benchmark, files):
    arrays = [decode(data) for data in files] * 8
    gain = paired_ratio(lambda: PRE(arrays, threads=2), lambda: PRE(arrays, threads=1), pairs=21)
    report(benchmark, lambda: PRE(arrays, threads=2), gain_of_second_thread=gain.median)


@pytest.mark.parametrize("batch", [BATCH, 32])
def test_resize_normalize_in_tf_data(benchmark, files, batch):
    """One thread on both sides, and none that works ahead while nobody measures. Python's next() costs some 0.2 ms."""
    tf = pytest.importorskip("tensorflow", reason="needs TensorFlow (extra: cpu)")
    from mmcore import ops

    arrays = of_one_size([decode(data) for data in files]) * (batch // BATCH)
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.autotune.enabled = False
    options.experimental_optimization.inject_prefetch = False
    images = tf.data.Dataset.from_tensors(np.stack(arrays)).repeat()
    dataset = images.map(lambda batch: ops.resize_normalize(PRE, batch)).with_options(options)
    mmcore.set_num_threads(1)
    try:
        batches = iter(dataset)
        np.testing.assert_array_equal(next(batches), PRE(arrays, threads=1))
        ratio = paired_ratio(lambda: next(batches), lambda: PRE(arrays, threads=1), pairs=51)
        report(benchmark, lambda: next(batches), share_of_numpy_rate=ratio.median)
    finally:
        mmcore.set_num_threads(None)


def of_one_size(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Cut to the smallest height and width among them."""
    height, width = (min(array.shape[axis] for array in arrays) for axis in (0, 1))
    return [np.ascontiguousarray(array[:height, :width]) for array in arrays]


def test_decode(benchmark, files):
    def theirs():
        return [np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in files]

    for ours, pillow in zip(map(decode, files), theirs(), strict=True):
        np.testing.assert_array_equal(ours, pillow)
    ratio = paired_ratio(lambda: [decode(data) for data in files], theirs)
    report(benchmark, lambda: [decode(data) for data in files], times_pillow=ratio.median)


def report(benchmark, ours, **figures: float) -> None:
    benchmark.extra_info["unit"] = f"{BATCH} photos"
    benchmark.extra_info.update(figures)
    benchmark(ours)
