from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn

SIDE = 4
TABLE = np.random.default_rng(0).standard_normal((SIDE**2, 5)).astype(np.float32)


def vectors(height: int, width: int, **options) -> np.ndarray:
    positions = np.argwhere(np.ones((height, width))).astype(np.int32)[None]
    ids = tf.ones([1, height * width], tf.int32)
    return nn.grid_positions(tf.constant(TABLE), tf.constant(positions), ids, **options).numpy()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (4, 7), (9, 2), (3, 16), (40, 1)])
def test_the_table_is_resized_as_tensorflow_resizes_images(size):
    expected = tf.image.resize(TABLE.reshape(SIDE, SIDE, 5), size, antialias=True)
    np.testing.assert_allclose(vectors(*size)[0], np.reshape(expected, [-1, 5]), rtol=1e-4, atol=1e-5)


def test_the_grid_of_the_table_has_the_table_itself():
    np.testing.assert_array_equal(vectors(SIDE, SIDE)[0], TABLE)


def test_each_image_of_a_packed_row_has_its_own_grid():
    sizes = [(2, 3), (5, 1), (4, 4)]
    grids = [np.argwhere(np.ones(size)).astype(np.int32) for size in sizes]
    positions = np.concatenate([*grids, np.full((3, 2), 99, np.int32)])
    ids = np.repeat(np.array([1, 2, 3, 0], np.int32), [*map(len, grids), 3])
    found = nn.grid_positions(
        tf.constant(TABLE), tf.constant(positions[None]), tf.constant(ids[None])
    ).numpy()
    for number, size in enumerate(sizes):
        np.testing.assert_allclose(found[0, ids == number + 1], vectors(*size)[0], rtol=1e-6, atol=1e-6)
    assert np.all(np.isfinite(found))


def test_the_order_of_the_patches_does_not_matter():
    positions = np.argwhere(np.ones((3, 5))).astype(np.int32)
    order = np.random.default_rng(1).permutation(15)
    ids = tf.ones([1, 15], tf.int32)
    found = nn.grid_positions(tf.constant(TABLE), tf.constant(positions[None, order]), ids)
    np.testing.assert_array_equal(found[0], vectors(3, 5)[0, order])


def test_results_have_the_dtype_that_is_asked_for():
    exact = vectors(3, 7, dtype=tf.float64)
    assert exact.dtype == np.float64
    np.testing.assert_allclose(exact, vectors(3, 7), rtol=1e-5, atol=1e-6)
    low = tf.cast(vectors(3, 7, dtype=tf.bfloat16), tf.float32)
    np.testing.assert_array_equal(low, tf.cast(tf.cast(vectors(3, 7), tf.bfloat16), tf.float32))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_negative_position_shows_itself_in_its_own_vector(jit_compile):
    positions = tf.constant([[[0, 0], [0, 1], [-1, 1]]])
    run = tf.function(nn.grid_positions, jit_compile=jit_compile, autograph=False)
    found = run(tf.constant(TABLE), positions, tf.ones([1, 3], tf.int32)).numpy()
    assert np.all(np.isfinite(found[0, :2])) and np.all(np.isnan(found[0, 2]))


def test_tables_positions_and_segment_ids_that_fit_nothing_are_errors():
    positions, ids = tf.zeros([1, 2, 2], tf.int32), tf.ones([1, 2], tf.int32)
    with pytest.raises(ValueError, match=r"S \* S positions of a square grid, found 15"):
        nn.grid_positions(tf.constant(TABLE[:15]), positions, ids)
    with pytest.raises(ValueError, match=r"expected positions \[R, L, 2\]"):
        nn.grid_positions(tf.constant(TABLE), positions[:, :, :1], ids)
    with pytest.raises(ValueError, match="expected integer segment_ids"):
        nn.grid_positions(tf.constant(TABLE), positions, tf.ones([1, 2]))
