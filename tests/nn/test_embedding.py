from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn


def test_each_id_takes_its_row():
    layer = nn.Embedding(7, 3)
    ids = np.array([[0, 6], [2, 2]])
    np.testing.assert_array_equal(layer(tf.constant(ids)), layer.table.numpy()[ids])


def test_positions_add_the_first_rows():
    layer = nn.Positions(5, 3)
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(layer(tf.constant(x)), x + layer.table.numpy()[:4])


def test_an_unknown_length_works():
    layer = nn.Positions(5, 3)
    graph = tf.function(layer, input_signature=[tf.TensorSpec([None, None, 3])], autograph=False)
    np.testing.assert_array_equal(graph(tf.zeros([2, 4, 3])), layer(tf.zeros([2, 4, 3])))


def test_size_below_one_is_an_error():
    with pytest.raises(ValueError, match="at least 1"):
        nn.Embedding(0, 3)


def test_ids_that_are_not_integers_are_an_error():
    with pytest.raises(ValueError, match="expected integer ids, found float32"):
        nn.Embedding(7, 3)(tf.zeros([2]))


def test_an_input_longer_than_the_table_is_an_error():
    with pytest.raises(ValueError, match="at most max_length=5 positions, found 6"):
        nn.Positions(5, 3)(tf.zeros([2, 6, 3]))
