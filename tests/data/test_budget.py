from __future__ import annotations

import numpy as np
import pytest
from byte_tokenizer import ByteTokenizer
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.data import Budget, Examples, Pipeline, reference
from mmcore.data.budget import budget_groups, fixed_number
from mmcore.image import Preprocessor

PLAIN = Preprocessor(size=4, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def texts_of(lengths) -> Examples:
    count = len(lengths)
    texts = [None if length is None else "x" * length for length in lengths]
    return Examples([None] * count, texts, ["a"] * count, ["train"] * count, range(count), "made")


def make(lengths, **options) -> Pipeline:
    """A pipeline over texts of these lengths whose labels are the rows."""
    options = {"tokenizer": ByteTokenizer(), "max_length": 48, "training": True, **options}
    return Pipeline(texts_of(lengths), np.arange(len(lengths)), **options)


LENGTHS = st.lists(st.integers(1, 48), min_size=1, max_size=60)


@given(LENGTHS, st.integers(1, 120), st.integers(1, 9), st.randoms())
def test_groups_are_those_of_the_plain_twin(costs, limit, max_rows, random):
    order = random.sample(range(len(costs)), len(costs))
    second = [random.randint(1, 5) for _ in costs]
    found = budget_groups(np.array(order), [np.array(costs), np.array(second)], [limit, 20], max_rows)
    expected = reference.budget_groups(order, [costs, second], [limit, 20], max_rows)
    assert [group.tolist() for group in found] == expected


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 40))
def test_a_fixed_number_of_batches_repeats_no_row(sizes, count):
    rows = np.arange(sum(sizes))
    groups = fixed_number(np.split(rows, np.cumsum(sizes)[:-1]), min(count, len(rows)))
    assert len(groups) == min(count, len(rows)) and min(map(len, groups)) > 0
    kept = np.concatenate(groups)
    assert len(set(kept.tolist())) == len(kept)
    if count >= len(sizes):
        assert len(kept) == len(rows)


@settings(deadline=None)
@given(LENGTHS, st.integers(48, 200), st.sampled_from([1, 4, 16]), st.integers(0, 3), st.integers(0, 9))
def test_batches_hold_the_budget_and_an_epoch_no_row_twice(lengths, tokens, multiple, epoch, seed):
    pipeline = make(lengths, budget=Budget(tokens=tokens), pad_to_multiple=multiple, seed=seed)
    seen = []
    for number in range(epoch * len(pipeline), (epoch + 1) * len(pipeline)):
        batch = pipeline.batch(number)
        ids, mask = batch["text"]
        assert ids.size <= tokens and ids.shape[1] % multiple == 0
        assert mask.sum(1).tolist() == [lengths[row] for row in batch["label"]]
        assert ids.shape[1] - mask.sum(1).max() < multiple
        seen += batch["label"].tolist()
    assert len(set(seen)) == len(seen) and (epoch or len(seen) == len(lengths))


def test_an_evaluation_keeps_every_row_in_order_and_fills_nothing_up():
    lengths = [3, 40, 7, 7, 8, 1] * 5
    batches = list(make(lengths, training=False, budget=Budget(tokens=48, rows=3)))
    assert np.concatenate([batch["label"] for batch in batches]).tolist() == [*range(30)]
    assert all(batch["weight"].all() and len(batch["label"]) <= 3 for batch in batches)


def test_rows_of_like_length_share_batches_and_orders_differ_by_epoch():
    lengths = np.random.default_rng(0).integers(1, 49, 600)

    def padding(**options):
        pipeline = make(lengths, budget=Budget(tokens=480, **options))
        masks = [pipeline.batch(number)["text"][1] for number in range(len(pipeline))]
        return 1 - sum(mask.sum() for mask in masks) / sum(mask.size for mask in masks)

    assert padding() < 0.1 < 0.3 < padding(window=1)
    pipeline = make(lengths, budget=Budget(tokens=480))
    first, second = (pipeline.batch(number)["label"].tolist() for number in (0, len(pipeline)))
    assert first != second
    widths = [pipeline.batch(number)["text"][0].shape[1] for number in range(len(pipeline))]
    assert widths != sorted(widths)


def test_batches_by_budget_go_on_from_a_state_and_do_not_depend_on_what_came_before():
    lengths = np.random.default_rng(1).integers(1, 49, 80).tolist()
    options = {"budget": Budget(tokens=200, window=16), "seed": 5}
    whole = [batch["label"].tolist() for batch in make(lengths, **options).batches(stop=60)]
    stopped = make(lengths, **options)
    assert 2 * len(stopped) < 60
    rest = [batch["label"].tolist() for batch in make(lengths, **options).batches(stopped.state(37), 60)]
    assert rest == whole[37:]
    assert make(lengths, **options).batch(3)["label"].tolist() == whole[3]


def test_a_state_is_short_and_names_another_pipeline():
    pipeline = make([3] * 40, batch_size=4)
    assert len(pipeline.state(10**12)) < 40
    for other in (
        make([3] * 41, batch_size=4),
        make([3] * 40, batch_size=5),
        make([3] * 40, batch_size=4, seed=1),
    ):
        with pytest.raises(ValueError, match="is of other data or options than this pipeline's"):
            other.batches(start=pipeline.state(7))
    for wrong in ("", "7", "x-12345678", "-7-12345678"):
        with pytest.raises(ValueError, match="start must be the number of a batch"):
            pipeline.batches(start=wrong)


def test_patches_are_a_budget_too():
    counts = np.array([4, 16, 16, 4, 4, 64, 1, 1])
    images = [np.full((4, 4, 3), row, np.uint8) for row in range(8)]
    examples = Examples(images, [None] * 8, ["a"] * 8, ["train"] * 8, range(8), "made")
    pipeline = Pipeline(
        examples, np.arange(8), budget=Budget(patches=32), patch_counts=counts, preprocessor=PLAIN
    )
    assert [batch["label"].tolist() for batch in pipeline] == [[0, 1], [2, 3], [4], [5], [6, 7]]
    assert [batch["image"][0].shape[0] for batch in pipeline] == [2, 2, 1, 1, 2]


def test_texts_are_padded_to_a_multiple_without_a_budget_too():
    batches = list(make([1, 9, 16, 17, None, None], training=False, batch_size=2, pad_to_multiple=8))
    assert [batch["text"][0].shape for batch in batches] == [(2, 16), (2, 24), (2, 8)]
    assert not batches[2]["text"][1].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either batch_size or budget"),
        ({"batch_size": 2, "budget": Budget(tokens=9)}, "either batch_size or budget"),
        ({"budget": Budget(patches=9)}, "patch_counts of all 3 rows, found none"),
        ({"budget": Budget(patches=9), "patch_counts": np.ones(2)}, "patch_counts of all 3 rows, found 2"),
        ({"budget": Budget(tokens=9), "tokenizer": None, "preprocessor": PLAIN}, "needs a tokenizer"),
        ({"batch_size": 2, "pad_to_multiple": 7}, "pad_to_multiple must divide max_length 48, found 7"),
        ({"batch_size": 2, "pad_to_multiple": 0}, "pad_to_multiple must divide"),
    ],
)
def test_mistakes_of_the_caller(options, message):
    with pytest.raises(ValueError, match=message):
        make([1, 2, 3], **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "tokens=, patches= or both"),
        ({"tokens": 0}, "tokens of a budget"),
        ({"tokens": 1, "rows": 0}, "rows of a"),
    ],
)
def test_budgets_that_are_none(options, message):
    with pytest.raises(ValueError, match=message):
        Budget(**options)
