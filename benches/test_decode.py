"""Decoding as a part of preprocessing. Unit: one batch of photos; the ceiling is the decoder alone, in the same run."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from pairing import paired_ratio, seconds
from PIL import Image
from test_image import BATCH, drawn_photo

from mmcore.image import Preprocessor

PRE = Preprocessor.clip()
LEAST_BITS = (
    2.5  # a pixel: scaled decoding saves all but reading the codes, so that few of them would flatter
)


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    folder = os.environ.get("MMCORE_TEST_DATA")
    if not folder:
        return [drawn_photo(seed) for seed in range(BATCH)]
    paths = sorted((Path(folder) / "coco_cc").rglob("*.jpg"))
    return [path.read_bytes() for path in paths[:BATCH]]


@pytest.fixture(scope="module")
def large_files(files) -> list[bytes]:
    """Two JPEG of 3000 x 2000: mosaics of the photos, with as many bits as cameras spend."""
    photos = [Image.open(io.BytesIO(data)).convert("RGB").resize((600, 400)) for data in files]
    large = []
    for shift in range(2):
        mosaic = Image.new("RGB", (3000, 2000))
        for i in range(25):
            mosaic.paste(photos[(i + shift) % len(photos)], (i % 5 * 600, i // 5 * 400))
        buffer = io.BytesIO()
        mosaic.save(buffer, "JPEG", quality=95)
        assert 8 * buffer.tell() >= LEAST_BITS * 3000 * 2000
        large.append(buffer.getvalue())
    return large


def test_fast_files_to_batch(benchmark, large_files):
    fast = Preprocessor.clip(fast=True)

    def decoder():
        return [simplejpeg.decode_jpeg(data, min_height=500, min_width=750) for data in large_files]

    assert decoder()[0].shape == (500, 750, 3)
    difference = np.abs(fast(large_files) - PRE(large_files)).mean() * 255 * np.mean(PRE.std)
    assert difference < 1
    share = paired_ratio(lambda: fast(large_files, threads=1), decoder)
    exact = paired_ratio(lambda: fast(large_files, threads=1), lambda: PRE(large_files, threads=1), pairs=5)
    benchmark.extra_info.update(
        unit="2 photos",
        share_of_scaled_decoder_rate=share.median,
        times_exact=exact.median,
        levels=difference,
    )
    benchmark(lambda: fast(large_files, threads=1))


def test_second_thread(benchmark, files):
    many = files * 8

    def decoder(threads: int) -> float:
        if threads == 1:
            return seconds(lambda: list(map(simplejpeg.decode_jpeg, many)))
        with ThreadPoolExecutor(threads) as pool:
            return seconds(lambda: list(pool.map(simplejpeg.decode_jpeg, many)))

    ours = paired_ratio(lambda: PRE(many, threads=2), lambda: PRE(many, threads=1), pairs=15)
    alone = paired_ratio(lambda: decoder(2), lambda: decoder(1), pairs=15)
    benchmark.extra_info.update(
        unit=f"{len(many)} photos",
        gain=ours.median,
        decoder_gain=alone.median,
        share=ours.median / alone.median,
    )
    benchmark(lambda: PRE(many, threads=2))


def test_preprocess_image_in_tf_data(benchmark, files):
    tf = pytest.importorskip("tensorflow", reason="needs TensorFlow (extra: cpu)")
    from mmcore import ops

    def run_over(function):
        # A pipeline that goes on: making an iterator costs as much as a photo, once an epoch.
        options = tf.data.Options()
        options.threading.private_threadpool_size = 1
        options.autotune.enabled = False
        options.experimental_optimization.inject_prefetch = False
        dataset = tf.data.Dataset.from_tensor_slices(files).repeat().map(function).with_options(options)
        values = iter(dataset)
        return lambda: [next(values).shape for _ in files]

    ours = run_over(lambda data: ops.preprocess_image(PRE, data))
    theirs = run_over(lambda data: tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"))
    np.testing.assert_array_equal(ops.preprocess_image(PRE, files), PRE(files))
    share = paired_ratio(ours, theirs, pairs=25)
    benchmark.extra_info.update(unit=f"{BATCH} photos", share_of_tf_io_rate=share.median)
    benchmark(ours)
