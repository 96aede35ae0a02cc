from __future__ import annotations

import doctest

import pytest
import tensorflow as tf

from mmcore.ops import augment, image, text


@pytest.mark.parametrize("module", [augment, image, text])
def test_examples_in_docstrings(module):
    found = doctest.testmod(module, extraglobs={"tf": tf})
    assert found.attempted > 0 and found.failed == 0
