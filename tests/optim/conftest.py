"""A few variables around the packing bound, and gradients that repeat with the seed."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

SHAPES = {"a.kernel": (3, 5), "a.bias": (5,), "scale": (), "big.kernel": (40, 7), "empty.kernel": (0, 2)}


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {path: rng.normal(size=shape).astype("float32") for path, shape in SHAPES.items()}


@pytest.fixture
def variables(arrays, monkeypatch):
    """Variables of which one is above the packing bound."""
    monkeypatch.setattr("mmcore.optim.slots.PACK_BELOW", 200)
    return {path: tf.Variable(value) for path, value in arrays.items()}


@pytest.fixture
def gradients():
    rng = np.random.default_rng(1)
    return [{p: rng.normal(size=s).astype("float32") for p, s in SHAPES.items()} for _ in range(5)]
