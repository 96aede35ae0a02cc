from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

from mmcore import image, ops

STEPS = (
    image.RandomResizedCrop(),
    image.RandomHorizontalFlip(),
    image.ColorJitter(0.4, 0.4, 0.4, 0.1),
    image.RandAugment(),
    image.RandomErasing(value="random"),
)
AUGMENTATIONS = [
    image.Augmentation(STEPS, size=(8, 11)),
    image.Augmentation(STEPS[:1], size=8, dtype="uint8", layout="NCHW"),
    image.Augmentation(STEPS, size=9, dtype="bfloat16", resize="bilinear"),
    image.Augmentation((), size=7),
]


def pictures(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


def same(result: tf.Tensor, expected: np.ndarray) -> None:
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result.numpy(), expected)


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_equals_the_numpy_face_and_the_twin_bit_for_bit(augmentation):
    batch, indices = pictures(3, 21, 30), [5, 0, 2**40]
    expected = augmentation(list(batch), indices, seed=9)
    same(ops.augment_images(augmentation, batch, indices, seed=9), expected)
    same(ops.augment_images(augmentation, batch[1], 0, seed=9), expected[1])
    same(ops.reference_augment_images(augmentation, batch, indices, seed=9), expected)
    same(ops.reference_augment_images(augmentation, batch[1], 0, seed=9), expected[1])
    empty = ops.augment_images(augmentation, batch[:0], np.zeros(0, np.int64), seed=9)
    assert empty.shape == augmentation.shape(0)


def test_negative_numbers_are_those_modulo_two_to_the_64():
    augmentation, batch = AUGMENTATIONS[0], pictures(1, 9, 9)
    expected = augmentation(list(batch), [2**64 - 1], seed=2**64 - 2)
    same(ops.augment_images(augmentation, batch, [-1], seed=-2), expected)


def test_dataset_mapped_in_parallel_gives_the_numpy_faces_pictures_in_order():
    augmentation = AUGMENTATIONS[0]
    arrays = [pictures(9 + i, 30 - i) for i in range(20)]
    spec = tf.TensorSpec([None, None, 3], tf.uint8)
    dataset = tf.data.Dataset.from_generator(lambda: iter(arrays), output_signature=spec).enumerate()
    dataset = dataset.map(
        lambda i, array: ops.augment_images(augmentation, array, i, seed=4),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    assert dataset.element_spec.shape == (8, 11, 3)
    got = np.stack(list(dataset.as_numpy_iterator()))
    np.testing.assert_array_equal(got, augmentation(arrays, range(20), seed=4))


@pytest.mark.parametrize(("name", "alpha"), [("mixup", 0.2), ("cutmix", 1.0)])
def test_mixtures_equal_the_numpy_face(name, alpha):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(4, 6, 9, 3)).astype(np.float32)
    labels = np.eye(5, dtype=np.float32)[[0, 4, 2, 2]]
    function = tf.function(getattr(ops, name))
    for step in range(5):
        expected = getattr(image, name)(images, labels, seed=1, step=step, alpha=alpha)
        got = function(images, labels, seed=tf.constant(1), step=tf.constant(step), alpha=alpha)
        twin = ops.reference_mix(getattr(image, name), images, labels, seed=1, step=step, alpha=alpha)
        for mine, other, theirs in zip(got, twin, expected, strict=True):
            same(mine, theirs)
            same(other, theirs)


def test_a_saved_function_gives_the_same_in_a_process_that_imports_only_the_ops(tmp_path):
    augmentation = AUGMENTATIONS[0]
    module = tf.Module()
    module.augment = tf.function(
        lambda images, indices, seed: ops.augment_images(augmentation, images, indices, seed=seed),
        input_signature=[
            tf.TensorSpec([None, None, None, 3], tf.uint8),
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([], tf.int64),
        ],
    )
    tf.saved_model.save(module, str(tmp_path))
    batch = pictures(3, 20, 33)
    np.savez(tmp_path / "given.npz", batch=batch, expected=augmentation(list(batch), [7, 8, 9], seed=3))
    code = """
        import sys
        import numpy as np
        import mmcore.ops
        import tensorflow as tf
        given = dict(np.load(sys.argv[1] + "/given.npz"))
        model = tf.saved_model.load(sys.argv[1])
        got = model.augment(tf.constant(given["batch"]), tf.constant([7, 8, 9], tf.int64), tf.constant(3, tf.int64))
        np.testing.assert_array_equal(got, given["expected"])
        assert "mmcore.image" not in sys.modules
        print("same")
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.stdout == "same\n", result.stderr


@pytest.mark.parametrize(
    ("images", "indices", "seed", "error"),
    [
        (pictures(2, 4, 4).astype(np.float32), [0, 1], 0, TypeError),
        (pictures(4)[0], 0, 0, ValueError),
        (pictures(2, 4, 4), [0], 0, tf.errors.InvalidArgumentError),
        (pictures(2, 4, 4), 0, 0, tf.errors.InvalidArgumentError),
        (pictures(4, 4), [0], 0, tf.errors.InvalidArgumentError),
        (pictures(2, 4, 4), [0, 1], [0], (tf.errors.InvalidArgumentError, ValueError)),
        (pictures(2, 4, 4)[..., :2], [0, 1], 0, tf.errors.InvalidArgumentError),
        (pictures(2, 0, 4), [0, 1], 0, tf.errors.InvalidArgumentError),
    ],
)
def test_mistakes_are_refused(images, indices, seed, error):
    with pytest.raises(error):
        ops.augment_images(AUGMENTATIONS[0], images, indices, seed=seed)


@pytest.mark.parametrize("function", [ops.mixup, ops.cutmix])
def test_mistakes_in_mixtures_are_refused(function):
    images, labels = tf.zeros([2, 3, 3, 3]), tf.zeros([2, 5])
    errors = (tf.errors.InvalidArgumentError, ValueError)
    for arguments in [(images[0], labels), (images, labels[0]), (images, labels[:1])]:
        with pytest.raises(errors):
            function(*arguments, seed=0, step=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="alpha"):
        function(images, labels, seed=0, step=0, alpha=0.0)
    with pytest.raises(errors):
        function(images, labels, seed=[0, 1], step=0)
