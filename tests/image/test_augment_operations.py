"""Each operation on pixels against Pillow, byte for byte, on every instruction set of this CPU."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from mmcore._load import native
from mmcore.image.augment import OPERATIONS

ISAS = ["scalar", "avx2", "avx512"]
ISAS = ISAS[: ISAS.index(native().detected_isa()) + 1]
FILL = (7, 200, 31)
SIZES = [(1, 1), (1, 9), (9, 1), (2, 3), (3, 3), (4, 17), (31, 33), (64, 50), (97, 61)]


def enhance(kind):
    return lambda image, value: kind(image).enhance(value)


def affine(image, *data):
    return image.transform(image.size, Image.Transform.AFFINE, data, fillcolor=FILL)


def shift_hue(image, turns):
    hue, saturation, value = image.convert("HSV").split()
    shifted = np.asarray(hue) + np.int32(turns * 255).astype(np.uint8)
    return Image.merge("HSV", (Image.fromarray(shifted), saturation, value)).convert("RGB")


PILLOW = {
    "Identity": lambda image, value: image,
    "AutoContrast": lambda image, value: ImageOps.autocontrast(image),
    "Equalize": lambda image, value: ImageOps.equalize(image),
    "Invert": lambda image, value: ImageOps.invert(image),
    "Rotate": lambda image, value: image.rotate(value, fillcolor=FILL),
    "Posterize": lambda image, value: ImageOps.posterize(image, int(value)),
    "Solarize": ImageOps.solarize,
    "Color": enhance(ImageEnhance.Color),
    "Contrast": enhance(ImageEnhance.Contrast),
    "Brightness": enhance(ImageEnhance.Brightness),
    "Sharpness": enhance(ImageEnhance.Sharpness),
    "ShearX": lambda image, value: affine(image, 1, value, 0, 0, 1, 0),
    "ShearY": lambda image, value: affine(image, 1, 0, 0, value, 1, 0),
    "TranslateX": lambda image, value: affine(image, 1, 0, value, 0, 1, 0),
    "TranslateY": lambda image, value: affine(image, 1, 0, 0, 0, 1, value),
    "Grayscale": lambda image, value: image.convert("L").convert("RGB"),
    "Hue": shift_hue,
    "Flip": lambda image, value: ImageOps.mirror(image),
}
FACTORS = [0.0, 0.1, 0.5, 0.999, 1.0, 1.001, 1.9, 3.7, 40.0]
VALUES = {
    "Rotate": [0.0, 1e-9, 30.0, -17.3, 90.0, 180.0, 270.0, 360.0, -90.0, 45.0, 719.5, -1e-13],
    "Posterize": [1, 2, 3, 4, 5, 6, 7, 8],
    "Solarize": [0, 1, 128, 127.5, 255, 256, 300.0, -3.0],
    "Color": FACTORS,
    "Contrast": FACTORS,
    "Brightness": FACTORS,
    "Sharpness": FACTORS,
    "ShearX": [0.0, 0.3, -0.3, 0.01, 1.7],
    "ShearY": [0.0, 0.3, -0.3, 0.01, -1.7],
    "TranslateX": [0, 1, -1, 0.5, -0.5, 13.25, 1000.0, -1000.0],
    "TranslateY": [0, 1, -1, 0.5, -0.5, 13.25, 1000.0, -1000.0],
    "Hue": [0.0, 0.5, -0.5, 0.1, -0.1, 0.003, -0.004],
}


def pictures(size, seed):
    """Noise, few values, one value, a ramp: histograms of every kind."""
    rng = np.random.default_rng(seed)
    yield rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    yield rng.integers(100, 104, (*size, 3), dtype=np.uint8)
    yield np.full((*size, 3), 77, np.uint8)
    yield (np.arange(math.prod(size) * 3).reshape(*size, 3) // 7).astype(np.uint8)


def operate(image, name, value, isa):
    red, green, blue = FILL
    fill = red | green << 8 | blue << 16
    return native().image_operate(image, OPERATIONS.index(name), value, fill, isa)


@pytest.mark.parametrize("name", sorted(PILLOW))
def test_equals_pillow_byte_for_byte(name):
    rng = np.random.default_rng(len(name))
    for size in SIZES:
        values = VALUES.get(name, [0.0])
        if name in VALUES and name != "Posterize":
            low, high = min(values), min(max(values), 400)
            values = [*values, *rng.uniform(low, high, 6)]
        for picture in pictures(size, size[0]):
            for value in values:
                expected = np.asarray(PILLOW[name](Image.fromarray(picture), value))
                for isa in ISAS:
                    got = operate(picture, name, value, isa)
                    np.testing.assert_array_equal(got, expected, f"{name} {value} {size} {isa}")


def test_every_operation_has_an_oracle():
    assert set(PILLOW) == set(OPERATIONS)


@pytest.mark.parametrize("isa", ISAS)
def test_every_shift_of_the_hue_of_colours_drawn_by_chance(isa):
    colours = np.random.default_rng(0).integers(0, 256, (40, 400, 3), dtype=np.uint8)
    for step in range(-127, 128, 5):
        turns = (step + math.copysign(0.5, step)) / 255
        expected = np.asarray(shift_hue(Image.fromarray(colours), turns))
        np.testing.assert_array_equal(operate(colours, "Hue", turns, isa), expected)


@pytest.mark.slow
@pytest.mark.parametrize("isa", ISAS)
def test_all_colours_through_hue_and_luma(isa):
    number = np.arange(1 << 24, dtype=np.uint32).reshape(4096, 4096)
    colours = np.stack([number & 255, number >> 8 & 255, number >> 16], -1).astype(np.uint8)
    for turns in (0.0, 0.123, -0.5):
        expected = np.asarray(shift_hue(Image.fromarray(colours), turns))
        np.testing.assert_array_equal(operate(colours, "Hue", turns, isa), expected)
    expected = np.asarray(Image.fromarray(colours).convert("L").convert("RGB"))
    np.testing.assert_array_equal(operate(colours, "Grayscale", 0, isa), expected)


def test_a_large_shear_leaves_fixed_point_as_in_pillow():
    picture = np.random.default_rng(0).integers(0, 256, (300, 40, 3), dtype=np.uint8)
    for name, value in [("ShearX", 120.5), ("ShearX", -110.0), ("ShearY", 900.0)]:
        expected = np.asarray(PILLOW[name](Image.fromarray(picture), value))
        np.testing.assert_array_equal(operate(picture, name, value, ""), expected)


@pytest.mark.parametrize(
    ("shape", "operation", "value"),
    [((4, 4, 1), 0, 0.0), ((0, 4, 3), 0, 0.0), ((4, 4, 3), 18, 0.0), ((4, 4, 3), -1, 0.0)]
    + [((4, 4, 3), 5, value) for value in (0.0, 9.0)]
    + [((4, 4, 3), 9, value) for value in (2e6, float("nan"), float("inf"))],
)
def test_mistakes_are_named(shape, operation, value):
    with pytest.raises(ValueError, match=r"must be|must have"):
        native().image_operate(np.zeros(shape, np.uint8), operation, value)
