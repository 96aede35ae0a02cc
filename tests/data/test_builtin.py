from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mmcore.data import bayes_accuracy, builtin_examples, class_names
from mmcore.data.builtin import CLASSES, _sentence_probabilities
from mmcore.data.shapes import SHAPES


@pytest.fixture(scope="module")
def examples():
    return builtin_examples(seed=1, train=600, val=30, test=70)


def test_neither_modality_alone_can_pass_six_tenths_and_both_together_reach_one():
    accuracy = bayes_accuracy()
    assert accuracy["image"] <= 0.6
    assert accuracy["text"] <= 0.6
    assert accuracy["both"] == 1.0


def test_ten_classes_and_the_asked_sizes(examples):
    assert examples.counts() == {"train": 600, "val": 30, "test": 70}
    assert class_names(examples) == sorted(CLASSES) and len(CLASSES) == 10
    assert all(image.shape == (32, 32, 3) and image.dtype == np.uint8 for image in examples.images)


def test_what_is_drawn_is_what_was_counted(examples):
    for label, name in enumerate(CLASSES):
        possible = _sentence_probabilities(label)
        drawn = {text for text, found in zip(examples.texts, examples.labels, strict=True) if found == name}
        assert drawn and drawn <= possible.keys()
        assert sum(possible.values()) == 1


def test_pictures_of_one_shape_do_not_tell_its_two_materials(examples):
    brightness = np.array([image.mean() for image in examples.images])
    for shape in SHAPES:
        names = [name for name in CLASSES if name.endswith(shape)]
        first, second = (brightness[[label == name for label in examples.labels]] for name in names)
        error = np.hypot(first.std() / len(first) ** 0.5, second.std() / len(second) ** 0.5)
        assert abs(first.mean() - second.mean()) < 4 * error


def test_shapes_differ_in_the_picture(examples):
    means = {
        name: np.mean(
            [
                np.ptp(image.mean(-1))
                for image, label in zip(examples.images, examples.labels, strict=True)
                if label == name
            ]
        )
        for name in CLASSES
    }
    assert min(means.values()) > 60


def test_a_seed_fixes_everything_and_a_split_does_not_move_when_another_grows():
    first, second = (
        builtin_examples(seed=2, train=9, val=4, test=0),
        builtin_examples(seed=2, train=30, val=4, test=5),
    )
    assert first.split("val").texts == second.split("val").texts
    np.testing.assert_array_equal(first.split("val").images, second.split("val").images)
    other = builtin_examples(seed=3, train=9, val=4, test=0)
    assert (np.array(first.images) != np.array(other.images)).any()
    assert first.texts != other.texts


def test_classes_are_equally_likely():
    counts = Counter(builtin_examples(seed=5, train=2000, val=0, test=0, image_size=8).labels)
    assert all(150 < count < 250 for count in counts.values())
