from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.data import split_name, stratified_split

LABELS = st.lists(st.sampled_from("abcde"), max_size=120)


@settings(deadline=None)
@given(LABELS, st.integers(0, 2**32))
def test_every_class_is_dealt_out_by_the_stated_rule(labels, seed):
    splits = stratified_split(labels, seed=seed)
    assert len(splits) == len(labels)
    for label, count in Counter(labels).items():
        found = Counter(split for split, other in zip(splits, labels, strict=True) if other == label)
        share = 0 if count < 3 else max(1, int(count / 10 + 0.5))
        assert (found["val"], found["test"]) == ((1, 0) if count == 2 else (share, share))
        assert found["train"] >= 1


@settings(deadline=None)
@given(LABELS, st.integers(0, 99), st.integers(0, 20))
def test_rows_do_not_move_when_another_class_grows(labels, seed, more):
    def kept(rows):
        splits = stratified_split(rows, seed=seed)
        return [split for split, label in zip(splits, rows, strict=True) if label != "e"]

    assert kept([*labels, *"e" * more]) == kept(labels)


def test_the_split_depends_on_the_seed_alone():
    labels = list("ab" * 30)
    assert stratified_split(labels, seed=3) == stratified_split(np.array(labels).tolist(), seed=3)
    assert stratified_split(labels, seed=3) != stratified_split(labels, seed=4)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("Validation", "val"),
        (" dev", "val"),
        ("valid", "val"),
        ("TRAIN", "train"),
        ("testing", "test"),
        ("holdout", None),
        ("", None),
    ],
)
def test_split_names(name, split):
    assert split_name(name) == split
