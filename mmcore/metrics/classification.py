"""Metrics over collected predictions, in NumPy: the whole set at once, never a mean of means of batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def accuracy(predicted: ArrayLike, labels: ArrayLike) -> float:
    """Share of examples whose predicted class is the label.

    Shapes:
        predicted: int [N], class ids (`scores.argmax(-1)`).
        labels: int [N].

    Raises:
        ValueError: the arrays are empty, not integers, or not of one length.

    Example:
        >>> accuracy([0, 1, 2, 2], [0, 1, 2, 0])
        0.75
    """
    predicted, labels = _ids(predicted, "predicted"), _ids(labels, "labels")
    _check_lengths(predicted, labels)
    return float(np.mean(predicted == labels))


def top_k_accuracy(scores: ArrayLike, labels: ArrayLike, k: int) -> float:
    """Share of examples whose label is among the k classes of highest score.

    Ties go to the lower class id, as argmax does, so k=1 equals `accuracy(scores.argmax(-1), labels)`.
    (TensorFlow's `in_top_k` counts every class tied with the k-th.) A NaN score ranks above every number and
    a label whose score is NaN is never found: a broken model does not look good. k above the number of
        classes means all classes.

    Shapes:
        scores: float [N, num_classes], logits or probabilities.
        labels: int [N], in [0, num_classes).

    Raises:
        ValueError: k < 1, or the arrays are empty or do not fit each other.

    Example:
        >>> top_k_accuracy([[0.1, 0.3, 0.6], [0.1, 0.3, 0.6]], [1, 0], k=2)
        0.5
    """
    scores, labels = np.asarray(scores), _ids(labels, "labels")
    if scores.ndim != 2:
        raise ValueError(f"scores must have shape [N, num_classes], found {scores.shape}")
    if k < 1:
        raise ValueError(f"k must be at least 1, found {k}")
    _check_lengths(scores, labels)
    _check_range(labels, "labels", scores.shape[1])
    own = scores[np.arange(len(labels)), labels][:, None]
    before = np.arange(scores.shape[1])[None, :] < labels[:, None]
    rank = np.sum(~(scores <= own) | ((scores == own) & before), axis=1)
    return float(np.mean((rank < k) & ~np.isnan(own[:, 0])))


def confusion_matrix(predicted: ArrayLike, labels: ArrayLike, num_classes: int) -> np.ndarray:
    """Counts, int64 [num_classes, num_classes]: the row is the true class, the column the predicted one.

    Shapes:
        predicted: int [N], in [0, num_classes).
        labels: int [N], in [0, num_classes).

    Raises:
        ValueError: the arrays are empty or not of one length, or an id is out of range.

    Example:
        >>> confusion_matrix([0, 1, 1], [0, 1, 0], num_classes=2).tolist()
        [[1, 1], [0, 1]]
    """
    predicted, labels = _ids(predicted, "predicted"), _ids(labels, "labels")
    _check_lengths(predicted, labels)
    _check_range(predicted, "predicted", num_classes)
    _check_range(labels, "labels", num_classes)
    counts = np.bincount(labels * num_classes + predicted, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def macro_f1(predicted: ArrayLike, labels: ArrayLike, num_classes: int) -> float:
    """Unweighted mean over classes of F1 = 2 tp / (2 tp + fp + fn).

    A class that occurs neither in the truth nor in the predictions has no F1 and is left out of the mean.
    This is what scikit-learn's `f1_score(labels, predicted, average="macro")` does by default (its classes
    are the union of both arrays); with `labels=range(num_classes)` scikit-learn counts such a class as 0 and
    warns. A class that occurs in only one of the two has F1 = 0 and counts.

    Shapes:
        predicted: int [N], in [0, num_classes).
        labels: int [N], in [0, num_classes).

    Raises:
        ValueError: the arrays are empty or not of one length, or an id is out of range.

    Example:
        >>> macro_f1([0, 1, 1, 1], [0, 0, 1, 1], num_classes=5)  # (2/3 + 4/5) / 2: three classes never occur
        0.7333333333333334
    """
    confusion = confusion_matrix(predicted, labels, num_classes)
    hits = np.diagonal(confusion)
    total = confusion.sum(axis=0) + confusion.sum(axis=1)
    present = total > 0
    return float(np.mean(2.0 * hits[present] / total[present]))


def _ids(values: ArrayLike, name: str) -> np.ndarray:
    """The values as int64 [N]; floats are refused: they would be scores passed by mistake."""
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise ValueError(f"{name} must be integers of shape [N], found {array.dtype} of shape {array.shape}")
    return array.astype(np.int64)


def _check_lengths(values: np.ndarray, labels: np.ndarray) -> None:
    if len(values) != len(labels) or len(labels) == 0:
        raise ValueError(
            f"expected as many predictions as labels and at least one, found {len(values)} and {len(labels)}"
        )


def _check_range(ids: np.ndarray, name: str, num_classes: int) -> None:
    if ids.min() < 0 or ids.max() >= num_classes:
        raise ValueError(f"{name} must lie in [0, {num_classes}), found {ids.min()} to {ids.max()}")
