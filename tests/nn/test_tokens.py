from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmcore import nn


def test_an_example_is_present_if_it_has_a_real_token():
    mask = tf.constant([[True, False, True], [False, False, False], [False, False, True]])
    tokens = nn.Tokens(tf.zeros([3, 3, 2]), mask, tf.zeros([3, 2]))
    np.testing.assert_array_equal(tokens.present(), [True, False, True])
