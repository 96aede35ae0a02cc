"""Everything that training changes, in one object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from mmcore import nn, optim, weights


class Optimizer(Protocol):
    """What a training step needs of an optimizer; `optim.AdamW` and `optim.SGD` have it.

    Optional: `learning_rate` (a number or a function of the step) is reported by the step; `state_dict` and
    `load_state_dict` (or, in a `tf.Module`, its variables) are saved in checkpoints.
    """

    def build(self, variables: Mapping[str, tf.Variable]) -> None:
        """Makes all state of the optimizer, once."""

    def apply(self, gradients: Mapping[str, tf.Tensor], step: tf.Tensor) -> None:
        """Updates the variables; `step`, int64 [], counts the updates made before this one."""


class TrainState(tf.Module):
    """Model, optimizer, step count, seed and, if asked for, averaged weights.

    Args:
        model: any `tf.Module` whose variables exist already.
        optimizer: an `Optimizer`; it is built here for the model's trainable variables.
        seed: root of all randomness of the training steps, any int of 64 bits.
        ema_decay: keeps an exponential moving average of all float variables of the model, moving statistics
            included (see `optim.EMA`); None keeps none.

    Raises:
        ValueError: the model has no trainable variables yet, or ema_decay is not in (0, 1).

    Example:
        >>> from mmcore import nn, optim
        >>> state = TrainState(nn.Linear(2, 3), optim.AdamW(1e-3), ema_decay=0.99)
        >>> list(state.weights), int(state.step)
        (['kernel', 'bias'], 0)
    """

    def __init__(
        self, model: tf.Module, optimizer: Optimizer, *, seed: int = 0, ema_decay: float | None = None
    ):
        super().__init__()
        self.model, self.optimizer = model, optimizer
        self.weights = nn.variables_by_path(model)
        self.trained = {path: variable for path, variable in self.weights.items() if variable.trainable}
        if not self.trained:
            raise ValueError(
                "the model has no trainable variables: make them in its __init__, or call it once "
                "before making the TrainState"
            )
        optimizer.build(self.trained)
        # int64, not int32: TensorFlow keeps int32 variables on the host, where a step compiled for a GPU
        # cannot reach them.
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.seed = tf.Variable(seed, dtype=tf.int64, trainable=False)
        self.ema = None if ema_decay is None else optim.EMA(_floats(self.weights), ema_decay)
        self._is_averaged = False

    def step_seed(self) -> tf.Tensor:
        """The seed of the present step, int32 [2]: a function of `seed` and `step` alone."""
        return nn.fold(tf.bitcast(self.seed.read_value(), tf.int32), tf.cast(self.step, tf.int32))

    @contextmanager
    def averaged(self) -> Iterator[tf.Module]:
        """Within the context the model has the averaged weights; before the first update they are the present
        ones.

        Raises:
            ValueError: the state keeps no average, or is within this context already.

        Example:
            >>> from mmcore import nn, optim
            >>> state = TrainState(nn.Linear(2, 3), optim.SGD(0.1), ema_decay=0.9)
            >>> with state.averaged() as model:
            ...     logits = model(tf.zeros([4, 2]))
        """
        if self.ema is None or self._is_averaged:
            raise ValueError("averaged() needs a TrainState made with ema_decay, and cannot be nested")
        updates = int(self.step)
        present = {path: tf.identity(variable) for path, variable in _floats(self.weights).items()}
        self._is_averaged = True
        try:
            if updates:
                _assign(self.weights, self.ema.averages(updates))
            yield self.model
        finally:
            _assign(self.weights, present)
            self._is_averaged = False

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all that training changes: `step`, `seed`, `model.<path>`, `optimizer.<slot>.<path>`,
        `ema.<path>`.

        Raises:
            ValueError: within `averaged()`, where the model does not have its own weights.
        """
        if self._is_averaged:
            raise ValueError(
                "the model has averaged weights at the moment: leave averaged() before saving the state"
            )
        arrays = {"step": self.step.numpy(), "seed": self.seed.numpy()}
        arrays.update({f"model.{path}": variable.numpy() for path, variable in self.weights.items()})
        arrays.update({f"optimizer.{path}": value for path, value in self._optimizer_state().items()})
        if self.ema is not None:
            arrays.update({f"ema.{path}": value for path, value in self.ema.state_dict().items()})
        return {path: np.asarray(value) for path, value in arrays.items()}

    def load_state_dict(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes the values of a `state_dict` of a state made the same way; all or nothing.

        Raises:
            ValueError: paths or shapes differ; the message names them.
        """
        expected = {path: value.shape for path, value in self.state_dict().items()}
        if report := weights.compare(expected, arrays):
            raise ValueError(f"the saved state does not fit this one: {report}")
        self.step.assign(arrays["step"])
        self.seed.assign(arrays["seed"])
        _assign(self.weights, _under("model.", arrays))
        self._load_optimizer_state(_under("optimizer.", arrays))
        if self.ema is not None:
            self.ema.load_state_dict(_under("ema.", arrays))

    def _optimizer_state(self) -> dict[str, np.ndarray]:
        if hasattr(self.optimizer, "state_dict"):
            return self.optimizer.state_dict()
        return {path: variable.numpy() for path, variable in self._optimizer_variables().items()}

    def _load_optimizer_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        if hasattr(self.optimizer, "load_state_dict"):
            self.optimizer.load_state_dict(arrays)
        else:
            _assign(self._optimizer_variables(), arrays)

    def _optimizer_variables(self) -> dict[str, tf.Variable]:
        """The optimizer's own variables; it may hold the model's as well."""
        if not isinstance(self.optimizer, tf.Module):
            return {}
        model = {id(variable) for variable in self.weights.values()}
        found = nn.variables_by_path(self.optimizer)
        return {path: variable for path, variable in found.items() if id(variable) not in model}


def _floats(variables: Mapping[str, tf.Variable]) -> dict[str, tf.Variable]:
    return {path: variable for path, variable in variables.items() if variable.dtype.is_floating}


def _assign(variables: Mapping[str, tf.Variable], values: Mapping[str, Any]) -> None:
    for path, value in values.items():
        variables[path].assign(tf.cast(value, variables[path].dtype))


def _under(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {path.removeprefix(prefix): value for path, value in arrays.items() if path.startswith(prefix)}
