from __future__ import annotations

import numpy as np
import pytest

from mmcore.metrics import accuracy, confusion_matrix, macro_f1, top_k_accuracy


def f1_by_loops(predicted, labels, num_classes):
    scores = []
    for c in range(num_classes):
        hit = sum(p == c and t == c for p, t in zip(predicted, labels, strict=True))
        false_alarm = sum(p == c and t != c for p, t in zip(predicted, labels, strict=True))
        miss = sum(p != c and t == c for p, t in zip(predicted, labels, strict=True))
        if hit + false_alarm + miss:
            scores.append(2 * hit / (2 * hit + false_alarm + miss))
    return sum(scores) / len(scores)


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_and_confusion_equal_loops(seed):
    rng = np.random.default_rng(seed)
    predicted, labels = rng.integers(0, 6, 20), rng.integers(0, 4, 20)
    assert macro_f1(predicted, labels, 9) == pytest.approx(f1_by_loops(predicted, labels, 9), rel=1e-12)
    confusion = confusion_matrix(predicted, labels, 9)
    assert confusion.dtype == np.int64 and confusion.sum() == 20
    for truth, guess in zip(labels, predicted, strict=True):
        confusion[truth, guess] -= 1
    assert not confusion.any()


def test_macro_f1_counts_a_class_in_one_array_and_leaves_out_one_in_neither():
    assert macro_f1([0, 0, 1], [0, 0, 0], num_classes=2) == pytest.approx(0.8 / 2)
    assert macro_f1([0, 0, 0], [0, 0, 0], num_classes=2) == 1.0


def test_macro_f1_equals_scikit_learn():
    sklearn_metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn")
    rng = np.random.default_rng(0)
    predicted, labels = rng.integers(0, 6, 50), rng.integers(0, 4, 50)
    assert macro_f1(predicted, labels, 20) == pytest.approx(
        sklearn_metrics.f1_score(labels, predicted, average="macro")
    )


def test_top_k_by_hand():
    scores = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
    labels = np.array([2, 2, 0])
    assert [top_k_accuracy(scores, labels, k) for k in (1, 2, 3, 99)] == [1 / 3, 1 / 3, 1.0, 1.0]


def test_top_1_equals_argmax_accuracy_with_ties():
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 3, (200, 5)).astype("float32"), rng.integers(0, 5, 200)
    assert top_k_accuracy(scores, labels, 1) == accuracy(scores.argmax(-1), labels)


def test_constant_scores_do_not_look_good():
    assert top_k_accuracy(np.zeros((10, 10)), np.arange(10), 3) == 0.3


def test_nan_scores_do_not_look_good():
    scores = np.array([[np.nan, 1.0], [0.0, 1.0], [np.nan, np.nan]])
    assert top_k_accuracy(scores, [0, 1, 0], 2) == pytest.approx(1 / 3)
    assert top_k_accuracy(scores, [1, 1, 0], 1) == pytest.approx(1 / 3)


def test_accuracy_by_hand():
    assert accuracy(np.array([1, 2, 3, 4]), [1, 2, 0, 0]) == 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accuracy([], []), "at least one"),
        (lambda: accuracy([0, 1], [0]), "found 2 and 1"),
        (lambda: accuracy([0.5, 1.0], [0, 1]), "predicted must be integers"),
        (lambda: accuracy([[0], [1]], [0, 1]), "predicted must be integers"),
        (lambda: top_k_accuracy([0.5, 0.5], [0, 1], 1), r"\[N, num_classes\]"),
        (lambda: top_k_accuracy([[0.5, 0.5]], [0], 0), "k must be at least 1"),
        (lambda: top_k_accuracy([[0.5, 0.5]], [2], 1), r"labels must lie in \[0, 2\)"),
        (lambda: confusion_matrix([3], [0], 3), r"predicted must lie in \[0, 3\)"),
        (lambda: macro_f1([0], [-1], 3), r"labels must lie in \[0, 3\)"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
