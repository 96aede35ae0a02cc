from __future__ import annotations

import csv
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from byte_tokenizer import ByteTokenizer
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmcore.data import Augment, Examples, Pipeline, builtin_examples, class_names, label_ids, read_manifest
from mmcore.errors import DataError
from mmcore.image import KNOWN_FORMATS, Preprocessor

UNIT = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
PLAIN = Preprocessor(size=8, **UNIT)


def make(count: int, *, side: int = 8, missing: tuple[int, ...] = ()) -> Examples:
    """Rows whose image is one grey level, the number of the row, and whose text is that number."""
    images = [None if row in missing else np.full((side, side, 3), row, np.uint8) for row in range(count)]
    texts = [str(row) for row in range(count)]
    return Examples(images, texts, ["x"] * count, ["train"] * count, range(1, count + 1), "made")


def rows_of(batch) -> list[int]:
    return np.rint(batch["image"][0][:, 0, 0, 0] * 255).astype(int).tolist()


@pytest.fixture
def tokenizer() -> ByteTokenizer:
    return ByteTokenizer()


def png_rows(folder: Path, count: int, broken: tuple[int, ...] = ()) -> Examples:
    """Like `make`, with files; the broken ones are not images."""
    for row in range(count):
        Image.new("RGB", (12, 10), (row, row, row)).save(folder / f"{row}.png")
        if row in broken:
            (folder / f"{row}.png").write_bytes(b"not an image")
    examples = make(count)
    paths = [folder / f"{row}.png" for row in range(count)]
    return Examples(paths, examples.texts, examples.labels, examples.splits, examples.lines, "m.csv")


def assert_same(first, second) -> None:
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(
            np.concatenate([np.ravel(part) for part in first[name]]),
            np.concatenate([np.ravel(part) for part in second[name]]),
        )


def test_shapes_and_types_of_a_batch(tokenizer):
    batch = Pipeline(
        make(5), np.arange(5), batch_size=2, preprocessor=PLAIN, tokenizer=tokenizer, max_length=7
    ).batch(0)
    found = {
        name: [(part.shape, part.dtype.name) for part in value]
        for name, value in batch.items()
        if isinstance(value, tuple)
    }
    assert found == {
        "image": [((2, 8, 8, 3), "float32"), ((2,), "bool")],
        "text": [((2, 7), "int32"), ((2, 7), "bool")],
    }
    assert (batch["label"].dtype, batch["weight"].dtype) == (np.int32, np.float32)


@settings(deadline=None)
@given(
    count=st.integers(1, 40),
    batch_size=st.integers(1, 12),
    seed=st.integers(0, 2**40),
    epoch=st.integers(0, 3),
)
def test_an_epoch_of_training_uses_each_row_at_most_once_and_drops_less_than_a_batch(
    count, batch_size, seed, epoch
):
    pipeline = Pipeline(make(count), batch_size=batch_size, training=True, preprocessor=PLAIN, seed=seed)
    first = epoch * len(pipeline)
    batches = [pipeline.batch(number) for number in range(first, first + len(pipeline))]
    rows = [row for batch in batches for row in rows_of(batch)]
    assert len(set(rows)) == len(rows) > count - pipeline.batch_size
    assert {len(batch["label"]) for batch in batches} == {min(batch_size, count)}


@settings(deadline=None)
@given(count=st.integers(1, 40), batch_size=st.integers(1, 12))
def test_evaluation_keeps_every_row_in_order_and_pads_with_weight_zero(count, batch_size):
    batches = list(Pipeline(make(count), batch_size=batch_size, preprocessor=PLAIN))
    rows = [row for batch in batches for row in rows_of(batch)]
    weights = np.concatenate([batch["weight"] for batch in batches])
    masks = np.concatenate([batch["image"][1] for batch in batches])
    assert rows[:count] == list(range(count)) and len(rows) % batch_size == 0
    assert weights.tolist() == [1.0] * count + [0.0] * (len(rows) - count)
    np.testing.assert_array_equal(masks, weights == 1)


def test_orders_differ_between_epochs_and_seeds_and_repeat_for_one_seed():
    def order(seed, epoch):
        pipeline = Pipeline(make(30), batch_size=30, training=True, preprocessor=PLAIN, seed=seed)
        return rows_of(pipeline.batch(epoch))

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1) != order(2, 1) != list(range(30))


