from __future__ import annotations

import multiprocessing

import numpy as np
import pytest

import mmcore
from mmcore._load import native
from mmcore.image import normalize, reference, resize, resize_normalize
from mmcore.image.batch import DTYPES, LAYOUTS, empty_batch, numpy_dtype
from mmcore.image.normalize import normalization_for, normalization_table
from mmcore.image.preprocess import CLIP_MEAN, CLIP_STD, IMAGENET_MEAN, IMAGENET_STD

SIZES = [(17, 33), (64, 48), (5, 3), (100, 31), (1, 1), (23, 200), (90, 90)]


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in SIZES]


@pytest.fixture(scope="module")
def boxes():
    return [(0.1 * w, 0.25 * h, 0.8 * w, 1.0 * h) for h, w in SIZES]


FLIPS = [True, False, True, True, False, False, True]


@pytest.mark.parametrize("size", [(8, 8), (17, 5), (33, 65), (1, 1)])
@pytest.mark.parametrize("method", ["bicubic", "bilinear", "nearest", "lanczos"])
def test_batch_equals_reference_bit_for_bit(images, boxes, size, method):
    options = {"method": method, "mean": CLIP_MEAN, "std": CLIP_STD}
    got = resize_normalize(images, size, boxes=boxes, flips=FLIPS, **options)
    want = [
        reference.resize_normalize(image, size, box=box, flip=flip, **options)
        for image, box, flip in zip(images, boxes, FLIPS, strict=True)
    ]
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, np.stack(want))


def test_batch_equals_its_parts(images, boxes):
    got = resize_normalize(images, (9, 14), boxes=boxes, flips=FLIPS, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    for i, (image, box, flip) in enumerate(zip(images, boxes, FLIPS, strict=True)):
        part = resize(image, (9, 14), box=box)[:, :: -1 if flip else 1]
        np.testing.assert_array_equal(got[i], normalize(part, mean=IMAGENET_MEAN, std=IMAGENET_STD))


def test_threads_give_the_same_bits(images, boxes):
    many, many_boxes, many_flips = images * 5, boxes * 5, FLIPS * 5
    want = resize_normalize(many, 24, boxes=many_boxes, flips=many_flips, threads=1)
    try:
        mmcore.set_num_threads(16)
        for threads in (2, 4, 16, None):
            got = resize_normalize(many, 24, boxes=many_boxes, flips=many_flips, threads=threads)
            np.testing.assert_array_equal(got, want)
    finally:
        mmcore.set_num_threads(None)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_dtype_and_layout_equals_the_reference(images, boxes, dtype, layout, channels):
    images = [image[:, :, :channels] for image in images]
    options = {"mean": CLIP_MEAN[:channels], "std": CLIP_STD[:channels], "layout": layout, "dtype": dtype}
    for size in [(8, 8), (17, 5), (3, 33), (1, 1)]:
        got = resize_normalize(images, size, boxes=boxes, flips=FLIPS, **options)
        want = [
            reference.resize_normalize(image, size, box=box, flip=flip, **options)
            for image, box, flip in zip(images, boxes, FLIPS, strict=True)
        ]
        assert got.dtype == dtype and got.flags.c_contiguous
        np.testing.assert_array_equal(got, np.stack(want))


@pytest.mark.parametrize("width", [1, 5, 15, 16, 17, 31, 32, 33, 224])
@pytest.mark.parametrize("dtype", DTYPES)
def test_instruction_sets_give_the_same_bits(images, boxes, width, dtype):
    def run(isa, layout):
        shape = (len(images), 3, width, 3) if layout == "NHWC" else (len(images), 3, 3, width)
        out = empty_batch(shape, dtype)
        arguments = boxes, [(3, width, 0, 0)] * len(images), FLIPS, "bicubic"
        normalization = normalization_for(CLIP_MEAN, CLIP_STD)
        native().image_resize_batch(images, *arguments, normalization, layout, dtype, 1, out, isa)
        return out

    for layout in LAYOUTS:
        want = run("scalar", layout)
        for isa in ("avx2", "avx512")[: ["scalar", "avx2", "avx512"].index(native().detected_isa())]:
            np.testing.assert_array_equal(run(isa, layout), want)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_rounded_to_nearest_even_over_its_whole_range(dtype):
    """One channel whose 256 values run over normal, subnormal and infinite numbers, and ties."""
    grey = np.arange(256, dtype=np.uint8).reshape(1, 256, 1)
    for scale in 10.0 ** np.arange(-9, 9):
        for offset in (0.0, 0.3, 2.0**-11, 2.0**-8 + 2.0**-20):
            options = {"mean": (offset,), "std": (1 / (255 * scale),)}
            exact = resize_normalize([grey], (1, 256), **options)
            with np.errstate(over="ignore"):
                want = exact.astype(numpy_dtype(dtype))
            np.testing.assert_array_equal(resize_normalize([grey], (1, 256), dtype=dtype, **options), want)


def test_new_batches_are_aligned_for_tensorflow(images):
    for count in range(1, 5):
        for dtype in DTYPES:
            assert resize_normalize(images[:count], (3, 5), dtype=dtype).ctypes.data % 64 == 0


def test_grey_images_may_have_two_axes(images):
    grey = [image[:, :, 0] for image in images]
    got = resize_normalize(grey, 6, mean=(0.4,), std=(0.2,))
    assert got.shape == (len(images), 6, 6, 1)
    np.testing.assert_array_equal(
        got, resize_normalize([image[:, :, None] for image in grey], 6, mean=[0.4], std=[0.2])
    )
    assert resize_normalize(grey, 6).shape == got.shape


def test_windows_are_cut_from_the_full_result(images):
    image, full = images[1], (40, 37)
    whole = resize(image, full)
    for top, left, height, width in [(0, 0, 40, 37), (3, 5, 8, 9), (39, 36, 1, 1), (10, 0, 13, 37)]:
        out = np.empty((1, height, width, 3), np.uint8)
        box = (0, 0, image.shape[1], image.shape[0])
        native().image_resize_batch(
            [image],
            [box],
            [(*full, top, left)],
            [False],
            "bicubic",
            normalization_for((0,) * 3, (1,) * 3),
            "NHWC",
            "uint8",
            1,
            out,
        )
        np.testing.assert_array_equal(out[0], whole[top : top + height, left : left + width])


def test_out_is_written_in_place(images):
    buffer = np.full((len(images) + 1, 6, 7, 3), 5, np.float32)
    result = resize_normalize(images, (6, 7), out=buffer[:-1])
    assert np.shares_memory(result, buffer)
    np.testing.assert_array_equal(result, resize_normalize(images, (6, 7)))
    assert (buffer[-1] == 5).all()


def test_uint8_out_is_not_normalised(images):
    out = np.empty((len(images), 6, 7, 3), np.uint8)
    resize_normalize(images, (6, 7), mean=CLIP_MEAN, std=CLIP_STD, out=out)
    np.testing.assert_array_equal(out[2], resize(images[2], (6, 7)))


def test_empty_batch():
    assert resize_normalize([], 4).shape == (0, 4, 4, 3)


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        (CLIP_MEAN, CLIP_STD),
        (IMAGENET_MEAN, IMAGENET_STD),
        ((0.5,) * 3, (0.5,) * 3),
        ((0, 0, 0), (1, 1, 1)),
        ((0.1, -3.0, 12.0), (0.01, 7.0, 0.33)),
    ],
)
def test_table_equals_reference_and_the_formula(mean, std):
    table = normalization_table(mean, std)
    np.testing.assert_array_equal(table, reference.normalization_table(mean, std))
    exact = (np.arange(256) / 255 - np.array(mean)[:, None]) / np.array(std)[:, None]
    largest = np.maximum(np.abs(exact), np.abs(np.array(mean) / np.array(std))[:, None]).astype(np.float32)
    assert (np.abs(table - exact) <= 1.5 * np.spacing(largest)).all()


