"""Names of classes to numbers, and what can be said about how often each occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mmcore.data.examples import Examples
from mmcore.errors import DataError


def class_names(examples: Examples) -> list[str]:
    """The classes of the train rows, sorted: by value where all are whole numbers, else as strings.

    Raises:
        DataError: no train rows; one class only; a class that only val or test has.
    """
    train = {
        label
        for label, split in zip(examples.labels, examples.splits, strict=True)
        if split == "train" and label is not None
    }
    if not train:
        raise DataError(
            examples.source,
            "no row of the split 'train' has a label, so there is nothing to learn from; "
            f"rows of each split: {examples.counts()}",
        )
    if len(train) == 1:
        raise DataError(
            examples.source,
            f"every train row has the label {next(iter(train))!r}; a classifier needs at "
            "least two classes: check which column is the label",
        )
    for row, (label, split) in enumerate(zip(examples.labels, examples.splits, strict=True)):
        if label is not None and label not in train:
            raise DataError(
                examples.key(row),
                f"the label {label!r} occurs in the split {split!r} and never in 'train', "
                "so it cannot be learned; add train rows of it or remove these rows",
            )
    numbers = all(label.isdecimal() and label.isascii() for label in train)
    return sorted(train, key=lambda label: (int(label), label) if numbers else (0, label))


def label_ids(examples: Examples, names: Sequence[str]) -> np.ndarray:
    """Labels to numbers by `names`: int32 [N], -1 where the row has none.

    Raises:
        DataError: a label that is not among the names.
    """
    index = {name: number for number, name in enumerate(names)}
    ids = np.full(len(examples), -1, np.int32)
    for row, label in enumerate(examples.labels):
        if label is not None:
            if label not in index:
                raise DataError(
                    examples.key(row),
                    f"the label {label!r} is not one of the {len(index)} classes "
                    f"({', '.join(list(index)[:20])}); correct or remove the row",
                )
            ids[row] = index[label]
    return ids


def class_weights(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """weight[c] = N / (C' * count[c]): inverse frequency, of mean 1 over the examples.

    Args:
        labels: int [N], each in [0, num_classes) or -1 for none.
        num_classes: C; C' of them occur, the others get weight 0.

    Returns:
        float32 [C].

    Example:
        >>> class_weights(np.array([0, 0, 0, 1]), 2).tolist()
        [0.6666666865348816, 2.0]
    """
    counts = np.bincount(labels[labels >= 0], minlength=num_classes).astype(np.float64)
    present = counts > 0
    return np.divide(counts.sum(), present.sum() * counts, out=np.zeros_like(counts), where=present).astype(
        np.float32
    )


def balance_sentence(labels: Sequence[str | None]) -> str:
    """The number of classes and how unevenly they occur, in one line to print."""
    counts = Counter(label for label in labels if label is not None).most_common()
    if not counts:
        return "classes: none"
    (most, largest), (least, smallest) = counts[0], counts[-1]
    ratio = largest / smallest
    sentence = f"classes: {len(counts)}, of {smallest} ({least}) to {largest} ({most}) rows"
    return sentence + (f"; imbalanced {ratio:.1f} to 1, class weights may help" if ratio >= 3 else "")
