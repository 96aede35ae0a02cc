from __future__ import annotations

import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmcore._load import native
from mmcore.image import reference, resize
from mmcore.image.resize import METHODS as NAMES

METHODS = {name: Image.Resampling[name.upper()] for name in NAMES}
ISAS = ("scalar", "avx2", "avx512")
NEW_PASS_ORDER = int(PIL.__version__.split(".")[0]) >= 13


def usable_isas() -> tuple[str, ...]:
    return ISAS[: ISAS.index(native().detected_isa()) + 1]


def pillow_resize(image, size, method, box=None):
    squeezed = image[:, :, 0] if image.shape[2] == 1 else image
    resized = Image.fromarray(squeezed).resize(size[::-1], METHODS[method], box=box)
    return np.asarray(resized).reshape(*size, image.shape[2])


def pillow_has_the_same_order(image, size) -> bool:
    rows, columns = image.shape[0] - size[0], image.shape[1] - size[1]
    return NEW_PASS_ORDER or rows <= 0 or rows <= 2 * columns


def assert_equals_pillow(image, size, method, box=None):
    if not pillow_has_the_same_order(image, size):
        pytest.skip("Pillow before 13 begins with the horizontal pass")
    resized = resize(image, size, method, box=box)
    np.testing.assert_array_equal(resized, pillow_resize(image, size, method, box))


def noise(rng, height, width, channels):
    """Half of them black and white only: the strongest overshoot."""
    image = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    return image if rng.random() < 0.5 else np.where(image > 127, 255, 0).astype(np.uint8)


sides = st.one_of(st.integers(1, 9), st.integers(10, 70))


@settings(max_examples=150, deadline=None)
@given(
    height=sides,
    width=sides,
    out_height=sides,
    out_width=sides,
    channels=st.integers(1, 4),
    method=st.sampled_from(sorted(METHODS)),
    seed=st.integers(0, 2**32),
)
def test_native_equals_reference_equals_pillow(height, width, out_height, out_width, channels, method, seed):
    image = noise(np.random.default_rng(seed), height, width, channels)
    resized = resize(image, (out_height, out_width), method)
    np.testing.assert_array_equal(resized, reference.resize(image, (out_height, out_width), method))
    if pillow_has_the_same_order(image, (out_height, out_width)):
        np.testing.assert_array_equal(resized, pillow_resize(image, (out_height, out_width), method))


@settings(max_examples=80, deadline=None)
@given(
    data=st.data(),
    height=st.integers(2, 60),
    width=st.integers(2, 60),
    size=st.tuples(sides, sides),
    method=st.sampled_from(sorted(METHODS)),
)
def test_box_equals_reference_and_pillow(data, height, width, size, method):
    left, right = sorted(data.draw(st.tuples(st.floats(0, width), st.floats(0, width))))
    top, bottom = sorted(data.draw(st.tuples(st.floats(0, height), st.floats(0, height))))
    box = (left, top, max(right, left + 0.25), max(bottom, top + 0.25))
    if box[2] > width or box[3] > height:
        box = (left - 0.25 if left > 1 else 0, top - 0.25 if top > 1 else 0, width, height)
    image = noise(np.random.default_rng(height), height, width, 3)
    resized = resize(image, size, method, box=box)
    np.testing.assert_array_equal(resized, reference.resize(image, size, method, box=box))
    if pillow_has_the_same_order(image, size):
        np.testing.assert_array_equal(resized, pillow_resize(image, size, method, box))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_instruction_set_gives_the_same_bytes(channels):
    rng = np.random.default_rng(channels)
    around_vectors = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 21, 22, 31, 32, 33, 63, 64, 65]
    for _ in range(60):
        height, width, out_height, out_width = (int(n) for n in rng.choice(around_vectors, 4))
        if rng.random() < 0.2:
            height = 40 * height
        if rng.random() < 0.2:
            width = 40 * width
        image = noise(rng, height, width, channels)
        box = (width * 0.1, height * 0.2, width * 0.9, float(height))
        method = str(rng.choice(sorted(METHODS)))
        want = native().image_resize(image, out_height, out_width, method, box, "scalar")
        for isa in usable_isas():
            got = native().image_resize(image, out_height, out_width, method, box, isa)
            np.testing.assert_array_equal(got, want, err_msg=f"{isa} {image.shape} to {got.shape}")


