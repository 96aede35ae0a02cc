"""Exponential moving average of weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from mmcore.optim.slots import Slots


class EMA:
    """a = decay a + (1 - decay) w after each update, from a = 0; the average is a / (1 - decay^updates).

    The division takes the zero start out again (as Adam does), so the average after one update is that
    update's weights, and short runs profit as well.

    Args:
        variables: the variables to average, by path, all of a float dtype.
        decay: share of the past, such as 0.999: an average over about 1 / (1 - decay) updates.

    Raises:
        ValueError: decay is not in (0, 1).

    Example:
        >>> kernel = tf.Variable([1.0])
        >>> ema = EMA({"kernel": kernel}, decay=0.5)
        >>> ema.update()
        >>> _ = kernel.assign([4.0])
        >>> ema.update()
        >>> print(ema.averages(updates=2)["kernel"])  # (0.25 * 1 + 0.5 * 4) / 0.75
        [3.]

    Source:
        Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992, in the exponential
        form of Szegedy et al., 2016, arXiv 1512.00567, section 8; debiasing as in Kingma and Ba, 2015, arXiv
        1412.6980, section 3.
    """

    def __init__(self, variables: Mapping[str, tf.Variable], decay: float):
        if not 0.0 < decay < 1.0:
            raise ValueError(f"decay must be in (0, 1), found {decay}; use None for no averaging")
        self.decay = decay
        self.slots = Slots(variables, ("average",))

    def update(self) -> None:
        """Takes the present weights into the average."""
        for group, slot in self.slots.rows():
            weights = self.slots.flatten(group, self.slots.variables)
            slot["average"].assign_add((1.0 - self.decay) * (weights - slot["average"]))

    def averages(self, updates: int) -> dict[str, np.ndarray]:
        """The averaged weights by path, float32, after so many calls of `update` (at least one)."""
        if updates < 1:
            raise ValueError(f"an average needs at least one update, found {updates}")
        scale = np.float32(1.0 - self.decay**updates)
        return {path.removeprefix("average."): value / scale for path, value in self.state_dict().items()}

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of the sums before debiasing, under `average.<path>`."""
        return self.slots.state_dict()

    def load_state_dict(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes the values of a `state_dict` over the same variables."""
        self.slots.load_state_dict(arrays)