def test_siglip_values_end_exactly_at_one():
    assert normalization_table((0.5,) * 3, (0.5,) * 3)[0, [0, 255]].tolist() == [-1.0, 1.0]


def child(queue, image):
    queue.put(resize_normalize([image] * 4, 9, threads=2))


def test_works_in_a_child_of_fork_after_the_pool_ran(images):
    want = resize_normalize([images[0]] * 4, 9, threads=2)
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=child, args=(queue, images[0]))
    process.start()
    process.join(30)
    assert process.exitcode == 0
    np.testing.assert_array_equal(queue.get(), want)


GOOD = np.zeros((4, 5, 3), np.uint8)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        ([GOOD, GOOD[:, :, 0]], {}, "image 1 must be uint8"),
        ([GOOD.astype(np.float32)], {}, "image 0 must be uint8"),
        ([GOOD, np.zeros((0, 5, 3), np.uint8)], {}, "image 1"),
        ([GOOD], {"size": (0, 4)}, "positive"),
        ([GOOD], {"boxes": [(0, 0, 6, 4)]}, "image 0: a box"),
        ([GOOD], {"boxes": []}, "same length"),
        ([GOOD], {"flips": [True, False]}, "same length"),
        ([GOOD], {"method": "area"}, "bicubic"),
        ([GOOD], {"layout": "CHW"}, "layout must be one of NHWC"),
        ([GOOD], {"dtype": "float64"}, "dtype must be one of float32"),
        ([GOOD], {"dtype": "uint8", "out": np.empty((1, 4, 4, 3), np.float32)}, "out must be uint8"),
        ([GOOD], {"layout": "NCHW", "out": np.empty((1, 4, 4, 3), np.float32)}, "out must be"),
        ([GOOD[:, :, :1], GOOD], {}, "image 1 must be uint8 .H, W, 1."),
        ([GOOD[:, :, :1]], {"mean": (0.5,) * 3}, "image 0 must be uint8 .H, W, 3."),
        ([GOOD], {"mean": (0.5,) * 3, "std": (0.5,)}, "one number each, or three"),
        ([GOOD], {"mean": (0.5, 0.5)}, "mean must be three numbers, or one"),
        ([GOOD], {"std": (0.5, 0.0, 0.5)}, "std finite and positive"),
        ([GOOD], {"mean": (float("nan"), 0, 0)}, "finite"),
        ([GOOD], {"threads": 0}, "threads"),
        ([GOOD], {"out": np.empty((1, 4, 4, 3), np.float64)}, "out must be"),
        ([GOOD], {"out": np.empty((2, 4, 4, 3), np.float32)}, "out must be"),
        ([GOOD], {"out": np.empty((1, 4, 5, 3), np.float32)}, "out must be"),
        ([GOOD], {"out": np.empty((1, 4, 8, 3), np.float32)[:, :, ::2]}, "out must be"),
    ],
)
def test_mistakes_are_named(images, options, message):
    with pytest.raises(ValueError, match=message):
        resize_normalize(images, **{"size": 4, **options})


def test_normalize_wants_three_channels_of_bytes():
    with pytest.raises(ValueError, match="uint8"):
        normalize(GOOD.astype(np.float32), mean=CLIP_MEAN, std=CLIP_STD)
    with pytest.raises(ValueError, match="one number each, or three"):
        normalize(GOOD, mean=(0.5,), std=CLIP_STD)
