"""Train, val and test: what splits may be called, and how rows are dealt out where nobody said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
ACCEPTED_SPLITS = "train (training), val (valid, validation, dev), test (testing)"
_VAL_SHARE = _TEST_SHARE = 0.1


def split_name(name: str) -> str | None:
    """The split that a word names: "train", "val" or "test"; None for any other word. Case is ignored."""
    return _NAMES.get(name.strip().lower())


def stratified_split(labels: Sequence[str | None], *, seed: int = 0) -> list[str]:
    """Deals rows out to train, val and test in the shares 80, 10 and 10 percent, within every class.

    A class of n rows gives k = floor(n / 10 + 1/2) rows to val and as many to test, and at least one to each
    as soon as it has three; a class of two gives one to val, and a class of one stays in train. So every
    class has a row in train, and no class stands in val or test alone. Which rows: the order that
    `numpy.random.default_rng([seed, class])` shuffles them into, classes numbered in sorted order, so that
    rows of one class do not move when another class grows. Rows without a label count as a class of their
    own.

    Args:
        labels: the class of each row.
        seed: the only source of chance.

    Returns:
        "train", "val" or "test" for each row.

    Example:
        >>> stratified_split(["a"] * 10 + ["b"] * 3).count("train")
        9
    """
    splits = ["train"] * len(labels)
    classes = sorted(set(labels), key=lambda label: (label is None, label or ""))
    rows_of: dict[str | None, list[int]] = {label: [] for label in classes}
    for row, label in enumerate(labels):
        rows_of[label].append(row)
    for number, label in enumerate(classes):
        rows = np.random.default_rng([seed, number]).permutation(rows_of[label])
        val, test = _sizes(len(rows))
        for position, row in enumerate(rows[: val + test]):
            splits[row] = "val" if position < val else "test"
    return splits


def _sizes(count: int) -> tuple[int, int]:
    """How many of `count` rows of one class go to val and to test."""
    if count < 3:
        return int(count == 2), 0
    return max(1, int(count * _VAL_SHARE + 0.5)), max(1, int(count * _TEST_SHARE + 0.5))
