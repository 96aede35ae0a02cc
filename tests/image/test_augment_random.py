"""The generator against its published answers and its twin; the draws against the distributions they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mmcore._load import native
from mmcore.image import Augmentation, RandomHorizontalFlip, RandomResizedCrop
from mmcore.image.augment import reference
from mmcore.image.augment.reference import Stream, philox


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (
            (0xFFFFFFFF,) * 4,
            (0xFFFFFFFF,) * 2,
            (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        ),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers_of_philox(counter, key, answer):
    """The known-answer vectors that the authors publish with Random123."""
    assert philox(counter, key) == answer


def test_core_and_twin_draw_the_same_bits():
    for seed, index, purpose in [(0, 0, 0), (2**64 - 1, 2**64 - 1, 2**32 - 1), (1 << 40, 5 << 33, 3)]:
        stream = Stream(seed, index, purpose)
        expected = [stream.bits() for _ in range(21)]
        assert native().random_bits(seed, index, purpose, 21).tolist() == expected


def uniforms(draws: np.ndarray) -> np.ndarray:
    return (draws >> np.uint64(11)) * 2.0**-53


@pytest.mark.parametrize("along", ["draws", "indices", "seeds", "purposes"])
def test_draws_are_uniform_and_independent_along_every_counter(along):
    draw = native().random_bits
    count = 20_000
    bits = {
        "draws": lambda: draw(1, 2, 3, count),
        "indices": lambda: np.concatenate([draw(1, i, 3, 1) for i in range(count)]),
        "seeds": lambda: np.concatenate([draw(s, 2, 3, 1) for s in range(count)]),
        "purposes": lambda: np.concatenate([draw(1, 2, p, 1) for p in range(count)]),
    }[along]()
    assert len(set(bits.tolist())) == count
    u = uniforms(bits)
    expected = count / 50
    chi_square = ((np.bincount((u * 50).astype(int), minlength=50) - expected) ** 2 / expected).sum()
    assert chi_square < 94  # 49 degrees of freedom: beyond this with probability 1e-4
    pairs = np.bincount((u[:-1] * 10).astype(int) * 10 + (u[1:] * 10).astype(int), minlength=100)
    assert ((pairs - count / 100) ** 2 / (count / 100)).sum() < 160  # 99: 1e-4
    for bit in range(64):
        ones = int(((bits >> np.uint64(bit)) & np.uint64(1)).sum())
        assert abs(ones - count / 2) < 4.5 * math.sqrt(count / 4)


def test_below_is_uniform_and_inside():
    stream = Stream(3, 0, 0)
    counts = np.bincount([stream.below(7) for _ in range(14_000)], minlength=7)
    assert len(counts) == 7 and ((counts - 2000) ** 2 / 2000).sum() < 28  # 6 degrees of freedom: 1e-4
    assert all(Stream(0, i, 0).below(1) == 0 for i in range(20))


def test_crops_have_the_shares_ratios_and_places_that_were_asked_for():
    step = RandomResizedCrop((0.2, 0.5), (0.5, 2.0))
    boxes = np.array([reference.draw_crop(step, Stream(0, i, 0), 400, 500) for i in range(3000)])
    left, top, right, bottom = boxes.T
    share = (right - left) * (bottom - top) / 200_000
    ratio = np.log((right - left) / (bottom - top))
    assert 0.199 < share.min() < 0.202 and 0.498 < share.max() < 0.502
    assert abs(np.mean(share) - 0.35) < 0.006 and abs(ratio.mean()) < 0.03
    assert abs(ratio.std() - math.log(4) / math.sqrt(12)) < 0.02
    assert abs(np.mean(left / (500 - (right - left) + 1)) - 0.5) < 0.02
    assert abs(np.mean(top / (400 - (bottom - top) + 1)) - 0.5) < 0.02
    assert (left >= 0).all() and (top >= 0).all() and (right <= 500).all() and (bottom <= 400).all()


def test_crop_that_cannot_fit_is_centred():
    step = RandomResizedCrop((1.0, 1.0))
    assert reference.draw_crop(step, Stream(0, 0, 0), 30, 900) == (430, 0, 470, 30)
    assert reference.draw_crop(step, Stream(0, 0, 0), 900, 30) == (0, 430, 30, 470)


@pytest.mark.parametrize("p", [0.0, 0.2, 1.0])
def test_flips_come_as_often_as_asked(p):
    image = np.zeros((1, 2, 3), np.uint8)
    image[0, 1] = 9
    augmentation = Augmentation((RandomHorizontalFlip(p),), size=(1, 2), dtype="uint8")
    batch = augmentation([image] * 4000, range(4000), seed=0)
    flipped = (batch[:, 0, 0, 0] == 9).mean()
    assert flipped == p if p in (0, 1) else abs(flipped - p) < 4 * math.sqrt(p * (1 - p) / 4000)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_beta_has_its_mean_and_variance(alpha):
    draws = np.array([reference.draw_beta(Stream(0, i, reference.MIXUP), alpha) for i in range(4000)])
    variance = 1 / (4 * (2 * alpha + 1))
    assert ((draws >= 0) & (draws <= 1)).all()
    assert abs(draws.mean() - 0.5) < 4 * math.sqrt(variance / 4000)
    assert abs(draws.var() / variance - 1) < 0.1
