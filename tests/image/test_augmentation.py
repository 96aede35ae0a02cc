"""`Augmentation` against its plain twin, and what must not change a result: batches, threads, processors."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from PIL import Image

from mmcore._load import native
from mmcore.errors import DataError, LimitError
from mmcore.image import (
    Augmentation,
    ColorJitter,
    RandAugment,
    RandomErasing,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
)
from mmcore.image.augment import OPERATIONS, reference
from mmcore.image.normalize import normalization_for

CROP, FLIP = RandomResizedCrop(), RandomHorizontalFlip()
JITTER = ColorJitter(0.4, 0.4, 0.4, 0.1)
LISTS = {
    "nothing": (),
    "crop": (CROP,),
    "crop and flip": (CROP, FLIP),
    "jitter": (CROP, FLIP, JITTER),
    "pairs": (ColorJitter((0.2, 3.0), (1, 1), (0, 0.5), (0.2, 0.3), p=0.7),),
    "grayscale": (FLIP, RandomGrayscale(0.5)),
    "rand augment": (CROP, RandAugment(4, 17, operations=OPERATIONS[:15], fill=(9, 8, 250))),
    "erasing": (RandomErasing(0.8, value=(1, 2, 3)), RandomErasing(0.8, (0.0, 0.2), value="random")),
    "all": (CROP, FLIP, JITTER, RandomGrayscale(0.2), RandAugment(), RandomErasing(value="random")),
}
SHAPES = [(60, 80), (33, 31), (1, 50), (50, 1), (1, 1), (120, 20)]


def pictures(seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in SHAPES]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_equals_the_twin_bit_for_bit(name, dtype):
    augmentation = Augmentation(LISTS[name], size=(24, 31), resize="bilinear", dtype=dtype)
    for seed in (0, 7, 2**64 - 1):
        indices = [3, 4, 2**64 - 1, 0, 11, 12]
        batch = augmentation(pictures(), indices, seed=seed)
        for image, index, row in zip(pictures(), indices, batch, strict=True):
            np.testing.assert_array_equal(row, reference.augment(augmentation, image, index, seed=seed))


def test_neither_threads_nor_batch_nor_processor_change_a_picture():
    augmentation = Augmentation(LISTS["all"], size=40)
    images, indices = pictures() * 3, list(range(18))
    batch = augmentation(images, indices, seed=1)
    for threads in (1, 2, 5):
        np.testing.assert_array_equal(batch, augmentation(images, indices, seed=1, threads=threads))
    order = np.random.default_rng(0).permutation(18)
    shuffled = augmentation([images[i] for i in order], order, seed=1)
    np.testing.assert_array_equal(batch[order], shuffled)
    alone = [augmentation([image], [i], seed=1)[0] for i, image in enumerate(images)]
    np.testing.assert_array_equal(batch, alone)
    isas = ["scalar", "avx2", "avx512"]
    for isa in isas[: isas.index(native().detected_isa()) + 1]:
        out = np.empty_like(batch)
        normalization = normalization_for(augmentation.mean, augmentation.std)
        native().image_augment(
            augmentation.numbers(),
            images,
            indices,
            1,
            "bicubic",
            normalization,
            False,
            "float32",
            1,
            out,
            isa,
        )
        np.testing.assert_array_equal(batch, out)


def test_seed_and_index_both_change_the_picture():
    augmentation = Augmentation(LISTS["jitter"], size=16, dtype="uint8")
    image = pictures()[0]
    seen = {augmentation([image], [i], seed=s).tobytes() for i in range(8) for s in range(8)}
    assert len(seen) == 64


def test_layout_and_other_dtypes_are_those_of_the_float_batch():
    images, indices = pictures(), range(6)
    batch = Augmentation(LISTS["all"], size=20)(images, indices, seed=2)
    planar = Augmentation(LISTS["all"], size=20, layout="NCHW")(images, indices, seed=2)
    np.testing.assert_array_equal(planar, batch.transpose(0, 3, 1, 2))
    half = Augmentation(LISTS["all"], size=20, dtype="float16")(images, indices, seed=2)
    np.testing.assert_array_equal(half, batch.astype(np.float16))


def test_a_picture_that_one_step_less_leaves_alone_keeps_its_other_draws():
    """A step draws for itself: what is appended to the list changes nothing before it."""
    image = pictures()[0]
    short = Augmentation((CROP, FLIP), size=16, dtype="uint8")
    longer = Augmentation((CROP, FLIP, RandomGrayscale(0.0)), size=16, dtype="uint8")
    for index in range(10):
        np.testing.assert_array_equal(short([image], [index], seed=0), longer([image], [index], seed=0))


def test_files_give_what_their_pixels_give(tmp_path):
    augmentation = Augmentation(LISTS["all"], size=24)
    files = []
    for image in pictures():
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        files.append(buffer.getvalue())
    path = tmp_path / "one.png"
    path.write_bytes(files[0])
    expected = augmentation(pictures(), range(6), seed=4)
    for threads in (1, 3):
        mixed = [path, *files[1:4], *pictures()[4:]]
        np.testing.assert_array_equal(augmentation(mixed, range(6), seed=4, threads=threads), expected)
    with pytest.raises(DataError, match="image 1"):
        augmentation([files[0], files[1][:40]], [0, 1], seed=0)
    with pytest.raises(LimitError, match="image 0"):
        Augmentation((), max_pixels=10)([files[0]], [0], seed=0)


def test_is_immutable_and_pickles():
    augmentation = Augmentation(LISTS["all"], size=24)
    again = pickle.loads(pickle.dumps(augmentation))
    assert again == augmentation and hash(again) == hash(augmentation)
    np.testing.assert_array_equal(*(a(pictures(), range(6), seed=0) for a in (augmentation, again)))
    with pytest.raises(AttributeError):
        augmentation.size = 3


def test_writes_into_out_and_nowhere_else():
    augmentation = Augmentation((CROP,), size=8)
    memory = np.full((4, 8, 8, 3), -7, np.float32)
    out = augmentation(pictures()[:2], [0, 1], seed=0, out=memory[1:3])
    assert np.shares_memory(out, memory) and (memory[[0, 3]] == -7).all()
    np.testing.assert_array_equal(out, augmentation(pictures()[:2], [0, 1], seed=0))
    assert augmentation([], [], seed=0).shape == (0, 8, 8, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomResizedCrop(scale=(0.0, 1.0)), "scale"),
        (lambda: RandomResizedCrop(scale=(0.9, 0.5)), "scale"),
        (lambda: RandomResizedCrop(ratio=(float("nan"), 1)), "ratio"),
        (lambda: RandomHorizontalFlip(1.5), "p must"),
        (lambda: RandomGrayscale(-0.1), "p must"),
        (lambda: ColorJitter(brightness=-1), "brightness"),
        (lambda: ColorJitter(contrast=(2, 1)), "contrast"),
        (lambda: ColorJitter(hue=0.6), "hue"),
        (lambda: ColorJitter(saturation=float("nan")), "saturation"),
        (lambda: RandAugment(num_ops=-1), "num_ops"),
        (lambda: RandAugment(magnitude=31), "magnitude"),
        (lambda: RandAugment(operations=("Blur",)), "Blur"),
        (lambda: RandAugment(operations=()), "operations"),
        (lambda: RandAugment(fill=(0, 0, 256)), "colour"),
        (lambda: RandomErasing(value="zero"), "random"),
        (lambda: RandomErasing(ratio=(0, 1)), "ratio"),
        (lambda: Augmentation((FLIP, CROP)), "first step"),
        (lambda: Augmentation(("flip",)), "step 0"),
        (lambda: Augmentation((), size=0), "size"),
        (lambda: Augmentation((), resize="best"), "best"),
        (lambda: Augmentation((), std=(1, 1, 0)), "std"),
        (lambda: Augmentation((), mean=(1, 1)), "mean"),
        (lambda: Augmentation((), dtype="int8"), "dtype"),
        (lambda: Augmentation((), layout="HWC"), "layout"),
    ],
)
def test_mistakes_in_the_description_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("images", "indices", "options", "message"),
    [
        (pictures()[:1], [], {}, "one for each"),
        (pictures()[:1], [-1], {}, "index 0"),
        (pictures()[:1], [0.5], {}, "index 0"),
        (pictures()[:1], [0], {"seed": -1}, "seed"),
        (pictures()[:1], [0], {"seed": 2**64}, "seed"),
        (pictures()[:1], [0], {"threads": 0}, "threads"),
        (pictures()[:1], [0], {"out": np.empty((1, 9, 8, 3), np.float32)}, "out must"),
        (pictures()[:1], [0], {"out": np.empty((1, 8, 8, 3), np.uint8)}, "out must"),
        ([np.zeros((4, 4), np.uint8)], [0], {}, "image 0"),
        ([np.zeros((0, 4, 3), np.uint8)], [0], {}, "image 0"),
        ([None], [0], {}, "image 0"),
    ],
)
def test_mistakes_in_a_call_are_named(images, indices, options, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(LISTS["all"], size=8)(images, indices, **{"seed": 0, **options})


@pytest.mark.parametrize(
    "numbers",
    [[], [2], [1, 7], [1, 1], [1, 1, 0.5, 0.2, 1, 1], [1, 2, 0.5, 1, 0.1, 1, 1, 1], [1, 2, 1.5], [1, 2.5]]
    + [[1, 5, 2, 0.3, 0, mask] for mask in (0, 1 << 15)]
    + [[1, 2, float("nan")], [1, 3, *[1] * 6, -0.5, 0.7, 1], [1, *[2, 0.5] * 1001]],
)
def test_the_core_refuses_numbers_that_are_no_specification(numbers):
    with pytest.raises(ValueError):
        native().image_augment(
            numbers,
            [],
            [],
            0,
            "bicubic",
            normalization_for((0, 0, 0), (1, 1, 1)),
            False,
            "uint8",
            1,
            np.empty((0, 4, 4, 3), np.uint8),
        )
