from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.data import balance_sentence, class_weights


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=50))
def test_class_weights_have_mean_one_and_even_out_the_classes(labels):
    labels = np.array(labels)
    weights = class_weights(labels, 5)
    assert weights.dtype == np.float32 and weights.shape == (5,)
    np.testing.assert_allclose(weights[labels].mean(), 1, rtol=1e-5)
    mass = np.bincount(labels, weights[labels], minlength=5)
    np.testing.assert_allclose(mass[mass > 0], len(labels) / len(set(labels.tolist())), rtol=1e-5)


def test_rows_without_a_label_do_not_count():
    np.testing.assert_allclose(class_weights(np.array([0, 1, 1, -1, -1]), 2), [1.5, 0.75])


def test_imbalance_is_said():
    assert (
        balance_sentence(list("aaab"))
        == "classes: 2, of 1 (b) to 3 (a) rows; imbalanced 3.0 to 1, class weights may help"
    )
    assert "imbalanced" not in balance_sentence(list("aab"))
    assert balance_sentence([None]) == "classes: none"
