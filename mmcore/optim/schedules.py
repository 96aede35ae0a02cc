"""Learning rates as functions of the step, usable eagerly and inside a compiled step."""

from __future__ import annotations

import math
from collections.abc import Callable

import tensorflow as tf

Schedule = Callable[["tf.Tensor | int"], tf.Tensor]
"""From the number of updates already made (0 for the first update) to the learning rate, float32 []."""


def constant(learning_rate: float) -> Schedule:
    """learning_rate at every step.

    Raises:
        ValueError: the learning rate is negative or not finite.

    Example:
        >>> print(constant(0.5)(7).numpy())
        0.5
    """
    _check_rate("learning_rate", learning_rate)
    return lambda step: tf.constant(learning_rate, tf.float32)


def cosine_schedule(peak: float, warmup_steps: int, total_steps: int, *, final: float = 0.0) -> Schedule:
    """Linear warm-up to `peak`, then half a cosine down to `final`, which it keeps from `total_steps` on.

    Warm-up: peak (step + 1) / warmup_steps for step < warmup_steps, so the first update already moves (in
    optax it has rate 0) and the last of the warm-up has the peak. Then final + (peak - final) (1 + cos(pi p))
    / 2 with p = (step - warmup_steps) / (total_steps - warmup_steps), clipped to [0, 1].

    Args:
        peak: the highest rate.
        warmup_steps: updates of warm-up; 0 starts at the peak.
        total_steps: updates of the whole run, the warm-up included.
        final: the rate at the end.

    Raises:
        ValueError: a rate is negative or not finite, total_steps < 1, or warmup_steps is not in [0,
            total_steps].

    Example:
        >>> rate = cosine_schedule(1.0, warmup_steps=2, total_steps=6)
        >>> print([round(float(rate(step)), 3) for step in range(8)])
        [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0, 0.0]

    Source:
        Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017, arXiv 1608.03983,
        equation 5, without restarts; linear warm-up as in Goyal et al., 2017, arXiv 1706.02677, section 2.2.
    """
    _check_rate("peak", peak)
    _check_rate("final", final)
    if total_steps < 1 or not 0 <= warmup_steps <= total_steps:
        raise ValueError(
            f"expected 0 <= warmup_steps <= total_steps and total_steps >= 1, found warmup_steps "
            f"{warmup_steps} and total_steps {total_steps}"
        )

    def rate(step: tf.Tensor | int) -> tf.Tensor:
        count = tf.cast(step, tf.float32)
        progress = (count - warmup_steps) / max(total_steps - warmup_steps, 1)
        cosine = 0.5 * (1.0 + tf.cos(math.pi * tf.clip_by_value(progress, 0.0, 1.0)))
        warmup = peak * (count + 1.0) / max(warmup_steps, 1)
        return tf.where(count < warmup_steps, warmup, final + (peak - final) * cosine)

    return rate


def as_schedule(learning_rate: float | Schedule) -> Schedule:
    """A number as a constant schedule; a schedule as it is."""
    return learning_rate if callable(learning_rate) else constant(learning_rate)


def _check_rate(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0.0):
        raise ValueError(f"{name} must be a finite number >= 0, found {value}")
