"""Augmentation, one thread. Unit: one training batch of 8 photos of about 640 x 427 to float32 [8, 224, 224, 3]:
random resized crop, flip, colour jitter of all four.

Ceilings: from files the JPEG decoder alone; of the rest, the resize of the crop and four passes over 200 kB.
"""

from __future__ import annotations

import itertools

import baselines
import numpy as np
import pytest
import simplejpeg
from pairing import paired_ratio
from PIL import Image
from test_image import files  # noqa: F401  (the fixture)

from mmcore import image

JITTER = (0.4, 0.4, 0.4, 0.1)
AUGMENT = image.Augmentation(
    (image.RandomResizedCrop(), image.RandomHorizontalFlip(), image.ColorJitter(*JITTER))
)


@pytest.fixture(params=["decoded", "jpeg"])
def inputs(request, files):  # noqa: F811
    """Ours and the rival's."""
    if request.param == "jpeg":
        return files, files
    arrays = [image.decode(data) for data in files]
    return arrays, [Image.fromarray(array) for array in arrays]


def test_train_pipeline(benchmark, inputs):
    ours, theirs = inputs
    rival = baselines.pillow_train(224, AUGMENT.mean, AUGMENT.std, JITTER)
    rng, numbers = np.random.default_rng(0), itertools.count()

    def augment():
        first = len(ours) * next(numbers)
        return AUGMENT(ours, range(first, first + len(ours)), seed=0, threads=1)

    # Other draws from the same distributions: both see photos of the same brightness.
    assert abs(np.mean([augment().mean() for _ in range(20)])) < 1.5
    assert rival(theirs, rng).shape == augment().shape
    ratio = paired_ratio(augment, lambda: rival(theirs, rng))
    benchmark.extra_info.update(unit=f"{len(ours)} photos", times_pillow=ratio.median)
    if isinstance(ours[0], bytes):
        decoder = paired_ratio(augment, lambda: [simplejpeg.decode_jpeg(data) for data in ours])
        benchmark.extra_info.update(share_of_decoder_rate=decoder.median)
    benchmark(augment)
