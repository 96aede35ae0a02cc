"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from mmcore.optim.schedules import Schedule, as_schedule
from mmcore.optim.slots import DecayRule, Slots, checked, decay_kernels, kept


class SGD:
    """u = momentum u + (g + decay w);  w -= lr u, or with Nesterov momentum w -= lr (g + decay w + momentum
    u).

    The convention of PyTorch: the decay is an L2 penalty inside the gradient (so it passes through the
    momentum and is multiplied by the learning rate), and the momentum sums gradients, not updates. State and
    arithmetic are float32; without momentum there is no state.

    Args:
        learning_rate: a number, or a schedule of the step.
        momentum: 0 for plain descent.
        nesterov: looks ahead along the momentum.
        weight_decay: decay of the variables that the rule selects.
        decay: rule by variable path; by default only paths that end in `kernel` decay.

    Raises:
        ValueError: a number is out of its range; `apply` before `build`, or with other paths than were built.

    Example:
        >>> optimizer, kernel = SGD(0.5), tf.Variable([1.0, 2.0])
        >>> optimizer.build({"kernel": kernel})
        >>> optimizer.apply({"kernel": tf.constant([1.0, 0.0])}, step=0)
        >>> print(kernel.numpy())
        [0.5 2. ]

    Source:
        Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep
        learning, 2013, equations 1 to 4, with the learning rate outside of the momentum.
    """

    def __init__(
        self,
        learning_rate: float | Schedule,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        decay: DecayRule = decay_kernels,
    ):
        if not 0.0 <= momentum < 1.0 or not weight_decay >= 0.0:
            raise ValueError(
                f"expected momentum in [0, 1) and weight_decay >= 0, found {momentum} and {weight_decay}"
            )
        if nesterov and not momentum:
            raise ValueError("nesterov needs a momentum above 0")
        self.learning_rate = as_schedule(learning_rate)
        self.momentum, self.nesterov = momentum, nesterov
        self.weight_decay, self.decay = weight_decay, decay
        self.slots: Slots | None = None

    def build(self, variables: Mapping[str, tf.Variable]) -> None:
        """Makes the state for these variables, all zeros; `TrainState` calls it."""
        self.slots = Slots(variables, ("momentum",) if self.momentum else ())

    def apply(
        self, gradients: Mapping[str, tf.Tensor], step: tf.Tensor | int, *, where: tf.Tensor | None = None
    ) -> None:
        """Updates the variables by dense gradients by path; `step` counts the updates before this one.

        Where `where` (bool []) is False nothing changes, bit for bit.
        """
        slots = checked(self.slots, gradients)
        rate = self.learning_rate(step)
        decayed = {path: self._decayed(path, gradient) for path, gradient in gradients.items()}
        for group, slot in slots.rows():
            update = slots.flatten(group, decayed)
            if self.momentum:
                velocity = self.momentum * slot["momentum"] + update
                slot["momentum"].assign(kept(where, velocity, slot["momentum"]))
                update = update + self.momentum * velocity if self.nesterov else velocity
            for path, change in slots.unflatten(group, update).items():
                variable = slots.variables[path]
                variable.assign_sub(tf.cast(kept(where, rate * change, 0.0), variable.dtype))

    def _decayed(self, path: str, gradient: tf.Tensor) -> tf.Tensor:
        gradient = tf.cast(gradient, tf.float32)
        if not (self.weight_decay and self.decay(path)):
            return gradient
        return gradient + self.weight_decay * tf.cast(checked(self.slots).variables[path], tf.float32)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of the state by path: `momentum.<path>`, or nothing without momentum."""
        return checked(self.slots).state_dict()

    def load_state_dict(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes the values of a `state_dict` of an optimizer built for the same variables."""
        checked(self.slots).load_state_dict(arrays)