def test_a_run_that_stopped_goes_on_with_the_same_batches(tokenizer):
    options = {
        "batch_size": 3,
        "training": True,
        "preprocessor": PLAIN,
        "tokenizer": tokenizer,
        "augment": Augment(),
        "seed": 4,
    }
    whole = list(Pipeline(make(10, side=13), **options).batches(stop=8))
    rest = list(Pipeline(make(10, side=13), **options).batches(start=5, stop=8))
    for first, second in zip(whole[5:], rest, strict=True):
        assert_same(first, second)


def test_crops_do_not_depend_on_threads_or_on_the_memory_budget(tmp_path):
    rng = np.random.default_rng(0)
    for row in range(6):
        Image.fromarray(rng.integers(0, 256, (20 + row, 31, 3), np.uint8)).save(tmp_path / f"{row}.png")
    paths = [tmp_path / f"{row}.png" for row in range(6)]
    examples = Examples(paths, [None] * 6, ["x"] * 6, ["train"] * 6, range(6), "m.csv")
    made = [
        list(
            Pipeline(
                examples, batch_size=3, training=True, preprocessor=PLAIN, augment=Augment(), **options
            ).batches(stop=4)
        )
        for options in ({}, {"threads": 1}, {"threads": 4}, {"cache_bytes": 0}, {"cache_bytes": 1500})
    ]
    for other in made[1:]:
        for first, second in zip(made[0], other, strict=True):
            assert_same(first, second)
    assert (made[0][0]["image"][0] != made[0][2]["image"][0]).any()


def test_augmentation_takes_its_bounds_from_the_options(tmp_path):
    left_to_right = np.broadcast_to(np.arange(20, dtype=np.uint8)[None, :, None] * 10, (20, 20, 3)).copy()
    examples = Examples([left_to_right] * 30, [None] * 30, ["x"] * 30, ["train"] * 30, range(30), "made")

    def ramps(**options):
        pipeline = Pipeline(
            examples, batch_size=30, training=True, preprocessor=Preprocessor(size=20, **UNIT), **options
        )
        rows = pipeline.batch(0)["image"][0][:, 10, :, 0] * 25.5
        return rows[:, -1] - rows[:, 0]

    np.testing.assert_allclose(ramps(), 19, atol=0.1)
    np.testing.assert_allclose(ramps(augment=Augment(scale=(1, 1), ratio=(1, 1), flip_rate=0)), 19, atol=0.1)
    flipped = ramps(augment=Augment(scale=(1, 1), ratio=(1, 1)))
    np.testing.assert_allclose(abs(flipped), 19, atol=0.1)
    assert 5 < (flipped < 0).sum() < 25
    np.testing.assert_allclose(
        ramps(augment=Augment(scale=(0.25, 0.25), ratio=(1, 1), flip_rate=0)), 9.5, atol=0.7
    )


def test_missing_images_and_texts_are_masked(tokenizer):
    examples = make(4, missing=(1,))
    examples.texts[2] = None
    batch = Pipeline(examples, batch_size=4, preprocessor=PLAIN, tokenizer=tokenizer).batch(0)
    assert batch["image"][1].tolist() == [True, False, True, True]
    assert not batch["image"][0][1].any()
    assert batch["text"][1].any(1).tolist() == [True, True, False, True]
    assert batch["weight"].tolist() == [1, 1, 1, 1]


def test_texts_alone_and_images_alone(tokenizer):
    assert "image" not in Pipeline(make(2), batch_size=2, tokenizer=tokenizer).batch(0)
    assert "text" not in Pipeline(make(2), batch_size=2, preprocessor=PLAIN).batch(0)


def test_ids_are_those_of_the_tokenizer_cut_or_padded_to_one_length(tokenizer):
    examples = make(101)
    ids, mask = Pipeline(examples, batch_size=101, tokenizer=tokenizer, max_length=2).batch(0)["text"]
    assert ids[7].tolist() == [ord("7") + 2, 1] and mask[7].tolist() == [True, False]
    assert ids[100].tolist() == [ord("1") + 2, ord("0") + 2] and mask[100].all()
    ids, mask = Pipeline(examples, batch_size=101, tokenizer=tokenizer, max_length=5).batch(0)["text"]
    assert ids.shape == (101, 5) and ids[100, 3:].tolist() == [1, 1] and not mask[100, 3:].any()


