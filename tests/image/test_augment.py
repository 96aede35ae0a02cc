from __future__ import annotations

import numpy as np
import pytest

from mmcore.image import random_flips, random_resized_crop_boxes

SIZES = [(427, 640), (30, 500), (500, 30), (1, 1), (64, 64)] * 40


def test_boxes_are_whole_pixels_inside_the_image():
    boxes = random_resized_crop_boxes(SIZES, np.random.default_rng(0))
    assert boxes.shape == (len(SIZES), 4) and boxes.dtype == np.float32
    np.testing.assert_array_equal(boxes, boxes.round())
    for (height, width), (left, top, right, bottom) in zip(SIZES, boxes, strict=True):
        assert 0 <= left < right <= width and 0 <= top < bottom <= height


def test_area_and_ratio_are_within_bounds_where_boxes_fit():
    boxes = random_resized_crop_boxes(
        [(400, 500)] * 500, np.random.default_rng(1), scale=(0.2, 0.5), ratio=(0.5, 2.0)
    )
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    share, ratio = width * height / 200_000, width / height
    assert 0.195 < share.min() < 0.23 and 0.47 < share.max() < 0.505
    assert 0.49 < ratio.min() < 0.56 and 1.8 < ratio.max() < 2.02
    assert abs(np.log(ratio).mean()) < 0.06  # log-uniform: as often wide as tall
    assert boxes[:, 0].min() < 20 and boxes[:, 2].max() > 480


def test_fall_back_is_centred_with_the_nearest_ratio():
    wide, tall = random_resized_crop_boxes([(30, 900), (900, 30)], np.random.default_rng(2), scale=(1.0, 1.0))
    assert wide.tolist() == [430, 0, 470, 30]
    assert tall.tolist() == [0, 430, 30, 470]


def test_same_generator_state_same_boxes_and_flips():
    first, second = (np.random.default_rng(7) for _ in range(2))
    boxes = [random_resized_crop_boxes(SIZES, rng) for rng in (first, second)]
    np.testing.assert_array_equal(*boxes)
    np.testing.assert_array_equal(random_flips(50, first), random_flips(50, second))


def test_flip_rate():
    rng = np.random.default_rng(3)
    assert not random_flips(100, rng, rate=0).any()
    assert random_flips(100, rng, rate=1).all()
    assert 400 < random_flips(1000, rng).sum() < 600


@pytest.mark.parametrize(
    ("options", "message"),
    [({"scale": (0.0, 1.0)}, "scale"), ({"scale": (0.9, 0.5)}, "scale"), ({"ratio": (-1.0, 1.0)}, "ratio")],
)
def test_mistakes_are_named(options, message):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=message):
        random_resized_crop_boxes([(4, 4)], rng, **options)
    with pytest.raises(ValueError, match="have pixels"):
        random_resized_crop_boxes([(0, 4)], rng)
    with pytest.raises(ValueError, match="rate"):
        random_flips(3, rng, rate=1.5)
