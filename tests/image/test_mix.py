from __future__ import annotations

import numpy as np
import pytest

from mmcore.image import cutmix, mixup
from mmcore.image.augment import reference


def batch(count: int = 5, dtype=np.float32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(count)
    images = rng.normal(0, 60, (count, 9, 14, 3)).astype(dtype)
    return images, rng.dirichlet(np.ones(7), count).astype(np.float32)


@pytest.mark.parametrize("alpha", [0.01, 0.2, 1.0, 30.0])
@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_equals_the_twin_bit_for_bit(name, count, alpha):
    ours, twin = {"mixup": (mixup, reference.mixup), "cutmix": (cutmix, reference.cutmix)}[name]
    images, labels = batch(count)
    for step in range(20):
        expected = twin(images, labels, seed=3, step=step, alpha=alpha)
        for threads in (1, 2):
            got = ours(images, labels, seed=3, step=step, alpha=alpha, threads=threads)
            for mine, theirs in zip(got, expected, strict=True):
                assert mine.dtype == np.float32
                np.testing.assert_array_equal(mine, theirs)


def test_cutmix_of_bytes_and_class_numbers():
    images, _ = batch(4, np.uint8)
    mixed, labels = cutmix(images, np.array([0, 1, 2, 2]), seed=0, step=5, num_classes=3)
    one_hot = np.eye(3, dtype=np.float32)[[0, 1, 2, 2]]
    expected = reference.cutmix(images, one_hot, seed=0, step=5, alpha=1.0)
    np.testing.assert_array_equal(mixed, expected[0])
    np.testing.assert_array_equal(labels, expected[1])
    changed = (mixed != images).any(axis=(0, 3)).mean()
    assert abs((1 - labels[0, 0]) - changed) < 0.02  # labels follow the area


def test_inputs_stay_as_they_are():
    images, labels = batch()
    kept = images.copy(), labels.copy()
    mixup(images, labels, seed=0, step=0)
    cutmix(images, labels, seed=0, step=0)
    np.testing.assert_array_equal(images, kept[0])
    np.testing.assert_array_equal(labels, kept[1])


@pytest.mark.parametrize(
    ("images", "labels", "options", "message"),
    [
        (batch()[0].astype(np.float64), batch()[1], {}, "images"),
        (batch()[0][0], batch()[1], {}, "images"),
        (batch()[0], batch()[1][:3], {}, "labels"),
        (batch()[0], batch()[1].astype(np.float64), {}, "labels"),
        (batch()[0], np.arange(5), {}, "num_classes"),
        (batch()[0], np.arange(5), {"num_classes": 4}, "num_classes"),
        (batch()[0], batch()[1], {"alpha": 0.0}, "alpha"),
        (batch()[0], batch()[1], {"alpha": float("nan")}, "alpha"),
        (batch()[0], batch()[1], {"seed": -1}, "seed"),
        (batch()[0], batch()[1], {"step": 2**64}, "step"),
        (batch()[0], batch()[1], {"threads": 0}, "threads"),
    ],
)
@pytest.mark.parametrize("function", [mixup, cutmix])
def test_mistakes_are_named(function, images, labels, options, message):
    with pytest.raises(ValueError, match=message):
        function(images, labels, **{"seed": 0, "step": 0, **options})