@pytest.mark.parametrize(
    "size", [(224, 335), (224, 224), (333, 500), (641, 961), (1, 1), (427, 100), (50, 640)]
)
@pytest.mark.parametrize("method", sorted(METHODS))
def test_photo_sizes_equal_pillow(size, method):
    ramp = np.add.outer(np.arange(427), np.arange(640))[:, :, None] * np.array([1, 2, 3])
    image = (ramp + np.random.default_rng(0).integers(0, 60, (427, 640, 3))).astype(np.uint8)
    assert_equals_pillow(image, size, method)


@pytest.mark.parametrize("shape", [(3000, 7), (7, 3000), (1, 1), (1, 500), (500, 1)])
@pytest.mark.parametrize("method", sorted(METHODS))
def test_extreme_shapes_equal_pillow(shape, method):
    image = noise(np.random.default_rng(1), *shape, 3)
    for size in ((1, 1), (5, 3), (40, 50), (1, 2000), (2000, 1)):
        if pillow_has_the_same_order(image, size):
            np.testing.assert_array_equal(resize(image, size, method), pillow_resize(image, size, method))
        if max(size) < 100:
            np.testing.assert_array_equal(resize(image, size, method), reference.resize(image, size, method))


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_reductions_around_the_widths_of_blocks(method, channels):
    """The vector kernels change where 16 sums no longer find their taps in 64 bytes."""
    rng = np.random.default_rng(channels)
    for factor in (1.9, 2.5, 3.9, 4.1, 5.3, 5.5, 8.0, 8.3, 16.1, 40.0):
        image = noise(rng, 9, round(33 * factor), channels)
        want = pillow_resize(image, (5, 33), method)
        for isa in usable_isas():
            np.testing.assert_array_equal(native().image_resize(image, 5, 33, method, None, isa), want)


def test_same_size_is_a_copy_even_with_alpha():
    image = noise(np.random.default_rng(2), 6, 5, 4)
    resized = resize(image, (6, 5))
    np.testing.assert_array_equal(resized, image)
    assert not np.shares_memory(resized, image)


def test_two_dimensions_in_two_dimensions_out():
    image = noise(np.random.default_rng(3), 9, 12, 1)
    np.testing.assert_array_equal(resize(image[:, :, 0], (4, 7)), resize(image, (4, 7))[:, :, 0])


def test_strided_views_are_read_right():
    image = noise(np.random.default_rng(4), 40, 50, 3)
    for view in (image[5:30, 7:41], image[::-1], image[:, ::2], image.transpose(1, 0, 2), image[:, :, ::-1]):
        np.testing.assert_array_equal(resize(view, (11, 13)), resize(view.copy(), (11, 13)))


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.zeros((4, 4, 3), np.float32), {}, "uint8"),
        (np.zeros((4,), np.uint8), {}, "uint8"),
        (np.zeros((0, 4, 3), np.uint8), {}, "rows and columns"),
        (np.zeros((4, 4, 5), np.uint8), {}, "channels"),
        (np.zeros((4, 4, 3), np.uint8), {"size": (0, 3)}, "positive"),
        (np.zeros((4, 4, 3), np.uint8), {"size": (2**25, 3)}, "2\\^24"),
        (np.zeros((4, 4, 3), np.uint8), {"method": "area"}, "bicubic"),
        (np.zeros((4, 4, 3), np.uint8), {"box": (0, 0, 5, 4)}, "box"),
        (np.zeros((4, 4, 3), np.uint8), {"box": (2, 0, 2, 4)}, "box"),
        (np.zeros((4, 4, 3), np.uint8), {"box": (0, 0, float("nan"), 4)}, "box"),
        (np.zeros((4, 4, 3), np.uint8), {"box": (0, 0, 4)}, "box"),
    ],
)
def test_mistakes_are_named(image, options, message):
    with pytest.raises(ValueError, match=message):
        resize(image, **{"size": (2, 2), **options})