def test_evaluation_gives_what_the_preprocessor_gives(tmp_path):
    pre = Preprocessor(size=8)
    pixels = np.random.default_rng(3).integers(0, 256, (2, 21, 17, 3), np.uint8)
    for row in range(2):
        Image.fromarray(pixels[row]).save(tmp_path / f"{row}.png")
    paths = [tmp_path / "0.png", tmp_path / "1.png"]
    examples = Examples(paths, [None] * 2, [None] * 2, ["test"] * 2, [1, 2], "m.csv")
    pipeline = Pipeline(examples, batch_size=2, preprocessor=pre)
    for _ in range(2):
        np.testing.assert_array_equal(pipeline.batch(0)["image"][0], pre(list(pixels)))


@pytest.mark.parametrize("fast", [False, True])
def test_files_are_decoded_as_the_preprocessor_decodes_them(tmp_path, fast):
    noise = np.random.default_rng(3).integers(0, 256, (128, 160, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "0.jpg", quality=90)
    pre = Preprocessor(size=8, fast=fast)
    examples = Examples([tmp_path / "0.jpg"], [None], [None], ["test"], [1], "m.csv")
    batch = Pipeline(examples, batch_size=1, preprocessor=pre).batch(0)
    np.testing.assert_array_equal(batch["image"][0], pre([tmp_path / "0.jpg"]))
    assert (batch["image"][0] != Preprocessor(size=8, fast=not fast)([tmp_path / "0.jpg"])).any()


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "uint8"])
def test_images_have_the_dtype_and_layout_of_the_preprocessor(dtype, layout):
    pre = Preprocessor(size=8, dtype=dtype, layout=layout)
    pixels = list(np.random.default_rng(3).integers(0, 256, (3, 21, 17, 3), np.uint8))
    whole = Pipeline(replace(make(3), images=pixels), batch_size=3, preprocessor=pre).batch(0)["image"][0]
    assert whole.dtype == pre(pixels).dtype
    np.testing.assert_array_equal(whole.astype("float32"), pre(pixels).astype("float32"))
    lacking = replace(make(3), images=[pixels[0], None, pixels[2]])
    some = Pipeline(lacking, batch_size=3, preprocessor=pre).batch(0)["image"][0]
    np.testing.assert_array_equal(some[[0, 2]], whole[[0, 2]])
    assert not some[1].astype("float32").any()


def test_class_weights_and_unknown_labels():
    labels, weights = np.array([0, 1, -1]), np.array([0.5, 2.0])
    options = {"batch_size": 3, "preprocessor": PLAIN, "class_weights": weights}
    evaluated = Pipeline(make(3), labels, **options).batch(0)
    assert (evaluated["label"].tolist(), evaluated["weight"].tolist()) == ([0, 1, 0], [1, 1, 0])
    trained = Pipeline(make(3), labels, training=True, **options).batch(0)
    assert dict(zip(rows_of(trained), trained["weight"].tolist(), strict=True)) == {0: 0.5, 1: 2.0, 2: 0.0}


def test_a_bad_image_is_skipped_counted_and_named_and_its_neighbours_stay(tmp_path, tokenizer):
    pipeline = Pipeline(png_rows(tmp_path, 40, (7,)), batch_size=8, preprocessor=PLAIN, tokenizer=tokenizer)
    for _ in range(2):
        batches = list(pipeline)
        weights = np.concatenate([batch["weight"] for batch in batches])
        assert np.flatnonzero(weights == 0).tolist() == [7]
        assert [row for batch in batches for row in rows_of(batch)] == [*range(7), 0, *range(8, 40)]
        assert not batches[0]["image"][1][7] and not batches[0]["text"][1][7].any()
        ((key, reason),) = pipeline.bad.items()
        assert "m.csv, row 8" in key and "7.png" in key and "not an image" in reason


def test_one_percent_of_ten_thousand_bad_images_are_counted_exactly(tmp_path):
    Image.new("RGB", (2, 2), (9, 9, 9)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"")
    bad = set(range(50, 10_000, 100))
    images = [tmp_path / ("bad.png" if row in bad else "good.png") for row in range(10_000)]
    examples = Examples(
        images, [None] * 10_000, ["x"] * 10_000, ["train"] * 10_000, range(1, 10_001), "m.csv"
    )
    pipeline = Pipeline(examples, batch_size=512, preprocessor=Preprocessor(size=2, **UNIT))
    masks = np.concatenate([batch["image"][1] for batch in pipeline])
    assert set(np.flatnonzero(~masks[:10_000]).tolist()) == bad
    assert list(pipeline.bad) == [examples.key(row) for row in sorted(bad)]


def test_an_image_over_the_limit_is_a_bad_one(tmp_path):
    small = Preprocessor(size=8, max_pixels=100)
    with pytest.raises(DataError, match=r"^m.csv, row 1 \(\S+0.png\): the image has .*max_pixels"):
        list(Pipeline(png_rows(tmp_path, 3), batch_size=3, preprocessor=small, on_bad="raise"))


