from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn


class Tree(tf.Module):
    def __init__(self):
        super().__init__()
        self.zeta = nn.Linear(2, 3, rng=np.random.default_rng(0))
        self.alpha = [tf.Variable(1.0), (tf.Variable(2.0), {"b": tf.Variable(3.0), "a": tf.Variable(4.0)})]
        self.frozen = tf.Variable(5.0, trainable=False)
        self._hidden = tf.Variable(6.0)
        self.again = self.zeta
        self.tied = self.zeta.kernel
        self.itself = self


def test_paths_follow_attributes_lists_tuples_and_dicts_in_order_of_definition():
    paths = list(nn.variables_by_path(Tree()))
    assert paths == [
        "zeta.kernel",
        "zeta.bias",
        "alpha.0",
        "alpha.1.0",
        "alpha.1.1.b",
        "alpha.1.1.a",
        "frozen",
        "_hidden",
    ]


def test_every_variable_of_the_module_has_a_path():
    tree = Tree()
    assert {id(v) for v in tree.variables} == {id(v) for v in nn.variables_by_path(tree).values()}


def test_trainable_leaves_out_the_others():
    assert "frozen" not in nn.trainable_by_path(Tree())
    assert len(nn.trainable_by_path(Tree())) == len(nn.variables_by_path(Tree())) - 1


def test_two_variables_on_one_path_are_an_error():
    module = tf.Module()
    module.table = {"a.b": tf.Variable(1.0), "a": {"b": tf.Variable(2.0)}}
    with pytest.raises(ValueError, match=r"two at 'table\.a\.b'"):
        nn.variables_by_path(module)
