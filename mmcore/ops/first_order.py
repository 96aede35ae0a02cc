"""Gradients that cannot be differentiated again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def first_order(inputs: Sequence[tf.Tensor], gradients: Sequence[tf.Tensor], refusal: str) -> list[tf.Tensor]:
    """The gradients, which were computed from the inputs: to differentiate them is an error with this message."""

    @tf.custom_gradient
    def run(*tensors: tf.Tensor) -> Any:
        def refuse(*_: tf.Tensor) -> Any:
            raise NotImplementedError(refusal)

        return [tf.identity(x) for x in tensors[len(inputs) :]], refuse

    return run(*inputs, *gradients)