def test_a_bad_image_is_raised_on_request(tmp_path):
    pipeline = Pipeline(png_rows(tmp_path, 40, (7,)), batch_size=8, preprocessor=PLAIN, on_bad="raise")
    with pytest.raises(DataError, match=r"m.csv, row 8 .*7\.png.*not an image"):
        list(pipeline)
    assert not threads_left()


def test_more_than_five_percent_bad_images_end_training(tmp_path):
    pipeline = Pipeline(png_rows(tmp_path, 40, (3, 9, 20)), batch_size=8, training=True, preprocessor=PLAIN)
    with pytest.raises(DataError, match=r"row \d+ .*3 of 40 examples are unusable"):
        list(pipeline)
    two = Pipeline(png_rows(tmp_path, 40, (3, 9)), batch_size=8, training=True, preprocessor=PLAIN)
    assert len(list(two)) == 5 and len(two.bad) == 2


def test_evaluation_counts_any_number_of_bad_images(tmp_path):
    pipeline = Pipeline(png_rows(tmp_path, 5, (1, 2, 4)), batch_size=4, preprocessor=PLAIN)
    weights = np.concatenate([batch["weight"] for batch in pipeline])
    assert weights.tolist() == [1, 0, 0, 1, 0, 0, 0, 0] and len(pipeline.bad) == 3


def threads_left() -> list[str]:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        names = [thread.name for thread in threading.enumerate() if thread.name.startswith("mmcore-")]
        if not names:
            return []
        time.sleep(0.01)
    return names


def test_leaving_early_leaves_no_thread(tmp_path):
    batches = Pipeline(
        png_rows(tmp_path, 30), batch_size=2, training=True, preprocessor=PLAIN, threads=2
    ).batches()
    for _ in range(40):
        next(batches)
    batches.close()
    assert not threads_left()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preprocessor": None}, "a preprocessor for images, a tokenizer for texts, or both"),
        ({"batch_size": 0}, "batch_size must be at least 1, found 0"),
        ({"on_bad": "ignore"}, "on_bad must be 'skip', 'replace' or 'raise', found 'ignore'"),
        ({"labels": np.zeros(2)}, "found 3 examples and 2 labels"),
        ({"examples": make(0)}, "found 0 examples"),
    ],
)
def test_mistakes_of_the_caller(changes, message):
    options = {"examples": make(3), "batch_size": 2, "preprocessor": PLAIN, **changes}
    with pytest.raises(ValueError, match=message):
        Pipeline(**options)


def test_the_built_in_set_goes_through(tokenizer):
    examples = builtin_examples(train=20, val=10, test=0).split("train")
    labels = label_ids(examples, class_names(builtin_examples(train=200, val=0, test=0)))
    pre = Preprocessor(size=32, **UNIT)
    batch = Pipeline(examples, labels, batch_size=20, preprocessor=pre, tokenizer=tokenizer).batch(0)
    np.testing.assert_allclose(batch["image"][0], np.array(examples.images) / np.float32(255), atol=1e-6)
    assert batch["label"].tolist() == labels.tolist()


def test_real_photos_go_through_with_augmentation(real_data):
    examples = read_manifest(real_data / "fashion_products").examples.split("val").take(range(24))
    pipeline = Pipeline(
        examples, batch_size=8, training=True, preprocessor=Preprocessor(size=48), augment=Augment()
    )
    batches = list(pipeline.batches(stop=2 * len(pipeline)))
    assert len(batches) == 6 and not pipeline.bad
    assert all(np.isfinite(batch["image"][0]).all() and batch["image"][1].all() for batch in batches)


def test_odd_and_broken_real_images_beside_each_other(real_data):
    root = real_data / "images_robust"
    with open(root / "manifest.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    good = [root / row["path"] for row in rows if row["expect"] == "ok"]
    broken = [root / row["path"] for row in rows if row["expect"] == "reject"][: len(good) // 25]
    images = [*good, *broken]
    count = len(images)
    examples = Examples(images, [None] * count, ["x"] * count, ["test"] * count, range(count), "robust")
    pre = Preprocessor(size=16, formats=KNOWN_FORMATS)
    pipeline = Pipeline(examples, batch_size=count, preprocessor=pre)
    assert pipeline.batch(0)["weight"].tolist() == [1.0] * len(good) + [0.0] * len(broken)
    assert len(pipeline.bad) == len(broken) > 3
