from __future__ import annotations

import numpy as np
import pytest
from byte_tokenizer import ByteTokenizer
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.data import Budget, Examples, Packing, Pipeline
from mmcore.data.packing import packed_groups
from mmcore.image import Preprocessor

PLAIN = Preprocessor(size=4, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def make(lengths, images=None, **options) -> Pipeline:
    """A pipeline over texts of these lengths (None: no text) whose labels are the rows."""
    count = len(lengths)
    texts = [None if n is None else chr(97 + row % 26) * n for row, n in enumerate(lengths)]
    examples = Examples(
        images or [None] * count, texts, ["a"] * count, ["train"] * count, range(count), "made"
    )
    options = {"tokenizer": ByteTokenizer(), "max_length": 12, "training": True, **options}
    return Pipeline(examples, np.arange(count), **options)


LENGTHS = st.lists(st.integers(0, 12), min_size=1, max_size=50)


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 4), st.integers(1, 9), st.booleans())
def test_groups_are_a_partition_that_fits(lengths, rows, examples, keep_order):
    lengths, order = np.array(lengths), np.random.default_rng(0).permutation(len(lengths))
    options = {"rows": rows, "length": 12, "examples": examples, "keep_order": keep_order}
    groups = packed_groups(order, lengths, **options)
    together = np.concatenate(groups)
    assert sorted(together) == [*range(len(lengths))]
    assert not keep_order or together.tolist() == order.tolist()
    for group in groups:
        assert 1 <= len(group) <= examples and lengths[group].sum() <= rows * 12


@settings(deadline=None, max_examples=40)
@given(LENGTHS, st.integers(0, 2), st.integers(0, 9), st.booleans())
def test_batches_have_one_shape_and_hold_each_row_once(lengths, epoch, seed, training):
    pipeline = make(lengths, packing=Packing(rows=3, examples=6, length=15), seed=seed, training=training)
    assert pipeline.batch_size == 6
    seen = []
    for number in range(epoch * len(pipeline), (epoch + 1) * len(pipeline)):
        batch = pipeline.batch(number)
        rows = batch["text"]
        assert rows.values.shape == rows.segment_ids.shape == rows.positions.shape == (3, 15)
        assert rows.places.shape == (6, 2) and batch["label"].shape == batch["weight"].shape == (6,)
        real = np.flatnonzero(batch["weight"])
        for place, row in zip(rows.places[real], batch["label"][real], strict=True):
            own = rows.values[place[0]][rows.segment_ids[place[0]] == place[1]] if place[1] > 0 else []
            assert list(own) == [ord("a") + row % 26 + 2] * lengths[row]
            assert place[1] >= 0
        assert not rows.places[len(real) :, 1].any()
        seen += batch["label"][real].tolist()
    assert len(set(seen)) == len(seen)
    if not training:
        assert seen == [*range(len(lengths))]
    elif epoch == 0:
        assert len(seen) == len(lengths)


def test_rows_are_well_filled():
    lengths = np.random.default_rng(0).integers(1, 13, 2000).tolist()
    pipeline = make(lengths, packing=Packing(rows=8, examples=80, length=48), max_length=12)
    fills = [(pipeline.batch(number)["text"].segment_ids > 0).mean() for number in range(len(pipeline) - 1)]
    assert np.mean(fills) > 0.9


def test_packed_batches_go_on_from_a_state_and_do_not_depend_on_what_came_before():
    lengths = np.random.default_rng(1).integers(0, 13, 80).tolist()
    options = {"packing": Packing(rows=2, examples=9), "seed": 5}

    def content(batches):
        return [(batch["label"].tolist(), batch["text"].values.tolist()) for batch in batches]

    whole = content(make(lengths, **options).batches(stop=60))
    stopped = make(lengths, **options)
    assert 2 * len(stopped) < 60
    assert content(make(lengths, **options).batches(stopped.state(37), 60)) == whole[37:]
    assert content([make(lengths, **options).batch(3)]) == whole[3:4]
    with pytest.raises(ValueError, match="is of other data or options than this pipeline's"):
        make(lengths, packing=Packing(rows=3, examples=9), seed=5).batches(stopped.state(7))


def test_images_stand_beside_their_texts_and_a_bad_one_leaves_its_text_out(tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image")
    images = [np.full((4, 4, 3), row, np.uint8) for row in range(30)]
    pipeline = make(
        [1 + row % 5 for row in range(30)],
        [*images[:4], bad, None, *images[6:]],
        preprocessor=PLAIN,
        packing=Packing(rows=2, examples=8),
        training=False,
    )
    batch = pipeline.batch(0)
    values, mask = batch["image"]
    assert values.shape == (8, 4, 4, 3) and mask.tolist()[:6] == [True] * 4 + [False] * 2
    assert batch["weight"][:6].tolist() == [1, 1, 1, 1, 0, 1]
    assert batch["text"].places[4].tolist() == [-1, 0] and batch["text"].places[5, 1] > 0
    np.testing.assert_allclose(values[3, 0, 0] * 255, 3, rtol=1e-5)


def test_rows_without_a_text_stand_nowhere():
    rows = make([None, 3, None], packing=Packing(rows=1, examples=3), training=False).batch(0)["text"]
    assert rows.places.tolist() == [[-1, 0], [0, 1], [-1, 0]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 2}, "either batch_size or budget or packing"),
        ({"budget": Budget(tokens=9)}, "either batch_size or budget or packing"),
        ({"tokenizer": None, "preprocessor": PLAIN}, "a packing needs a tokenizer"),
        ({"pad_to_multiple": 4}, "no pad_to_multiple with a packing"),
        ({"packing": Packing(1, 1, 11)}, "rows of at least max_length 12, found length 11"),
    ],
)
def test_mistakes_of_the_caller(options, message):
    with pytest.raises(ValueError, match=message):
        make([1, 2, 3], **{"packing": Packing(rows=1, examples=2), **options})


@pytest.mark.parametrize("name", ["rows", "examples", "length"])
def test_sizes_below_one_are_errors(name):
    with pytest.raises(ValueError, match=f"{name} of a packing must be at least 1, found 0"):
        Packing(**{"rows": 1, "examples": 1, name: 0})
